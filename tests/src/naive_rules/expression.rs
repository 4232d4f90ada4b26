//! Expressions: a boolean or an object, evaluated in one scene.

use std::cmp::Ordering;

use bson::{Bson, Document};
use serde_json::{Map, Value};

use super::operand::{Operand, bare};
use super::world::World;

/// Everything that an expression can see.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The user and the rest of what is the same for every document.
    pub world: &'a World,
    /// `%%root`: the document, after the operation.
    pub root: Option<&'a Document>,
    /// `%%prevRoot`: the document before the operation.
    pub prev_root: Option<&'a Document>,
    /// `%%this`: the value of the field, after the operation.
    pub this: Option<&'a Bson>,
    /// `%%prev`: the value of the field before the operation.
    pub prev: Option<&'a Bson>,
    /// The meaning of a MongoDB query: an array given is not a list of alternatives.
    pub query: bool,
    /// Whether a document is being deleted.
    pub is_deletion: bool,
}

impl<'a> Scene<'a> {
    /// Without a document.
    pub fn of(world: &'a World) -> Self {
        Self { world, root: None, prev_root: None, this: None, prev: None, query: false, is_deletion: false }
    }

    /// Reading a document: what is stored is both what is there and what was there.
    pub fn reading(world: &'a World, document: &'a Document) -> Self {
        Self { root: Some(document), prev_root: Some(document), ..Self::of(world) }
    }

    /// Looking at one field.
    pub fn at(self, this: Option<&'a Bson>, prev: Option<&'a Bson>) -> Self {
        Self { this, prev, ..self }
    }

    /// Whether the expression holds; it has to be understood.
    pub fn holds(&self, expression: &Value) -> bool {
        match expression {
            Value::Bool(value) => *value,
            // `{}` holds; several keys have to hold together.
            Value::Object(members) => members.iter().all(|(key, value)| self.member(key, value)),
            // A constant as an expansion: `"%%true"`.
            Value::String(text) => {
                Operand::expand(text, self).equals(&Operand::Given(true.into()), self.query)
            }
            other => panic!("no expression: {other}"),
        }
    }

    fn member(&self, key: &str, value: &Value) -> bool {
        let each = || value.as_array().expect("a list of expressions").iter();
        match bare(key) {
            Some("and") => each().all(|part| self.holds(part)),
            Some("or") => each().any(|part| self.holds(part)),
            Some("nor") => !each().any(|part| self.holds(part)),
            Some("not") => match value {
                Value::Array(one) => !self.holds(&one[0]),
                one => !self.holds(one),
            },
            Some(other) => panic!("%{other} is not understood"),
            None => self.compare(&self.left(key), value),
        }
    }

    fn left(&self, key: &str) -> Operand {
        if key.starts_with("%%") {
            return Operand::expand(key, self);
        }
        // A document path is short for `%%root.<path>`.
        Operand::expand(&format!("%%root.{key}"), self)
    }

    fn compare(&self, left: &Operand, value: &Value) -> bool {
        match operators(value) {
            None => left.equals(&Operand::read(value, self), self.query),
            Some(operators) => operators.iter().all(|(name, argument)| self.operator(left, name, argument)),
        }
    }

    fn operator(&self, left: &Operand, name: &str, argument: &Value) -> bool {
        let right = || Operand::read(argument, self);
        match bare(name).expect("an operator") {
            "exists" => {
                let wanted = match right() {
                    Operand::Given(Bson::Boolean(wanted)) => wanted,
                    other => panic!("%exists takes a boolean, not {other:?}"),
                };
                left.exists() == wanted
            }
            "eq" => left.equals(&right(), self.query),
            "ne" => !left.equals(&right(), self.query),
            "gt" => left.ranges(&right(), Ordering::is_gt),
            "gte" => left.ranges(&right(), Ordering::is_ge),
            "lt" => left.ranges(&right(), Ordering::is_lt),
            "lte" => left.ranges(&right(), Ordering::is_le),
            "in" => left.is_in(&self.items(argument).0),
            "nin" => !left.is_in(&self.items(argument).0),
            "all" => {
                let (items, complete) = self.items(argument);
                complete
                    && !items.is_empty()
                    && items.iter().all(|item| left.is_in(std::slice::from_ref(item)))
            }
            "not" => !self.compare(left, argument),
            other => panic!("%{other} is not understood"),
        }
    }

    /// The items of a list, and whether none of them was absent.
    fn items(&self, argument: &Value) -> (Vec<Bson>, bool) {
        if let Value::Array(written) = argument {
            let items: Vec<Bson> =
                written.iter().filter_map(|item| Operand::read(item, self).member()).collect();
            let complete = items.len() == written.len();
            return (items, complete);
        }
        let items = match Operand::read(argument, self).one() {
            Some(Bson::Array(items)) => items,
            _ => Vec::new(),
        };
        (items, true)
    }
}

/// The operators of a value such as `{"%gt": 1}`; none when the value is an operand.
pub(super) fn operators(value: &Value) -> Option<&Map<String, Value>> {
    let members = value.as_object()?;
    let is_operand = |name: &str| {
        ["stringToOid", "oidToString", "stringToUuid", "uuidToString", "function", "oid"].contains(&name)
    };
    let first = members.keys().next().and_then(|name| bare(name))?;
    (!is_operand(first)).then_some(members)
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use serde_json::json;

    use super::*;
    use crate::naive_rules::Function;

    /// Whether the first argument is above the second.
    fn is_above(arguments: &[Bson]) -> Bson {
        matches!(arguments, [Bson::Int32(one), Bson::Int32(other)] if one > other).into()
    }

    /// What the comparison with the engine cannot reach: functions and the request are the engine's to bring.
    #[test]
    fn functions_and_the_request_are_known() {
        let functions: [(String, Function); 1] = [("isAbove".into(), is_above)];
        let world = World {
            user: doc! { "custom_data": { "level": 2 } },
            request: doc! { "httpMethod": "POST", "requestHeaders": { "X-Team": ["red", "blue"] } },
            functions: functions.into_iter().collect(),
            ..World::default()
        };
        let call = |first: &str, second: &str| json!({ "%function": { "name": "isAbove", "arguments": [first, second] } });
        let document = doc! { "level": 3 };
        let scene = Scene::reading(&world, &document);
        for (expression, expected) in [
            (json!({ "%%true": call("%%root.level", "%%user.custom_data.level") }), true),
            (json!({ "%%true": call("%%user.custom_data.level", "%%root.level") }), false),
            (json!({ "%%false": call("%%user.custom_data.level", "%%root.level") }), true),
            (json!({ "%%true": { "%ne": call("%%root.gone", "%%root.level") } }), true),
            (json!({ "%%request.httpMethod": "POST" }), true),
            (json!({ "%%request.requestHeaders.X-Team": "blue" }), true),
            (json!({ "%%request.requestHeaders.X-None": { "$exists": true } }), false),
            (json!({ "%%request.service": null }), true),
        ] {
            assert_eq!(scene.holds(&expression), expected, "{expression}");
        }
    }
}
