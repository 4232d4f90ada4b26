//! Which indexes an app's collections have.
//!
//! 1. The keys of relationships, at both ends.
//! 2. The fields that rules compare with the user.
//! 3. The field of custom user data that holds the user's id.
//! 4. What the configuration lists. Only such an index can be unique.
//! 5. `_id` always has one, so it is left out here.

use serde_json::Value;

use super::config::AppConfig;
use crate::filter::{Direction, FieldPath};
use crate::id::CollectionId;
use crate::store::{CollectionSpec, IndexKey, IndexSpec};

/// Deeper expressions are refused by the rules anyway.
const MAX_DEPTH: usize = 32;

impl AppConfig {
    /// The collections that will be used, with their indexes.
    pub fn collection_specs(&self) -> Vec<CollectionSpec> {
        let mut specs = Specs(Vec::new());
        for collection in &self.collections {
            specs.of(&collection.id);
            let own = collection.rules.as_ref().filter(|rules| has_roles(&rules.json));
            let default = || {
                let mut defaults = self.default_rules.iter();
                defaults.find(|rules| rules.service == collection.id.service).map(|rules| &rules.rules)
            };
            if let Some(rules) = own.or_else(default) {
                compared_with_user(&rules.json).iter().for_each(|path| specs.single(&collection.id, path));
            }
            for relationship in &collection.relationships {
                specs.single(&collection.id, &relationship.source);
                specs.single(&relationship.target, &relationship.foreign);
            }
        }
        if let Some(data) = &self.auth.custom_user_data {
            specs.single(&data.collection, &data.user_id_field.as_str().into());
        }
        for configured in &self.indexes {
            specs.add(&configured.collection, configured.index.clone());
        }
        specs.0
    }
}

struct Specs(Vec<CollectionSpec>);

impl Specs {
    fn of(&mut self, id: &CollectionId) -> Option<&mut CollectionSpec> {
        if !self.0.iter().any(|spec| spec.id == *id) {
            self.0.push(CollectionSpec { id: id.clone(), indexes: Vec::new() });
        }
        self.0.iter_mut().find(|spec| spec.id == *id)
    }

    fn single(&mut self, id: &CollectionId, path: &FieldPath) {
        let key = IndexKey { path: path.clone(), direction: Direction::Ascending };
        self.add(id, IndexSpec { keys: vec![key], unique: false });
    }

    fn add(&mut self, id: &CollectionId, index: IndexSpec) {
        let Some(spec) = self.of(id) else { return };
        let on_id = matches!(&*index.keys, [key] if key.path.as_str() == "_id");
        if on_id || spec.indexes.contains(&index) {
            return;
        }
        // A unique index does what the plain one on the same keys does.
        if let Some(same) = spec.indexes.iter_mut().find(|other| other.keys == index.keys) {
            same.unique |= index.unique;
            return;
        }
        spec.indexes.push(index);
    }
}

fn has_roles(rules: &Value) -> bool {
    rules.get("roles").and_then(Value::as_array).is_some_and(|roles| !roles.is_empty())
}

/// The document's fields that the roles compare with something of the user.
fn compared_with_user(rules: &Value) -> Vec<FieldPath> {
    let mut paths = Vec::new();
    for role in rules.get("roles").and_then(Value::as_array).into_iter().flatten() {
        for key in ["apply_when", "read", "write", "insert", "delete"] {
            role.get(key).into_iter().for_each(|json| scan(json, 0, &mut paths));
        }
        for key in ["read", "write"] {
            let gate = role.get("document_filters").and_then(|gates| gates.get(key));
            gate.into_iter().for_each(|json| scan(json, 0, &mut paths));
        }
    }
    paths
}

fn scan(expression: &Value, depth: usize, paths: &mut Vec<FieldPath>) {
    if depth > MAX_DEPTH {
        return;
    }
    match expression {
        Value::Array(list) => list.iter().for_each(|item| scan(item, depth + 1, paths)),
        Value::Object(map) => {
            for (key, operand) in map {
                if let Some(path) = document_path(key) {
                    if mentions(operand, "%%user", depth) {
                        paths.push(path.into());
                    }
                } else if key.starts_with("%%user") {
                    paths.extend(operand.as_str().and_then(document_operand).map(FieldPath::from));
                } else {
                    scan(operand, depth + 1, paths);
                }
            }
        }
        _ => {}
    }
}

/// The path of a key that names a field of the document: `owner` or `%%root.owner`.
fn document_path(key: &str) -> Option<&str> {
    document_operand(key).or_else(|| (!key.starts_with(['%', '$'])).then_some(key))
}

fn document_operand(text: &str) -> Option<&str> {
    text.strip_prefix("%%root.").filter(|path| !path.is_empty())
}

fn mentions(operand: &Value, expansion: &str, depth: usize) -> bool {
    match operand {
        _ if depth > MAX_DEPTH => false,
        Value::String(text) => text.starts_with(expansion),
        Value::Array(list) => list.iter().any(|item| mentions(item, expansion, depth + 1)),
        Value::Object(map) => map.values().any(|item| mentions(item, expansion, depth + 1)),
        _ => false,
    }
}
