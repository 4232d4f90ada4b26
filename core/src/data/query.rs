//! A query document of MongoDB's as a filter.

use bson::Document;

use crate::error::{Error, ErrorKind, Result};
use crate::filter::Filter;

/// The filter that a query document stands for.
///
/// # Errors
/// [`ErrorKind::MongoDbError`], naming the operator that is not known or the
/// operand that does not fit.
pub(crate) fn filter(query: &Document) -> Result<Filter> {
    Filter::parse(query).map_err(|problem| Error::new(ErrorKind::MongoDbError, problem))
}
