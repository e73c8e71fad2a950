//! Pins: the definitions of a release in a normalised form of VPP's own JSON, small enough to commit.
//!
//! The keys and lists are VPP's, so one reader reads both. What differs: each definition stands on one line and only in
//! the module that owns it, imports are names of modules, empty keys and VPP's comments are left out, and
//! `group` says which folder the file came from.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use vpp_wire::Header;

use crate::error::ReadError;
use crate::model::{
    Api, DefaultValue, Field, FieldType, Group, MessageDef, Module, Service, TypeId, TypeKind, TypeRef,
};
use crate::reader::Source;

/// The file that says what a folder of pins holds.
pub const SOURCE_FILE: &str = "SOURCE.toml";

impl Api {
    /// The definitions in normalised form, one text per module, in the order of their names.
    ///
    /// [`Api::from_sources`] makes of them an equal API, without VPP's comments.
    #[must_use]
    pub fn to_pins(&self) -> Vec<Source> {
        self.modules.iter().map(|module| self.source(module, &module.types)).collect()
    }

    /// One module in normalised form, with all types it uses, as VPP's own files have them.
    pub(crate) fn pin_with_types(&self, module: &Module) -> Source {
        let blocks = module.messages.iter().map(|&id| self.message(id).fields.as_slice());
        let used = blocks.flatten().filter_map(|field| field.ty.named());
        let types = self.with_nested(module.types.iter().copied().chain(used));
        self.source(module, &Vec::from_iter(types))
    }

    fn source(&self, module: &Module, types: &[TypeId]) -> Source {
        Source {
            name: module.name.clone(),
            group: module.group,
            origin: format!("{}.json", module.name),
            text: self.text(module, types),
        }
    }

    fn text(&self, module: &Module, definitions: &[TypeId]) -> String {
        let mut keys: Vec<(&str, Lines)> = vec![("module", Lines::One(json!(module.name)))];
        match module.group {
            Group::Core => keys.push(("group", Lines::One(json!("core")))),
            Group::Plugins => keys.push(("group", Lines::One(json!("plugins")))),
            Group::Other => {}
        }
        let (mut types, mut unions, mut enums, mut flags, mut aliases) =
            <(Vec<_>, Vec<_>, Vec<_>, Vec<_>, Map<_, _>)>::default();
        for &id in definitions {
            let definition = self.ty(id);
            let name = json!(definition.name);
            match &definition.kind {
                TypeKind::Struct(fields) => types.push(list(name, self.fields(fields), None)),
                TypeKind::Union(members) => unions.push(list(name, self.fields(members), None)),
                TypeKind::Enum(definition) => {
                    let members =
                        definition.members.iter().map(|(name, value)| json!([name, integer(*value)]));
                    let ty = json!({"enumtype": definition.repr.name()});
                    let list = list(name, members.collect(), Some(ty));
                    if definition.is_flags { &mut flags } else { &mut enums }.push(list);
                }
                TypeKind::Alias(target) => {
                    aliases.insert(definition.name.clone(), self.alias(*target));
                }
            }
        }
        let messages = module.messages.iter().map(|&id| self.message_line(self.message(id))).collect();
        let services = module.services.iter().map(|service| self.service_line(service)).collect();
        let options = module.options.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        let counters = module.counters.iter().map(|set| {
            let elements: Vec<Value> = set
                .elements
                .iter()
                .map(|c| json!({"name": c.name, "severity": c.severity, "type": c.ty, "units": c.units}))
                .collect();
            json!({"name": set.name, "elements": elements})
        });
        let paths = module.paths.iter().map(|path| json!([{"path": path.path, "counter": path.counter}]));
        keys.extend([
            ("types", Lines::List(types)),
            ("messages", Lines::List(messages)),
            ("unions", Lines::List(unions)),
            ("enums", Lines::List(enums)),
            ("enumflags", Lines::List(flags)),
            ("services", Lines::Object(services)),
            ("options", Lines::Object(options)),
            ("aliases", Lines::Object(aliases)),
            ("vl_api_version", Lines::One(json!(format!("{:#010x}", module.crc)))),
            // Written when it is empty too: a file without it leaves open what it imports.
            ("imports", Lines::One(json!(module.imports))),
            ("counters", Lines::List(counters.collect())),
            ("paths", Lines::List(paths.collect())),
        ]);
        document(&keys)
    }

    fn message_line(&self, message: &MessageDef) -> Value {
        let words: &[&str] = match message.header {
            Header::Bare => &[],
            Header::Context => &["context"],
            Header::Client => &["client_index"],
            Header::ClientContext => &["client_index", "context"],
        };
        let mut fields: Vec<Value> = words.iter().map(|word| json!(["u32", word])).collect();
        fields.extend(self.fields(&message.fields));
        let mut trailer = Map::new();
        trailer.insert("crc".to_owned(), json!(format!("{:#010x}", message.crc)));
        if !message.options.is_empty() {
            let options: Map<_, _> =
                message.options.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
            trailer.insert("options".to_owned(), Value::Object(options));
        }
        list(json!(message.name), fields, Some(Value::Object(trailer)))
    }

