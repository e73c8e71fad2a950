//! Which messages the Rust sources of a crate name.
//!
//! A scan, not a compiler. It follows `use` declarations within a file (groups, renames, globs) and paths written out,
//! inside macros as well, from `vpp_NN_NN::module::Type` on, and adds the answers of each request. It does not see:
//!
//! * names that reach a file otherwise: re-exported from another module or crate, or a dependency renamed in `Cargo.toml`;
//! * messages that only code behind generics, macros of the crate, or a dependency uses;
//! * whether code that names a message is ever compiled in or run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use vpp_schema::{Answer, Api, MessageId, ModuleId};

/// What a scan found.
pub(crate) struct Scan {
    /// The messages, with the release they are named of, in the order of releases and names.
    pub(crate) messages: Vec<(&'static Api, MessageId)>,
    /// What the reader should know of it.
    pub(crate) notes: Vec<String>,
}

/// Scans the Rust files of a folder, or one file. Folders named `target` and hidden ones are left out.
pub(crate) fn scan(path: &Path) -> anyhow::Result<Scan> {
    let mut files = Vec::new();
    collect(path, &mut files)?;
    if files.is_empty() {
        bail!("there are no Rust files in {}", path.display());
    }
    let mut found = Found::default();
    for file in &files {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        match TokenStream::from_str(&text) {
            Ok(tokens) => found.file(&flatten(tokens))?,
            Err(error) => found.notes.push(format!("{} is left out: it is no Rust: {error}", file.display())),
        }
    }
    Ok(found.finish())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        let metadata = path.metadata().with_context(|| format!("cannot read {}", path.display()))?;
        if metadata.is_file() {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut entries: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for entry in entries {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A link to a folder may lead in a circle.
        let is_link = entry.is_symlink();
        if entry.is_dir() && !is_link && name != "target" && !name.starts_with('.') {
            collect(&entry, files)?;
        } else if name.ends_with(".rs") && entry.is_file() {
            files.push(entry);
        }
    }
    Ok(())
}

/// A token, as far as paths are made of them.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    /// `::`
    Colons,
    Star,
    Comma,
    Open,
    Close,
    Other,
}

fn flatten(tokens: TokenStream) -> Vec<Token> {
    let mut flat = Vec::new();
    push(tokens, &mut flat);
    flat
}

fn push(tokens: TokenStream, flat: &mut Vec<Token>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(name) => flat.push(Token::Name(name.to_string())),
            TokenTree::Punct(punct) => match punct.as_char() {
                ':' if matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':')
                    && punct.spacing() == proc_macro2::Spacing::Joint =>
                {
                    tokens.next();
                    flat.push(Token::Colons);
                }
                '*' => flat.push(Token::Star),
                ',' => flat.push(Token::Comma),
                _ => flat.push(Token::Other),
            },
            TokenTree::Group(group) => {
                let is_brace = group.delimiter() == Delimiter::Brace;
                flat.push(if is_brace { Token::Open } else { Token::Other });
                push(group.stream(), flat);
                flat.push(if is_brace { Token::Close } else { Token::Other });
            }
            TokenTree::Literal(_) => flat.push(Token::Other),
        }
    }
}

/// What the `use` declarations of a file bring: names for paths, and paths all of whose names are there.
#[derive(Default)]
struct Imports {
    names: HashMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    /// Paths to be counted as named.
    paths: Vec<Vec<String>>,
}

impl Imports {
    fn read(tokens: &[Token]) -> Self {
        let mut imports = Self::default();
        for (at, token) in tokens.iter().enumerate() {
            if *token == Token::Name("use".to_owned()) {
                imports.tree(&tokens[at + 1..], Vec::new());
            }
        }
        imports
    }

