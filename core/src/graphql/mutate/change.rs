//! What an update changes, and that it does not contradict itself.

use bson::Bson;

/// A change of one field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// The keys from the document's root.
    pub(super) path: Vec<String>,
    pub(super) edit: Edit,
}

/// What happens to the field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Edit {
    Set(Bson),
    Unset,
    Increment(Bson),
}

impl Change {
    /// Refuses two changes of one field, or of a field and one inside it.
    pub(super) fn refuse_overlap(changes: &[Self]) -> Result<(), String> {
        let mut paths: Vec<&[String]> = changes.iter().map(|change| change.path.as_slice()).collect();
        paths.sort_unstable();
        // A path sorts right before those that it is the beginning of.
        for pair in paths.windows(2) {
            if let [first, second] = pair
                && second.starts_with(first)
            {
                return Err(format!("`{}` is changed twice", second.join(".")));
            }
        }
        Ok(())
    }
}
