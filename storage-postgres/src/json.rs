//! Documents as `jsonb`, for people and their tools: extended JSON in its relaxed form.
//!
//! It is not what is read back. Two things get lost in it: the order of fields, and the character NUL, which `jsonb` cannot
//! hold and which becomes U+FFFD.

use backstitch::bson::{Bson, Document, RawDocument};
use backstitch::store::{Identity, Result, StoreError, StoreErrorKind};
use serde_json::{Value, json};

/// The document as JSON text.
pub(crate) fn text_of(document: &RawDocument) -> Result<String> {
    let document = Document::try_from(document).map_err(|cause| {
        StoreError::new(StoreErrorKind::Unsupported, "the document cannot be read").with_cause(cause)
    })?;
    Ok(written(&Bson::Document(document).into_relaxed_extjson()))
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
    // An escape of NUL has an even number of backslashes before its own; only where there is one is it looked for.
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
}
