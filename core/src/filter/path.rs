//! A dotted path into a document.

use std::fmt;
use std::sync::Arc;

/// A dotted path: `address.city`. A segment of digits is also an array index.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(Arc<str>);

impl FieldPath {
    /// Takes the path as written.
    pub fn new(path: impl Into<Arc<str>>) -> Self {
        Self(path.into())
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first segment: the top-level field.
    pub fn head(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }

    /// The segments.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }

    /// This path below `parent`.
    #[must_use]
    pub fn under(&self, parent: &Self) -> Self {
        Self(format!("{parent}.{self}").into())
    }

    /// The path of `field` below this one.
    #[must_use]
    pub fn child(&self, field: &str) -> Self {
        Self(format!("{self}.{field}").into())
    }
}

impl From<&str> for FieldPath {
    fn from(path: &str) -> Self {
        Self(path.into())
    }
}

impl From<String> for FieldPath {
    fn from(path: String) -> Self {
        Self(path.into())
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}
