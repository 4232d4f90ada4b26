//! What rules may ask about beside the document: the user, the values, the environment and the request.

use std::collections::BTreeMap;

use bson::{Bson, Document};

/// A function that rules may call.
pub type Function = fn(&[Bson]) -> Bson;

/// Who asks, and where.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// `%%user`: `id`, `type`, `data`, `custom_data`, `identities`.
    pub user: Document,
    /// `%%values`.
    pub values: Document,
    /// `%%environment`: `tag` and `values`.
    pub environment: Document,
    /// `%%request`.
    pub request: Document,
    /// What `%function` finds by name.
    pub functions: BTreeMap<String, Function>,
}

impl World {
    /// The object that an expansion's first word names, when no document is needed for it.
    pub(super) fn object(&self, name: &str) -> Option<&Document> {
        match name {
            "user" => Some(&self.user),
            "values" => Some(&self.values),
            "environment" => Some(&self.environment),
            "request" => Some(&self.request),
            _ => None,
        }
    }
}

/// `%%user.id%%` and `%%user.id` as the first word and the rest: `("user", "id")`.
pub(super) fn expansion(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("%%")?;
    let text = text.strip_suffix("%%").unwrap_or(text);
    Some(text.split_once('.').unwrap_or((text, "")))
}
