//! What an app's log-in is configured with; the importer and the Rust builder both fill it.

use std::time::Duration;

use bson::oid::ObjectId;

use crate::id::CollectionId;

/// The log-in of one app.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthConfig {
    /// The providers, at most one of each kind.
    pub providers: Vec<ProviderConfig>,
    /// Custom user data; `None` when they are off.
    pub custom_user_data: Option<CustomUserDataConfig>,
    /// How long a refresh token lives; anonymous users' live [`AuthConfig::LONGEST_REFRESH`].
    pub refresh_lifetime: Duration,
}

impl AuthConfig {
    /// The original's default: 60 days.
    pub const DEFAULT_REFRESH: Duration = Duration::from_secs(60 * 86_400);
    /// The longest setting, five years; what anonymous users always get.
    pub const LONGEST_REFRESH: Duration = Duration::from_secs(5 * 365 * 86_400);
    /// The shortest setting: one access token's life.
    pub const SHORTEST_REFRESH: Duration = Duration::from_secs(30 * 60);
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self { providers: Vec::new(), custom_user_data: None, refresh_lifetime: Self::DEFAULT_REFRESH }
    }
}

/// One provider as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderConfig {
    /// Its kind, with what only that kind needs.
    pub kind: ProviderKind,
    /// The id of the instance, which identities carry as `provider_id`.
    pub id: ObjectId,
    /// Whether log-in through it is refused.
    pub disabled: bool,
}

/// The kinds of provider.
#[derive(Clone, Debug, PartialEq)]
pub enum ProviderKind {
    /// `anon-user`.
    Anonymous,
    /// `local-userpass`.
    EmailPassword(EmailPasswordConfig),
}

impl ProviderKind {
    /// The name in URLs, profiles and tokens.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Anonymous => "anon-user",
            Self::EmailPassword(_) => "local-userpass",
        }
    }
}

/// The settings of `local-userpass`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailPasswordConfig {
    /// How an address is confirmed.
    pub confirmation: Confirmation,
    /// How a forgotten password is reset.
    pub reset: PasswordReset,
}

impl EmailPasswordConfig {
    /// Addresses are confirmed by registering them, and a forgotten password cannot be reset.
    pub const fn automatic() -> Self {
        Self { confirmation: Confirmation::Automatic, reset: PasswordReset::Unavailable }
    }
}

/// How an e-mail address is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// At once, by registering.
    Automatic,
    /// By a link in a mail.
    Email {
        /// The page that the link leads to.
        url: String,
        /// The mail's subject; `None` for the default one.
        subject: Option<String>,
    },
    /// By a function of the app.
    Function {
        /// The function's name.
        name: String,
    },
}

/// How a forgotten password is reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordReset {
    /// Not at all: neither a page nor a function is configured.
    Unavailable,
    /// By a link in a mail.
    Email {
        /// The page that the link leads to.
        url: String,
        /// The mail's subject; `None` for the default one.
        subject: Option<String>,
    },
    /// By a function of the app.
    Function {
        /// The function's name.
        name: String,
    },
}

/// Where custom user data are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomUserDataConfig {
    /// The collection.
    pub collection: CollectionId,
    /// The field that holds the user's id, as a string or an ObjectId; it may be `_id`.
    pub user_id_field: String,
}
