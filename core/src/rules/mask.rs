//! What may be seen, applied to a document.

use bson::{Bson, Document, RawArray, RawBsonRef, RawDocument};

use super::visibility::Visibility;

impl Visibility<'_> {
    /// What may be seen of the field of this name, one level down.
    #[must_use]
    pub fn field(self, name: &str) -> Self {
        match self {
            Self::Fields(mask) => mask.field(name),
            Self::Whole | Self::Hidden => self,
        }
    }

    /// Whether an embedded document has fields, and none of them may be seen.
    pub fn hides_all_of(self, document: &RawDocument) -> bool {
        match self {
            Self::Whole => false,
            Self::Hidden => true,
            Self::Fields(_) => {
                let mut elements = document.iter_elements().map_while(Result::ok);
                !document.is_empty()
                    && elements.all(|element| matches!(self.field(element.key().as_str()), Self::Hidden))
            }
        }
    }

    /// The part of a document that may be seen. Bytes that cannot be read end it.
    ///
    /// Under rules for fields below it, what is no document and no array of them is left out: no rule speaks of
    /// it.
    pub fn readable_part(self, document: &RawDocument) -> Document {
        let mut part = Document::new();
        for element in document.iter_elements().map_while(Result::ok) {
            let key = element.key().as_str();
            let Ok(value) = element.value() else { break };
            let seen = self.field(key);
            part.extend(seen.readable_value(value).map(|value| (key.to_owned(), value)));
        }
        part
    }

    fn readable_value(self, value: RawBsonRef<'_>) -> Option<Bson> {
        match (self, value) {
            (Self::Hidden, _) => None,
            (Self::Whole, value) => Bson::try_from(value).ok(),
            (Self::Fields(_), RawBsonRef::Document(inner)) => {
                (!self.hides_all_of(inner)).then(|| Bson::Document(self.readable_part(inner)))
            }
            (Self::Fields(_), RawBsonRef::Array(array)) => Some(Bson::Array(self.readable_items(array))),
            (Self::Fields(_), _) => None,
        }
    }

    /// The elements keep their places: what may not be seen is null.
    fn readable_items(self, array: &RawArray) -> Vec<Bson> {
        let items = array.into_iter().map_while(Result::ok);
        items.map(|item| self.readable_value(item).unwrap_or(Bson::Null)).collect()
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use serde_json::json;

    use super::*;
    use crate::rules::tests::{access, raw};

    #[test]
    fn the_readable_part_is_what_each_rule_lets_through() {
        let stored = doc! {
            "open": 1, "closed": 2, "whole": { "x": 1 },
            "some": { "x": 1, "y": 2, "z": { "x": 3 } },
            "list": [{ "x": 1, "y": 2 }, { "y": 2 }, 5, null, [{ "x": 6 }]],
            "none": { "y": 1 }, "scalar": 7,
        };
        let below = json!({ "fields": { "x": { "read": true } } });
        let access = access(json!([{ "name": "r", "apply_when": {}, "fields": {
            "open": { "read": true }, "closed": { "read": false }, "whole": { "read": true },
            "some": below, "list": below, "none": below, "scalar": below,
        }}]));
        let stored = raw(&stored);
        let seen = access.visibility(&stored).readable_part(&stored);
        let expected = doc! {
            "open": 1, "whole": { "x": 1 }, "some": { "x": 1 },
            "list": [{ "x": 1 }, Bson::Null, Bson::Null, Bson::Null, [{ "x": 6 }]],
        };
        assert_eq!(seen, expected);
        assert_eq!(Visibility::Whole.readable_part(&stored), Document::try_from(&*stored).unwrap());
        assert_eq!(Visibility::Hidden.readable_part(&stored), doc! {});
    }
}
