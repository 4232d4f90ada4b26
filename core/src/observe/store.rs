//! One request to the store, watched.

use std::future::Future;
use std::pin::pin;

use tracing::{Instrument, Span};

use super::metrics;
use crate::store::Result;

/// Carries out a request to the store inside its span, and counts it.
pub(crate) async fn asked<T>(
    kind: &'static str,
    span: Span,
    request: impl Future<Output = Result<T>>,
) -> Result<T> {
    metrics::store_request(kind);
    pin!(request).instrument(span).await
}
