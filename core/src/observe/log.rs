//! Where records of requests go.

use super::RequestRecord;

/// The host's code that is given a record of every request.
///
/// Any `Fn(&RequestRecord)` is one, and wants all there is to know:
///
/// ```
/// use backstitch::engine::Engine;
/// use backstitch::observe::RequestRecord;
///
/// let builder = Engine::builder().request_log(|record: &RequestRecord| {
///     println!("{}", serde_json::to_string(record).unwrap_or_default());
/// });
/// ```
pub trait RequestLog: Send + Sync {
    /// How much it wants to know of the request that begins now.
    ///
    /// **Behaviour**
    /// - it is asked once for each request, before anything is done for it.
    fn detail(&self) -> Detail;

    /// Is given the record of a request that was answered.
    ///
    /// **Behaviour**
    /// - it is not called where [`detail`](Self::detail) was [`Detail::Nothing`];
    /// - the client waits for it: what takes long belongs into a queue;
    /// - it is called inside the request's span;
    /// - a panic in it is logged, and the client gets its answer.
    fn record(&self, record: &RequestRecord);
}

/// How much a log wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// No record at all.
    Nothing,
    /// The record without [`RequestRecord::rule_metrics`].
    Request,
    /// The record with them: every document is put to the roles once more, to be counted.
    Rules,
}

/// Makes each record an event of the target `backstitch::request`: at the level info and, with the metrics of rules
/// as JSON, at debug where a subscriber wants that.
#[derive(Clone, Copy, Debug)]
pub struct EventLog;

impl RequestLog for EventLog {
    fn detail(&self) -> Detail {
        if tracing::enabled!(target: "backstitch::request", tracing::Level::DEBUG) {
            Detail::Rules
        } else if tracing::enabled!(target: "backstitch::request", tracing::Level::INFO) {
            Detail::Request
        } else {
            Detail::Nothing
        }
    }

    fn record(&self, record: &RequestRecord) {
        let rules = record.rule_metrics.as_ref().and_then(|metrics| serde_json::to_string(metrics).ok());
        let functions = (!record.functions.is_empty())
            .then(|| serde_json::to_string(&record.functions).unwrap_or_default());
        let auth = record.auth_event.as_ref();
        tracing::info!(
            target: "backstitch::request",
            co_id = %record.co_id,
            kind = record.kind.as_str(),
            app_id = record.app_id.as_ref().map(tracing::field::display),
            method = record.method,
            endpoint = record.endpoint,
            status = record.status,
            milliseconds = (record.completed - record.started).num_milliseconds(),
            user_id = record.user_id.map(tracing::field::display),
            session_id = record.session_id.map(tracing::field::display),
            peer = record.peer.map(tracing::field::display),
            auth = auth.map(|event| event.kind),
            provider = auth.and_then(|event| event.provider.as_deref()),
            operation = record.graphql_operation.as_deref(),
            error = record.error,
            error_code = record.error_code,
            platform = record.platform.as_deref(),
            platform_version = record.platform_version.as_deref(),
            sdk_name = record.sdk_name.as_deref(),
            sdk_version = record.sdk_version.as_deref(),
            functions,
            rule_metrics = rules,
        );
    }
}

impl<F: Fn(&RequestRecord) + Send + Sync> RequestLog for F {
    fn detail(&self) -> Detail {
        Detail::Rules
    }

    fn record(&self, record: &RequestRecord) {
        self(record);
    }
}
