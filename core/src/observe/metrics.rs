//! Metrics through the `metrics` facade (feature `metrics`): [`METRICS`] lists them all.
//!
//! 1. A host installs a recorder of its choice before the engine is built; [`build`](crate::builder::EngineBuilder::build)
//!    describes all metrics to it.
//! 2. The values of labels come from fixed sets and from the configuration (ids of apps, names of providers), never
//!    from a request: nobody can make more of them. What there is no name for is `none`.

use chrono::TimeDelta;
use metrics::{Unit, counter, gauge, histogram};

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// How it is counted.
    pub kind: MetricKind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

/// How a metric is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It only rises.
    Counter,
    /// What is there now.
    Gauge,
    /// Seconds, spread over buckets.
    Seconds,
}

const REQUESTS: &str = "backstitch_requests_total";
const REQUEST_SECONDS: &str = "backstitch_request_seconds";
const GRAPHQL: &str = "backstitch_graphql_total";
const PLAN_CACHE: &str = "backstitch_graphql_plan_cache_total";
const STORE_REQUESTS: &str = "backstitch_store_requests_total";
const FUNCTION_CALLS: &str = "backstitch_function_calls_total";
const LOG_INS: &str = "backstitch_logins_total";
const RATE_LIMITED: &str = "backstitch_rate_limited_total";
const HASHES_WAITING: &str = "backstitch_hash_queue";
const HASHES_REFUSED: &str = "backstitch_hash_refused_total";

/// All metrics.
pub const METRICS: &[Metric] = &[
    Metric {
        name: REQUESTS,
        kind: MetricKind::Counter,
        labels: &["app", "method", "endpoint", "status"],
        help: "HTTP requests that were answered",
    },
    Metric {
        name: REQUEST_SECONDS,
        kind: MetricKind::Seconds,
        labels: &["app", "method", "endpoint"],
        help: "how long HTTP requests took, by the engine's clock",
    },
    Metric {
        name: GRAPHQL,
        kind: MetricKind::Counter,
        labels: &["app", "outcome"],
        help: "GraphQL requests, each of a batch for itself; outcome is `ok`, or the code of the first error",
    },
    Metric {
        name: PLAN_CACHE,
        kind: MetricKind::Counter,
        labels: &["result"],
        help: "GraphQL documents that were looked up among the prepared ones: `hit` or `miss`",
    },
    Metric {
        name: STORE_REQUESTS,
        kind: MetricKind::Counter,
        labels: &["kind"],
        help: "requests of GraphQL to the store: `snapshot`, `find`, `begin`, `write`, `commit`, `rollback`",
    },
    Metric {
        name: FUNCTION_CALLS,
        kind: MetricKind::Counter,
        labels: &["outcome"],
        help: "calls of functions: `ok`, or the code of the error",
    },
    Metric {
        name: LOG_INS,
        kind: MetricKind::Counter,
        labels: &["app", "provider", "outcome"],
        help: "log-ins with a configured provider; outcome is `ok`, or the code of the error",
    },
    Metric {
        name: RATE_LIMITED,
        kind: MetricKind::Counter,
        labels: &[],
        help: "log-ins and mails that were refused because there were too many",
    },
    Metric {
        name: HASHES_WAITING,
        kind: MetricKind::Gauge,
        labels: &[],
        help: "password hashes that wait for their turn",
    },
    Metric {
        name: HASHES_REFUSED,
        kind: MetricKind::Counter,
        labels: &[],
        help: "password hashes that were refused because too many waited",
    },
];

/// Tells the recorder what each metric means.
pub(crate) fn describe() {
    for metric in METRICS {
        let Metric { name, kind, labels: _, help } = *metric;
        match kind {
            MetricKind::Counter => metrics::describe_counter!(name, help),
            MetricKind::Gauge => metrics::describe_gauge!(name, help),
            MetricKind::Seconds => metrics::describe_histogram!(name, Unit::Seconds, help),
        }
    }
}

pub(super) fn request(
    app: &str,
    (method, endpoint): (&'static str, &'static str),
    status: u16,
    took: TimeDelta,
) {
    let (app, status) = (app.to_owned(), status.to_string());
    counter!(REQUESTS, "app" => app.clone(), "method" => method, "endpoint" => endpoint, "status" => status)
        .increment(1);
    let seconds = took.to_std().unwrap_or_default().as_secs_f64();
    histogram!(REQUEST_SECONDS, "app" => app, "method" => method, "endpoint" => endpoint).record(seconds);
}

pub(crate) fn graphql(app: &str, outcome: &'static str) {
    counter!(GRAPHQL, "app" => app.to_owned(), "outcome" => outcome).increment(1);
}

pub(crate) fn plan_cache(hit: bool) {
    counter!(PLAN_CACHE, "result" => if hit { "hit" } else { "miss" }).increment(1);
}

pub(super) fn store_request(kind: &'static str) {
    counter!(STORE_REQUESTS, "kind" => kind).increment(1);
}

pub(crate) fn function_call(outcome: &'static str) {
    counter!(FUNCTION_CALLS, "outcome" => outcome).increment(1);
}

pub(crate) fn log_in(app: &str, provider: &str, outcome: &'static str) {
    let (app, provider) = (app.to_owned(), provider.to_owned());
    counter!(LOG_INS, "app" => app, "provider" => provider, "outcome" => outcome).increment(1);
}

pub(crate) fn rate_limited() {
    counter!(RATE_LIMITED).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "a queue is short")]
pub(crate) fn hashes_waiting(count: usize) {
    gauge!(HASHES_WAITING).set(count as f64);
}

pub(crate) fn hash_refused() {
    counter!(HASHES_REFUSED).increment(1);
}
