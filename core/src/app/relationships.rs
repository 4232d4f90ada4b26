//! `relationships.json`: `{field: {ref, source_key, foreign_key, is_list}}`.

use serde_json::{Map, Value};

use super::config::AppConfig;
use crate::id::CollectionId;
use crate::report::Report;
use crate::schema::Relationship;

/// Reads the relationships of a collection; bad ones are reported and left out.
pub(super) fn parse(
    app: &AppConfig,
    json: &Map<String, Value>,
    file: &str,
    report: &mut Report,
) -> Vec<Relationship> {
    let mut relationships = Vec::new();
    for (field, json) in json {
        match relationship(app, field, json) {
            Ok(relationship) => relationships.push(relationship),
            Err(message) => {
                let at = format!("/{}", field.replace('~', "~0").replace('/', "~1"));
                report.warn(file, &at, format!("{message}; left out"));
            }
        }
    }
    relationships
}

fn relationship(app: &AppConfig, field: &str, json: &Value) -> Result<Relationship, String> {
    let text = |key: &str| json.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let source = text("source_key").unwrap_or(field);
    if source.contains("[]") {
        return Err(format!("`{source}`: relationships inside list elements are not available"));
    }
    let reference = text("ref").ok_or("a relationship needs a `ref`")?;
    let target = target(app, reference).ok_or_else(|| {
        format!("`{reference}` is no reference: `#/relationship/<service>/<database>/<collection>`")
    })?;
    Ok(Relationship {
        source: source.into(),
        target,
        foreign: text("foreign_key").unwrap_or("_id").into(),
        is_list: json.get("is_list") == Some(&Value::Bool(true)),
    })
}

fn target(app: &AppConfig, reference: &str) -> Option<CollectionId> {
    let mut parts = reference.strip_prefix("#/relationship/")?.splitn(3, '/');
    let (service, database, name) = (parts.next()?, parts.next()?, parts.next()?);
    let complete = ![service, database, name].iter().any(|part| part.is_empty());
    complete.then(|| app.collection_id(service, database, name))
}
