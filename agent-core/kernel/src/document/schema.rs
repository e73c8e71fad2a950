//! The JSON schema of documents.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value as Json, json};

/// The schema of one section's type. Types stand where they are used, only recursive ones by reference.
pub(crate) fn section<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The JSON schema of a document: a table, from the schemas of its sections. A field that is not named is refused.
pub fn schema<'a>(
    title: &str,
    sections: impl Iterator<Item = (&'a str, &'a dyn Fn(&mut SchemaGenerator) -> Schema)>,
) -> Json {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut generator = settings.with_transform(RecursiveTransform(close)).into_generator();
    let mut properties = Map::new();
    for (name, section) in sections {
        let mut schema = section(&mut generator);
        // That of `()`.
        if schema.get("type").is_some_and(|kind| kind == "null") {
            schema = json!({ "type": "object", "properties": {} }).try_into().unwrap_or_default();
        }
        properties.insert(name.to_owned(), schema.to_value());
    }
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": properties,
    });
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        root["$defs"] = Json::Object(definitions);
    }
    close_all(&mut root);
    root
}

fn close_all(root: &mut Json) {
    if let Ok(schema) = <&mut Schema>::try_from(root) {
        schemars::transform::Transform::transform(&mut RecursiveTransform(close), schema);
    }
}

/// Says in the schema what the reader does: a field that is not named is refused.
fn close(schema: &mut Schema) {
    let is_whole = ["allOf", "anyOf", "oneOf", "$ref", "additionalProperties", "unevaluatedProperties"];
    if schema.get("properties").is_some() && is_whole.iter().all(|key| schema.get(*key).is_none()) {
        schema.insert("additionalProperties".to_owned(), Json::Bool(false));
    }
}

/// The property of a schema that a name means, whatever its case, dashes and underscores.
pub(crate) fn property<'a>(schema: &'a Json, name: &str) -> Option<(&'a str, &'a Json)> {
    let own = schema.get("properties").and_then(Json::as_object);
    if let Some((name, schema)) = own.and_then(|own| own.iter().find(|(key, _)| super::is_same(key, name))) {
        return Some((name, schema));
    }
    let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array());
    parts.flatten().find_map(|part| property(part, name))
}
