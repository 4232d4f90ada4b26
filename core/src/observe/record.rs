//! One request, in the shape of the original's logs (app-services §8).

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use super::RuleMetrics;
use crate::id::{AppId, DomainId, RecordId, SessionId, UserId};

/// What is recorded of a request, after it was answered.
///
/// It serialises to the original's names; what is not known or not apt is left out. Of the original's fields there
/// is no `group_id` (projects of Atlas), and no `graphql_query`: literals in it may be secrets. Not the original's
/// are `session_id`, `graphql_operation` and `functions`.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct RequestRecord {
    /// The record's id.
    #[serde(rename = "_id", serialize_with = "as_text")]
    pub id: RecordId,
    /// What joins all that was logged of one request: here the record's own id, which the `request` span carries too.
    #[serde(serialize_with = "as_text")]
    pub co_id: RecordId,
    /// What was asked for.
    #[serde(rename = "type")]
    pub kind: RequestKind,
    /// The app's identity inside tokens.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text_if_any")]
    pub domain_id: Option<DomainId>,
    /// The client app id of an app that there is.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text_if_any")]
    pub app_id: Option<AppId>,
    /// The pattern of the endpoint, such as `/app/{app}/graphql`, below `/api/client/v2.0`: never what stood in its
    /// place. `None` for what a host asked in process.
    #[serde(rename = "request_url", skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<&'static str>,
    /// The method; `OTHER` for one that is none of HTTP's own.
    #[serde(rename = "request_method", skip_serializing_if = "Option::is_none")]
    pub method: Option<&'static str>,
    /// When it came.
    pub started: DateTime<Utc>,
    /// When it was answered.
    pub completed: DateTime<Utc>,
    /// Who asked, or who has logged in by it, as far as that was found out.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text_if_any")]
    pub user_id: Option<UserId>,
    /// The session that asked.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text_if_any")]
    pub session_id: Option<SessionId>,
    /// Where it came from, as far as that is known.
    #[serde(rename = "remote_ip_address", skip_serializing_if = "Option::is_none")]
    pub peer: Option<IpAddr>,
    /// The HTTP status of the answer; `None` for what a host asked in process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The error's text where it is one of the engine's own sentences. A text that was composed may hold what a client
    /// has sent, and is left out: the code tells enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// The error's code; of a GraphQL answer that of its first error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<&'static str>,
    /// What the client's SDK runs on, as it says at log-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The version of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<String>,
    /// The client's SDK, as it says at log-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdk_name: Option<String>,
    /// The version of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdk_version: Option<String>,
    /// What was done about an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_event: Option<AuthEvent>,
    /// The name of the operation, at most 64 bytes of it; of a batch that of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graphql_operation: Option<String>,
    /// The functions that custom resolvers have called, and how often (one call of a batch function counts once).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub functions: BTreeMap<String, u64>,
    /// What rules did; `None` where the log did not want to know or no rule was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_metrics: Option<RuleMetrics>,
}

/// What a request was for.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RequestKind {
    /// Accounts and sessions.
    Auth,
    /// API keys.
    ApiKey,
    /// GraphQL.
    Graphql,
    /// Calls of functions and data services.
    Function,
    /// All else.
    Api,
}

impl RequestKind {
    /// The original's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "AUTH",
            Self::ApiKey => "API_KEY",
            Self::Graphql => "GRAPHQL",
            Self::Function => "FUNCTION",
            Self::Api => "API",
        }
    }
}

/// What was done about an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthEvent {
    /// What: `LOGIN`, `REGISTER`, `REFRESH`, `LOGOUT` and the like.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The provider, if the path names one that the app has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

fn as_text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn as_text_if_any<S: Serializer>(value: &Option<impl Display>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
