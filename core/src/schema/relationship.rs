//! A relationship: a field that holds keys of another collection.

use crate::filter::FieldPath;
use crate::id::CollectionId;

/// One entry of `relationships.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relationship {
    /// The field that holds the key (or the keys).
    pub source: FieldPath,
    /// The collection that it points to.
    pub target: CollectionId,
    /// The field of the target that the keys are values of.
    pub foreign: FieldPath,
    /// Whether the source holds a list of keys.
    pub is_list: bool,
}