    /// Reads a tree of imports below a path, and tells how many tokens it took.
    fn tree(&mut self, tokens: &[Token], mut path: Vec<String>) -> usize {
        let mut at = 0;
        loop {
            match tokens.get(at) {
                Some(Token::Colons) => at += 1,
                Some(Token::Name(name)) if name == "as" => {
                    if let Some(Token::Name(alias)) = tokens.get(at + 1) {
                        self.name(alias.clone(), path);
                    }
                    return at + 2;
                }
                Some(Token::Name(name)) => {
                    path.push(name.clone());
                    at += 1;
                }
                Some(Token::Star) => {
                    self.globs.push(path);
                    return at + 1;
                }
                Some(Token::Open) => {
                    at += 1;
                    while let Some(token) = tokens.get(at) {
                        match token {
                            Token::Close => return at + 1,
                            Token::Comma => at += 1,
                            _ => at += self.tree(&tokens[at..], path.clone()).max(1),
                        }
                    }
                    return at;
                }
                _ => {
                    if path.last().is_some_and(|last| last == "self") {
                        path.pop();
                    }
                    if let Some(last) = path.last().cloned() {
                        self.name(last, path);
                    }
                    return at;
                }
            }
        }
    }

    fn name(&mut self, name: String, mut path: Vec<String>) {
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        self.paths.push(path.clone());
        self.names.insert(name, path);
    }

    /// A path with the names of imports replaced by what they stand for.
    fn resolve(&self, mut path: Vec<String>) -> Vec<String> {
        // An import may go through another one; a circle of them means nothing.
        for _ in 0..8 {
            match path.first().and_then(|first| self.names.get(first)) {
                Some(target) if target.first() != path.first() => {
                    path = target.iter().cloned().chain(path.into_iter().skip(1)).collect();
                }
                Some(target) if target.len() > 1 && path.len() == 1 => return target.clone(),
                _ => break,
            }
        }
        path
    }
}

/// Release, module, Rust name of a type.
type Name = (String, String, String);

#[derive(Default)]
struct Found {
    /// By Rust name, for each module of a release that was named.
    modules: HashMap<(String, ModuleId), HashMap<String, MessageId>>,
    messages: BTreeSet<(String, String)>,
    unknown_releases: BTreeSet<String>,
    unknown_modules: BTreeSet<String>,
    notes: Vec<String>,
}

impl Found {
    fn file(&mut self, tokens: &[Token]) -> anyhow::Result<()> {
        let imports = Imports::read(tokens);
        for path in &imports.paths {
            self.path(&imports.resolve(path.clone()))?;
        }
        let globs: Vec<Vec<String>> =
            imports.globs.iter().map(|glob| imports.resolve(glob.clone())).collect();
        let mut at = 0;
        while at < tokens.len() {
            let mut path = Vec::new();
            while let Some(Token::Name(name)) = tokens.get(at) {
                path.push(name.clone());
                at += 1;
                match (tokens.get(at), tokens.get(at + 1)) {
                    (Some(Token::Colons), Some(Token::Name(_))) => at += 1,
                    _ => break,
                }
            }
            if path.is_empty() {
                at += 1;
                continue;
            }
            for glob in &globs {
                self.path(&[&glob[..], &path[..]].concat())?;
            }
            self.path(&imports.resolve(path))?;
        }
        Ok(())
    }

    /// Notes a path if it is that of a message.
    fn path(&mut self, path: &[String]) -> anyhow::Result<()> {
        let Some((release, module, name)) = named(path) else { return Ok(()) };
        if !vpp_api_json::releases().contains(&release.as_str()) {
            self.unknown_releases.insert(release);
            return Ok(());
        }
        let api = vpp_api_json::api(&release)?;
        let Some((id, definition)) = api.find_module(&module) else {
            self.unknown_modules.insert(format!("{module} of {release}"));
            return Ok(());
        };
        let names = self.modules.entry((release.clone(), id)).or_insert_with(|| {
            let messages = definition.messages.iter();
            messages.filter_map(|id| Some((binapi_gen::rust_name(&api.message(*id).name)?, *id))).collect()
        });
        // Other types of the module are no messages.
        if let Some(&id) = names.get(&name) {
            self.messages.insert((release, api.message(id).name.clone()));
        }
        Ok(())
    }

    fn finish(mut self) -> Scan {
        let mut messages = BTreeMap::new();
        for (release, name) in &self.messages {
            let Ok(api) = vpp_api_json::api(release) else { continue };
            let Some((id, _)) = api.find_message(name) else { continue };
            for id in std::iter::once(id).chain(answers(api, id)) {
                messages.insert((release.clone(), api.message(id).name.clone()), (api, id));
            }
        }
        for release in &self.unknown_releases {
            self.notes.push(format!(
                "messages of VPP {release} are left out: its definitions are not among those of this program"
            ));
        }
        for module in &self.unknown_modules {
            self.notes.push(format!("there is no module {module}; what is named of it is left out"));
        }
        Scan { messages: messages.into_values().collect(), notes: self.notes }
    }
}

