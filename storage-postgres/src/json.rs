//! Documents as `jsonb`, for people and their tools: extended JSON in its relaxed form.
//!
//! It is not what is read back. Two things get lost in it: the order of fields, and the character NUL, which `jsonb` cannot
//! hold and which becomes U+FFFD.

use backstitch::bson::{Bson, Document, RawDocument};
use backstitch::store::{Identity, Result, StoreError, StoreErrorKind};
use serde_json::{Value, json};

/// The document as JSON text.
pub(crate) fn text_of(raw: &RawDocument) -> Result<String> {
    let document = Document::try_from(raw).map_err(|cause| {
        StoreError::new(StoreErrorKind::Unsupported, "the document cannot be read").with_cause(cause)
    })?;
    // Of a field that is named twice BSON has the first, and JSON the last: what is searched by JSON is not to be told so.
    let is_whole = document.to_vec().is_ok_and(|bytes| bytes.len() == raw.as_bytes().len());
    let json = Bson::Document(document).into_relaxed_extjson();
    Ok(written(&if is_whole { json } else { Value::Array(vec![json]) }))
}

/// A user's identities as JSON text.
pub(crate) fn profile_of(identities: &[Identity]) -> String {
    let one = |identity: &Identity| {
        json!({
            "provider": identity.provider,
            "id": identity.id,
            "data": Bson::Document(identity.data.clone()).into_relaxed_extjson(),
        })
    };
    written(&Value::Array(identities.iter().map(one).collect()))
}

fn written(value: &Value) -> String {
    let text = value.to_string();
    // Most documents have none; `\\u0000` in a text looks like one, and is looked for in vain.
    if !text.contains("\\u0000") {
        return text;
    }
    without_nul(value).to_string()
}

fn without_nul(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{FFFD}")),
        Value::Array(values) => Value::Array(values.iter().map(without_nul).collect()),
        Value::Object(fields) => {
            let field =
                |(name, value): (&String, &Value)| (name.replace('\0', "\u{FFFD}"), without_nul(value));
            Value::Object(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use backstitch::bson::raw::cstr;
    use backstitch::bson::{RawDocumentBuf, doc};

    use super::*;

    #[test]
    fn it_reads_as_people_expect_and_holds_no_nul() {
        let document = doc! {"_id": 1, "big": 2_i64, "half": 0.5, "nul": "a\0b", "not": "\\u0000", "n": {"x": [true, null]}};
        let text = text_of(&RawDocumentBuf::try_from(&document).unwrap()).unwrap();
        assert_eq!(
            text,
            "{\"_id\":1,\"big\":2,\"half\":0.5,\"nul\":\"a\u{FFFD}b\",\"not\":\"\\\\u0000\",\"n\":{\"x\":[true,null]}}"
        );
    }

    #[test]
    fn a_document_that_names_a_field_twice_is_wrapped() {
        let mut twice = RawDocumentBuf::new();
        twice.append(cstr!("a"), 1);
        twice.append(cstr!("a"), 2);
        assert_eq!(text_of(&twice).unwrap(), "[{\"a\":2}]");
    }
}
