//! The data service: what clients and functions ask of collections in MongoDB's own words.
//!
//! [`query`] reads a query document into a [`Filter`](crate::filter::Filter), [`update`] changes documents.

pub(crate) mod decimal;
pub(crate) mod query;
pub(crate) mod update;
pub(crate) mod view;
