//! A document that is made when it is first asked for.

use std::sync::OnceLock;

use bson::Document;

/// A document that is made when it is first asked for: few rules name the request.
pub struct Lazily<'a> {
    make: &'a (dyn Fn() -> Document + Send + Sync),
    made: OnceLock<Document>,
}

impl<'a> Lazily<'a> {
    /// What `make` gives.
    pub fn new(make: &'a (dyn Fn() -> Document + Send + Sync)) -> Self {
        Self { make, made: OnceLock::new() }
    }

    pub(crate) fn get(&self) -> &Document {
        self.made.get_or_init(self.make)
    }
}