    fn fields(&self, fields: &[Field]) -> Vec<Value> {
        fields.iter().map(|field| self.field(field, fields)).collect()
    }

    fn field(&self, field: &Field, block: &[Field]) -> Value {
        let mut line = match field.ty {
            FieldType::One(of) => vec![json!(self.reference(of)), json!(field.name)],
            FieldType::Array(of, len) => vec![json!(self.reference(of)), json!(field.name), json!(len)],
            FieldType::List(of, count) => {
                vec![json!(self.reference(of)), json!(field.name), json!(0), json!(block[count].name)]
            }
            FieldType::FixedString(len) => vec![json!("string"), json!(field.name), json!(len)],
            FieldType::LongString => vec![json!("string"), json!(field.name), json!(0)],
        };
        let mut options = Map::new();
        if let Some(limit) = field.limit {
            options.insert("limit".to_owned(), json!(limit));
        }
        if let Some(default) = field.declared_default() {
            let default = match default {
                DefaultValue::Int(value) => integer(*value),
                DefaultValue::Float(value) => json!(value),
                DefaultValue::Bool(value) => json!(value),
                DefaultValue::Text(text) => json!(text),
            };
            options.insert("default".to_owned(), default);
        }
        if let Some(discriminator) = field.declared_discriminator() {
            options.insert("discriminator".to_owned(), json!(block[discriminator].name));
        }
        if let Some(case) = field.declared_case() {
            options.insert("case".to_owned(), json!(case));
        }
        if !options.is_empty() {
            line.push(Value::Object(options));
        }
        Value::Array(line)
    }

    fn alias(&self, target: FieldType) -> Value {
        match target {
            FieldType::One(of) | FieldType::List(of, _) => json!({"type": self.reference(of)}),
            FieldType::Array(of, len) => json!({"type": self.reference(of), "length": len}),
            FieldType::FixedString(len) => json!({"type": "string", "length": len}),
            FieldType::LongString => json!({"type": "string"}),
        }
    }

    fn reference(&self, ty: TypeRef) -> String {
        match ty {
            TypeRef::Scalar(scalar) => scalar.name().to_owned(),
            TypeRef::Named(id) => format!("vl_api_{}_t", self.ty(id).name),
        }
    }

    fn service_line(&self, service: &Service) -> (String, Value) {
        let name = |id| self.message(id).name.clone();
        let mut entry = Map::new();
        entry.insert("reply".to_owned(), json!(service.reply.map_or_else(|| "null".to_owned(), name)));
        if service.stream {
            entry.insert("stream".to_owned(), json!(true));
        }
        if let Some(element) = service.stream_msg {
            entry.insert("stream_msg".to_owned(), json!(name(element)));
        }
        if !service.events.is_empty() {
            entry.insert("events".to_owned(), service.events.iter().map(|&event| name(event)).collect());
        }
        (name(service.request), Value::Object(entry))
    }
}

/// `[name, part…, trailer]`.
fn list(name: Value, parts: Vec<Value>, trailer: Option<Value>) -> Value {
    Value::Array(std::iter::once(name).chain(parts).chain(trailer).collect())
}

fn integer(value: i128) -> Value {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => json!(value),
        (_, Ok(value)) => json!(value),
        // A default beyond 64 bits was read from a float.
        #[allow(clippy::cast_precision_loss)]
        _ => json!(value as f64),
    }
}

/// How a key's value is laid out.
enum Lines {
    One(Value),
    List(Vec<Value>),
    Object(Map<String, Value>),
}

fn document(keys: &[(&str, Lines)]) -> String {
    let mut keys_text = Vec::with_capacity(keys.len());
    for (key, lines) in keys {
        let (open, lines, close) = match lines {
            Lines::One(value) => {
                keys_text.push(format!("\"{key}\": {value}"));
                continue;
            }
            Lines::List(list) => ('[', list.iter().map(Value::to_string).collect::<Vec<_>>(), ']'),
            Lines::Object(map) => {
                ('{', map.iter().map(|(key, value)| format!("{}: {value}", json!(key))).collect(), '}')
            }
        };
        if !lines.is_empty() {
            keys_text.push(format!("\"{key}\": {open}\n{}\n{close}", lines.join(",\n")));
        }
    }
    format!("{{\n{}\n}}\n", keys_text.join(",\n"))
}

/// A file of a folder of pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinFile {
    /// Its name in the folder: `ip_types.json`, `SOURCE.toml`.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// Everything a folder of pins holds: a file per module, and `SOURCE.toml`.
