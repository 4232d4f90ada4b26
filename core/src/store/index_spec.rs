//! An index's keys as text, for stores that keep them so.

use super::{IndexKey, IndexSpec};
use crate::filter::{Direction, FieldPath};

impl IndexSpec {
    /// The keys as JSON: `[["owner", 1], ["year", -1]]`.
    pub fn definition(&self) -> String {
        let keys = self.keys.iter().map(|key| {
            let direction = match key.direction {
                Direction::Ascending => 1,
                Direction::Descending => -1,
            };
            serde_json::json!([key.path.as_str(), direction])
        });
        serde_json::Value::Array(keys.collect()).to_string()
    }

    /// The keys that a [`definition`](Self::definition) tells; `None` when it is none.
    pub fn defined_keys(definition: &str) -> Option<Vec<IndexKey>> {
        let keys: Vec<(String, i8)> = serde_json::from_str(definition).ok()?;
        let key_of = |(path, direction): (String, i8)| {
            let direction = match direction {
                1 => Direction::Ascending,
                -1 => Direction::Descending,
                _ => return None,
            };
            Some(IndexKey { path: FieldPath::from(path), direction })
        };
        keys.into_iter().map(key_of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_tells_the_keys() {
        let key = |path: &str, direction| IndexKey { path: path.into(), direction };
        let keys = vec![key("owner.\"it's\"", Direction::Ascending), key("year", Direction::Descending)];
        let spec = IndexSpec { keys: keys.clone(), unique: false };
        assert_eq!(IndexSpec::defined_keys(&spec.definition()), Some(keys));
        assert_eq!(IndexSpec::defined_keys("[[\"a\", 2]]"), None);
        assert_eq!(IndexSpec::defined_keys("{}"), None);
    }
}
