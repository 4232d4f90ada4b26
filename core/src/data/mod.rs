//! The data service: what clients and functions ask of collections in MongoDB's own words.
//!
//! `request` reads a call, `perform` carries it out under the caller's rules; [`query`] reads a query document into a
//! [`Filter`](crate::filter::Filter), [`update`] changes documents, `pipeline` runs aggregations with the expressions of
//! `expression`, `shape` is what projections make of documents; `view` is the state of the store that a request and the
//! functions it calls share.

pub(crate) mod decimal;
mod expression;
mod number;
mod perform;
mod pipeline;
pub(crate) mod query;
mod request;
mod shape;
pub(crate) mod update;
pub(crate) mod view;

/// The most parts that a dotted path has: they are followed one inside the other.
const SEGMENTS: usize = 100;

/// The parts of a dotted path.
fn segments(path: &str) -> Result<Vec<&str>, String> {
    let parts: Vec<&str> = path.split('.').collect();
    if parts.len() > SEGMENTS {
        return Err(format!("a path of more than {SEGMENTS} parts"));
    }
    Ok(parts)
}

pub(crate) use perform::{Call, failed};
pub(crate) use request::Request;