///
/// `made_from` is one line that says where the definitions came from.
#[must_use]
pub fn files(api: &Api, release: &str, made_from: &str) -> Vec<PinFile> {
    let mut files: Vec<PinFile> = api
        .to_pins()
        .into_iter()
        .map(|pin| PinFile { name: format!("{}.json", pin.name), text: pin.text })
        .collect();
    let source = source_toml(api, release, made_from, &files);
    files.push(PinFile { name: SOURCE_FILE.to_owned(), text: source });
    files
}

fn source_toml(api: &Api, release: &str, made_from: &str, files: &[PinFile]) -> String {
    let mut files: Vec<&PinFile> = files.iter().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let mut sums = String::new();
    for file in files {
        // Writing to a String cannot fail.
        let _ = writeln!(sums, "{}  {}", hex(&file.text), file.name);
    }
    format!(
        "# Written by `cargo xtask gen`; do not edit.\n\
         release = {}\n\
         modules = {}\n\
         messages = {}\n\
         types = {}\n\
         # LC_ALL=C sha256sum *.json | sha256sum\n\
         sha256 = \"{}\"\n\
         made-from = {}\n",
        json!(release),
        api.modules.len(),
        api.messages.len(),
        api.types.len(),
        hex(&sums),
        json!(made_from),
    )
}

fn hex(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A folder of pins cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the pins to {path}: {source}", path = .path.display())]
pub struct WriteError {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Makes a folder hold these files and no other `*.json`. Files that are as they should be are left alone.
///
/// # Errors
///
/// When a file or the folder cannot be written.
pub fn write(dir: &Path, files: &[PinFile]) -> Result<(), WriteError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| WriteError { path, source }
    };
    fs::create_dir_all(dir).map_err(failed(dir))?;
    for file in files {
        let path = dir.join(&file.name);
        if fs::read(&path).is_ok_and(|text| text == file.text.as_bytes()) {
            continue;
        }
        // Whole or not at all.
        let new = dir.join(format!(".{}.new", file.name));
        fs::write(&new, &file.text).map_err(failed(&new))?;
        fs::rename(&new, &path).map_err(failed(&path))?;
    }
    let wanted: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    for entry in fs::read_dir(dir).map_err(failed(dir))? {
        let entry = entry.map_err(failed(dir))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".json") && !wanted.contains(&*name) {
            fs::remove_file(entry.path()).map_err(failed(&entry.path()))?;
        }
    }
    Ok(())
}

/// Reads a folder of pins.
///
/// # Errors
///
/// As [`Api::read_dir`].
pub fn read(dir: &Path) -> Result<Api, ReadError> {
    Api::read_files(dir, ".json", 0)
}

/// The name of a release as an identifier, which is that of its feature: `v26_06`.
#[must_use]
pub fn feature(release: &str) -> String {
    format!("v{}", release.replace('.', "_"))
}

/// The table of all pinned modules as Rust: what `api-json/src/embedded.rs` holds.
///
/// `releases` are names of folders beside `src`, the oldest first, each with its modules. The last is always compiled
/// in, another one with its [`feature`].
#[must_use]
pub fn embedded(releases: &[(&str, &Api)]) -> String {
    let mut text = String::from(
        "// Written by `cargo xtask gen`; do not edit.\n\
         //! The pinned files.\n\n\
         use crate::Release;\n\n",
    );
    let newest = releases.last().map(|(release, _)| *release);
    let condition = |release: &str| {
        if Some(release) == newest {
            String::new()
        } else {
            format!("#[cfg(feature = \"{}\")]", feature(release))
        }
    };
    let names: Vec<String> = releases.iter().map(|(release, _)| format!("{release:?}")).collect();
    let constant = |release: &str| feature(release).to_uppercase();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "/// Every pinned release, compiled in or not.");
    let _ = writeln!(text, "pub(crate) const PINNED: &[&str] = &[{}];\n", names.join(", "));
    let _ = writeln!(text, "/// Those that are compiled in.");
    let _ = writeln!(text, "pub(crate) const NAMES: &[&str] = &[");
    for (release, _) in releases {
        let _ = writeln!(text, "    {}", format!("{} {release:?},", condition(release)).trim_start());
    }
    text.push_str("];\n\npub(crate) static RELEASES: [Release; NAMES.len()] = [\n");
    for (release, _) in releases {
        let entry = format!("{} Release::new({release:?}, {}),", condition(release), constant(release));
        let _ = writeln!(text, "    {}", entry.trim_start());
    }
    text.push_str("];\n");
    for (release, api) in releases {
        let condition = condition(release);
        let line = if condition.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "\n{condition}{line}const {}: &[(&str, &str)] = &[", constant(release));
        for module in &api.modules {
            let name = &module.name;
            let _ = writeln!(text, "    ({name:?}, include_str!(\"../{release}/{name}.json\")),");
        }
        text.push_str("];\n");
    }
    text
}
