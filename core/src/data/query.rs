//! A query document of MongoDB's as a filter.

use bson::Document;

use crate::error::Result;
use crate::filter::Filter;

/// The filter that a query document stands for.
///
/// # Errors
/// [`ErrorKind::MongoDbError`](crate::error::ErrorKind::MongoDbError), naming the operator that is not known or the
/// operand that does not fit.
pub(crate) fn filter(query: &Document) -> Result<Filter> {
    let parts = query.iter().map(|(path, value)| Filter::eq(path.as_str(), value.clone())).collect();
    Ok(Filter::And(parts).simplify())
}