/// What comes back for a request, and what asks for the end of a dump.
fn answers(api: &Api, request: MessageId) -> Vec<MessageId> {
    let ping = || ["control_ping", "control_ping_reply"].map(|name| Some(api.find_message(name)?.0));
    let mut answers: Vec<MessageId> = api.events(request).collect();
    match api.answer(request) {
        Some(Answer::Reply(reply)) => answers.push(reply),
        Some(Answer::Details(details)) => {
            answers.push(details);
            answers.extend(ping().into_iter().flatten());
        }
        Some(Answer::Stream { details, reply }) => answers.extend([details, reply]),
        Some(Answer::Nothing) | None => {}
    }
    answers
}

/// The release, module and type of a path `vpp_26_06::interface::SwInterfaceDump`, whatever follows.
fn named(path: &[String]) -> Option<Name> {
    let at = path.iter().position(|name| release(name).is_some())?;
    let [release_crate, module, name, ..] = &path[at..] else { return None };
    name.starts_with(|c: char| c.is_ascii_uppercase()).then(|| {
        (release(release_crate).unwrap_or_default(), module.trim_end_matches('_').to_owned(), name.clone())
    })
}

/// The release of a crate: `26.06` of `vpp_26_06`.
fn release(crate_name: &str) -> Option<String> {
    let (year, month) = crate_name.strip_prefix("vpp_")?.split_once('_')?;
    let is_number = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    (is_number(year) && is_number(month)).then(|| format!("{year}.{month}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        let mut found = Found::default();
        found.file(&flatten(TokenStream::from_str(source).unwrap())).unwrap();
        found.messages.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn imports_of_every_form_are_followed() {
        let source = r#"
            use vpp_26_06::interface::{self, CreateLoopback, SwInterfaceSetFlags as Flags, InterfaceIndex};
            use vpp_26_06::{ip::{IpTableAddDel, IpRouteAddDel}, vpe as system};
            use vpp_26_06 as vpp;
            use vpp_26_06::memif::*;
            fn f() {
                let a = interface::SwInterfaceDump::default();
                let b: system::ShowVersion = Default::default();
                call!(vpp::l2::BridgeDomainDump { bd_id: 1 });
                let c = ::vpp_26_06::acl::AclDump {};
                // vpp_26_06::acl::AclDel in a remark does not count, nor "vpp_26_06::acl::AclDel" in a text.
                let d = MemifDump {};
                let e = MemifType::IP;
            }
        "#;
        assert_eq!(
            names(source),
            [
                "acl_dump",
                "bridge_domain_dump",
                "create_loopback",
                "ip_route_add_del",
                "ip_table_add_del",
                "memif_dump",
                "show_version",
                "sw_interface_dump",
                "sw_interface_set_flags",
            ]
        );
    }

    #[test]
    fn what_only_looks_like_an_import_is_none() {
        assert!(names("use a::b; use b::a; use self::c; fn f() { a::Show; c::d; reuse }").is_empty());
        assert!(names("use vpp_conn::interface::CreateLoopback; use vpp_26_06;").is_empty());
        assert!(names("use").is_empty());
    }

    #[test]
    fn answers_come_with_their_requests() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.rs"), "type A = vpp_26_06::interface::SwInterfaceDump;").unwrap();
        fs::write(folder.path().join("b.rs"), "fn f( {").unwrap();
        fs::create_dir(folder.path().join("target")).unwrap();
        fs::write(folder.path().join("target/c.rs"), "type A = vpp_26_06::vpe::ShowVersion;").unwrap();
        fs::write(folder.path().join("d.rs"), "type A = vpp_01_01::vpe::ShowVersion;").unwrap();
        let scan = scan(folder.path()).unwrap();
        let names: Vec<_> = scan.messages.iter().map(|(api, id)| api.message(*id).name.as_str()).collect();
        assert_eq!(
            names,
            ["control_ping", "control_ping_reply", "sw_interface_details", "sw_interface_dump"]
        );
        assert_eq!(scan.notes.len(), 2, "{:?}", scan.notes);
    }
}
