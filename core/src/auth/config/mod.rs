//! What an app's log-in is configured with; the importer and the Rust builder both fill it.

mod custom_token;
mod email_password;
mod functions;
mod mails;
mod oauth;
mod passwords;

use std::collections::HashMap;
use std::time::Duration;

use bson::oid::ObjectId;

pub use custom_token::{Audience, CustomTokenConfig, TokenAlgorithm, TokenKeySource};
pub use email_password::{Confirmation, EmailPasswordConfig, PasswordReset};
pub(crate) use functions::NamedFunction;
pub use mails::MailTemplate;
pub use oauth::OAuthConfig;
pub use passwords::PasswordPolicy;

use crate::env::MailKind;
use crate::id::CollectionId;

/// The log-in of one app.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthConfig {
    /// The providers, at most one of each kind.
    pub providers: Vec<ProviderConfig>,
    /// Custom user data; `None` when they are off.
    pub custom_user_data: Option<CustomUserDataConfig>,
    /// The function that a user is shown to before it is stored; what it throws refuses the user.
    pub user_creation_function: Option<String>,
    /// How long a refresh token lives; anonymous users' live [`AuthConfig::LONGEST_REFRESH`].
    pub refresh_lifetime: Duration,
    /// What new passwords have to be like.
    pub passwords: PasswordPolicy,
    /// Whether an address has an account is told to its owner alone, not by the answers of registering, a resend
    /// and a reset. `hideAccounts` of `backstitch.json`; off in the original.
    pub hide_accounts: bool,
    /// E-mail addresses are the same whatever the case of their letters. `foldEmails` of `backstitch.json`; off in
    /// the original.
    pub fold_emails: bool,
    /// What mails say; those that are not named are built in.
    pub mails: HashMap<MailKind, MailTemplate>,
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
        Self {
            providers: Vec::new(),
            custom_user_data: None,
            user_creation_function: None,
            refresh_lifetime: Self::DEFAULT_REFRESH,
            passwords: PasswordPolicy::default(),
            hide_accounts: false,
            fold_emails: false,
            mails: HashMap::new(),
        }
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
    /// `api-key`.
    ApiKey,
    /// `custom-token`.
    CustomToken(CustomTokenConfig),
    /// `custom-function`.
    CustomFunction(CustomFunctionConfig),
    /// `oauth2-google`, `oauth2-facebook`, `oauth2-apple` and `oidc`.
    OAuth(Box<OAuthConfig>),
}

impl ProviderKind {
    /// The name in URLs, profiles and tokens.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Anonymous => "anon-user",
            Self::EmailPassword(_) => "local-userpass",
            Self::ApiKey => "api-key",
            Self::CustomToken(_) => "custom-token",
            Self::CustomFunction(_) => "custom-function",
            Self::OAuth(config) => &config.type_name,
        }
    }
}

/// The settings of `custom-function`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomFunctionConfig {
    /// The function that proves an identity: it is given the payload and gives back an id.
    pub function: String,
}

/// A field that a provider copies from what it was told into the user's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataField {
    /// Where it stands: the segments of a path through objects.
    pub path: Vec<String>,
    /// What it is called in `user.data`.
    pub field_name: String,
    /// Whether log-in is refused without it.
    pub required: bool,
}

impl MetadataField {
    /// The original wants names of fewer than 64 characters.
    pub(crate) fn has_allowed_name(&self) -> bool {
        (1..64).contains(&self.field_name.chars().count())
    }
}

/// Where custom user data are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomUserDataConfig {
    /// The collection.
    pub collection: CollectionId,
    /// The field that holds the user's id, as a string or an ObjectId; it may be `_id`.
    pub user_id_field: String,
}
