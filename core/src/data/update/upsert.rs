//! What a query demands of a document so clearly that an upsert makes it so.

use bson::{Bson, Document};

/// The fields that the query wants to equal a value.
///
/// # Errors
/// A field that is demanded twice.
pub(super) fn demanded(query: &Document) -> Result<Document, String> {
    let mut fields = Vec::new();
    note(query, &mut fields);
    let mut document = Document::new();
    for (index, (path, value)) in fields.iter().enumerate() {
        let inside = |other: &str| {
            let under = |inner: &str, outer: &str| {
                inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            under(path, other) || under(other, path)
        };
        if fields.iter().take(index).any(|(other, _)| inside(other)) {
            return Err(format!("cannot infer query fields to set, path '{path}' is matched twice"));
        }
        let keys: Vec<String> = crate::data::segments(path)?.into_iter().map(str::to_owned).collect();
        super::edit::set(&mut document, &keys, value.clone())?;
    }
    Ok(document)
}

fn note(query: &Document, fields: &mut Vec<(String, Bson)>) {
    for (key, value) in query {
        match (key.as_str(), value) {
            ("$and", Bson::Array(parts)) => {
                parts.iter().filter_map(Bson::as_document).for_each(|part| note(part, fields));
            }
            ("$or", Bson::Array(parts)) if parts.len() == 1 => {
                parts.iter().filter_map(Bson::as_document).for_each(|part| note(part, fields));
            }
            (operator, _) if operator.starts_with('$') => {}
            (_, Bson::RegularExpression(_)) => {}
            (path, Bson::Document(asked)) if asked.keys().next().is_some_and(|key| key.starts_with('$')) => {
                let single = match asked.get("$all") {
                    Some(Bson::Array(values)) if values.len() == 1 => values.first(),
                    _ => asked.get("$eq"),
                };
                fields.extend(single.map(|value| (path.to_owned(), value.clone())));
            }
            (path, value) => fields.push((path.to_owned(), value.clone())),
        }
    }
}
