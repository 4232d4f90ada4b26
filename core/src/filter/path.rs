//! A dotted path into a document.

use std::fmt;
use std::sync::Arc;

/// A dotted path: `address.city`. A segment of digits is also an array index.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath {
    text: Arc<str>,
    /// Bytes of the first segment.
    head: usize,
}

impl FieldPath {
    /// Takes the path as written.
    pub fn new(path: impl Into<Arc<str>>) -> Self {
        let text = path.into();
        let head = text.find('.').unwrap_or(text.len());
        Self { text, head }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first segment: the top-level field.
    pub fn head(&self) -> &str {
        self.split_head().0
    }

    /// The first segment and what follows its dot.
    pub(crate) fn split_head(&self) -> (&str, Option<&str>) {
        match self.text.split_at_checked(self.head) {
            Some((head, rest)) => (head, rest.get(1..)),
            None => (&self.text, None),
        }
    }

    /// The segments.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.text.split('.')
    }

    /// This path below `parent`.
    #[must_use]
    pub fn under(&self, parent: &Self) -> Self {
        Self::new(format!("{parent}.{self}"))
    }

    /// The path of `field` below this one.
    #[must_use]
    pub fn child(&self, field: &str) -> Self {
        Self::new(format!("{self}.{field}"))
    }
}

impl From<&str> for FieldPath {
    fn from(path: &str) -> Self {
        Self::new(path)
    }
}

impl From<String> for FieldPath {
    fn from(path: String) -> Self {
        Self::new(path)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.text)
    }
}
