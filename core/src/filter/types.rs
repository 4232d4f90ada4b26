//! BSON types by their names and numbers, for `$type`.

use std::fmt;

use bson::spec::ElementType;

/// A set of BSON types. What it is made of is kept in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Types(Vec<u8>);

/// Number and name, as `$type` has them.
const KNOWN: [(i8, &str); 21] = [
    (1, "double"),
    (2, "string"),
    (3, "object"),
    (4, "array"),
    (5, "binData"),
    (6, "undefined"),
    (7, "objectId"),
    (8, "bool"),
    (9, "date"),
    (10, "null"),
    (11, "regex"),
    (12, "dbPointer"),
    (13, "javascript"),
    (14, "symbol"),
    (15, "javascriptWithScope"),
    (16, "int"),
    (17, "timestamp"),
    (18, "long"),
    (19, "decimal"),
    (-1, "minKey"),
    (127, "maxKey"),
];

impl Types {
    /// The type of this name; `number` is four of them.
    pub fn named(name: &str) -> Option<Self> {
        if name == "number" {
            return Some(Self(vec![1, 16, 18, 19]));
        }
        let (number, _) = KNOWN.iter().find(|(_, known)| *known == name)?;
        Some(Self(vec![number.cast_unsigned()]))
    }

    /// The type of this number.
    pub fn numbered(number: i64) -> Option<Self> {
        let (number, _) = KNOWN.iter().find(|(known, _)| i64::from(*known) == number)?;
        Some(Self(vec![number.cast_unsigned()]))
    }

    /// All of them together.
    #[must_use]
    pub fn union(sets: impl IntoIterator<Item = Self>) -> Self {
        let mut all: Vec<u8> = sets.into_iter().flat_map(|set| set.0).collect();
        all.sort_unstable();
        all.dedup();
        Self(all)
    }

    /// Whether this type is among them.
    pub fn has(&self, found: ElementType) -> bool {
        self.0.contains(&(found as u8))
    }

    /// The name of a type, as `$type` gives it.
    pub fn name_of(found: ElementType) -> &'static str {
        let known = KNOWN.iter().find(|(number, _)| number.cast_unsigned() == found as u8);
        known.map_or("unknown", |(_, name)| name)
    }
}

impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = KNOWN
            .iter()
            .filter(|(number, _)| self.0.contains(&number.cast_unsigned()))
            .map(|(_, name)| *name)
            .collect();
        f.write_str(&names.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_those_of_bson() {
        for (name, number, element) in [
            ("double", 1, ElementType::Double),
            ("int", 16, ElementType::Int32),
            ("long", 18, ElementType::Int64),
            ("minKey", -1, ElementType::MinKey),
            ("maxKey", 127, ElementType::MaxKey),
        ] {
            assert_eq!(Types::named(name), Types::numbered(number));
            assert!(Types::named(name).unwrap().has(element));
            assert_eq!(Types::name_of(element), name);
        }
        assert!(Types::named("number").unwrap().has(ElementType::Decimal128));
        assert_eq!((Types::named("text"), Types::numbered(99)), (None, None));
    }
}
