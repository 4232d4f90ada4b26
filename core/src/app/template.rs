//! Templates in configuration strings: `%(%%environment.values.x)`.

use serde_json::{Map, Value};

use crate::report::Report;

const OPEN: &str = "%(%%environment.values.";

/// Replaces the templates in every string; only strings can be put in.
pub(super) fn expand(json: &mut Value, values: &Map<String, Value>, file: &str, report: &mut Report) {
    match json {
        Value::String(text) if text.contains(OPEN) => *text = expanded(text, values, file, report),
        Value::Array(list) => list.iter_mut().for_each(|item| expand(item, values, file, report)),
        Value::Object(map) => map.values_mut().for_each(|item| expand(item, values, file, report)),
        _ => {}
    }
}

fn expanded(text: &str, values: &Map<String, Value>, file: &str, report: &mut Report) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        result.push_str(before);
        let Some((name, after)) = after.split_once(')') else {
            report.error(file, "", format!("`{text}` has a template without an end"));
            result.push_str(OPEN);
            rest = after;
            continue;
        };
        if let Some(value) = values.get(name).and_then(Value::as_str) {
            result.push_str(value);
        } else {
            report.error(file, "", format!("the environment has no string `{name}`, which `{text}` needs"));
            result.push_str(&format!("{OPEN}{name})"));
        }
        rest = after;
    }
    result + rest
}
