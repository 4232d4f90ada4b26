//! `graphql/custom_resolvers/*.json`.

use serde_json::{Map, Value};

use super::layout::AppDirectory;
use crate::report::Report;
use crate::schema::{CustomResolver, ResolverType};

const FOLDER: &str = "graphql/custom_resolvers";

/// The keys of a resolver's file; ids come with some exports.
const KEYS: [&str; 9] = [
    "id",
    "_id",
    "on_type",
    "field_name",
    "function_name",
    "input_type",
    "input_type_format",
    "payload_type",
    "payload_type_format",
];

/// Reads all resolvers; one that cannot be understood is left out and reported.
pub(super) fn read(directory: &AppDirectory, report: &mut Report) -> Vec<CustomResolver> {
    let files = directory.files(FOLDER, ".json");
    files.into_iter().filter_map(|name| resolver(directory, format!("{FOLDER}/{name}"), report)).collect()
}

fn resolver(directory: &AppDirectory, file: String, report: &mut Report) -> Option<CustomResolver> {
    let json = directory.object(&file, report)?;
    for key in json.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        report.warn(
            &file,
            &format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            "unknown key; ignored",
        );
    }
    let mut text = |key: &str| {
        let found = json.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        if found.is_none() {
            report.warn(&file, &format!("/{key}"), "a custom resolver needs this; it is left out");
        }
        found.map(str::to_owned)
    };
    let (on_type, field, function) = (text("on_type")?, text("field_name")?, text("function_name")?);
    let input = type_of("input", &json, &file, report).ok()?;
    let payload = type_of("payload", &json, &file, report).ok()?;
    Some(CustomResolver { on_type, field, function, input, payload, file })
}

/// A type that is reported and takes the resolver with it.
struct Unusable;

/// The type of one side; without a format there is none.
fn type_of(
    side: &str,
    json: &Map<String, Value>,
    file: &str,
    report: &mut Report,
) -> Result<Option<ResolverType>, Unusable> {
    let (key, format_key) = (format!("{side}_type"), format!("{side}_type_format"));
    let mut unusable = |key: &str, message: String| {
        report.warn(file, &format!("/{key}"), format!("{message}; the custom resolver is left out"));
        Unusable
    };
    let format = match json.get(&format_key) {
        None | Some(Value::Null) => "",
        Some(Value::String(format)) => format.trim(),
        Some(other) => return Err(unusable(&format_key, format!("`{other}` is no format"))),
    };
    let given = json.get(&key).filter(|given| !given.is_null());
    let name = given.and_then(Value::as_str).map(|name| name.trim().to_owned());
    Ok(Some(match (format, name, given) {
        ("", ..) => return Ok(None),
        ("scalar", Some(name), _) => ResolverType::Scalar(name),
        ("scalar-list", Some(name), _) => ResolverType::ScalarList(name),
        ("generated", Some(name), _) => ResolverType::Generated(name),
        ("generated-list", Some(name), _) => ResolverType::GeneratedList(name),
        ("custom", None, Some(schema @ Value::Object(_))) => ResolverType::Custom(schema.clone()),
        ("custom", ..) => return Err(unusable(&key, "a custom type must be a JSON schema".to_owned())),
        ("scalar" | "scalar-list" | "generated" | "generated-list", ..) => {
            return Err(unusable(&key, format!("the format `{format}` needs a type's name")));
        }
        _ => return Err(unusable(&format_key, format!("unknown format `{format}`"))),
    }))
}
