//! The data service: what clients and functions ask of collections in MongoDB's own words.
//!
//! [`query`] reads a query document into a [`Filter`](crate::filter::Filter).

pub(crate) mod query;
