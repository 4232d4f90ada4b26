//! Objects.

use bson::{Bson, Document, doc};

use super::{Arguments, Operator, Outcome, Value, is_absent};

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$mergeObjects", arguments: Arguments::Listed(0, usize::MAX), apply: merge },
    Operator { name: "$objectToArray", arguments: Arguments::Listed(1, 1), apply: to_array },
    Operator { name: "$getField", arguments: Arguments::Named(2, &["field", "input"]), apply: field },
];

/// Later ones win; null and nothing add nothing.
pub(in crate::data) fn merged(values: impl IntoIterator<Item = Bson>) -> Result<Document, String> {
    let mut whole = Document::new();
    for value in values {
        match value {
            Bson::Document(document) => whole.extend(document),
            Bson::Null => {}
            other => return Err(format!("only objects can be merged, not {other}")),
        }
    }
    Ok(whole)
}

fn merge(given: &[Value]) -> Outcome {
    let values = match given {
        [Some(Bson::Array(values))] => values.clone(),
        given => given.iter().flatten().cloned().collect(),
    };
    merged(values).map(|whole| Some(Bson::Document(whole)))
}

fn to_array(given: &[Value]) -> Outcome {
    match given {
        [Some(Bson::Document(document))] => {
            let pair = |(key, value): (&String, &Bson)| Bson::Document(doc! { "k": key, "v": value.clone() });
            Ok(Some(Bson::Array(document.iter().map(pair).collect())))
        }
        [value] if is_absent(value) => Ok(Some(Bson::Null)),
        _ => Err("the argument must be an object".to_owned()),
    }
}

fn field(given: &[Value]) -> Outcome {
    match given {
        [Some(Bson::String(name)), Some(Bson::Document(document))] => Ok(document.get(name).cloned()),
        [Some(Bson::String(_)), input] => Ok(if is_absent(input) { Some(Bson::Null) } else { None }),
        _ => Err("'field' must be a string".to_owned()),
    }
}
