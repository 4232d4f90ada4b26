//! The settings of the OAuth 2.0 and OpenID Connect providers.

use super::MetadataField;
use crate::secret::Secret;

/// The settings of `oauth2-google`, `oauth2-facebook`, `oauth2-apple` and of generic `oidc` providers.
#[derive(Clone, Debug, PartialEq)]
pub struct OAuthConfig {
    /// The name in URLs, profiles and tokens; it picks the preset.
    pub type_name: String,
    /// What the service knows us by.
    pub client_id: String,
    /// Our secret there; `None` when the secret is missing (or the client is public).
    pub client_secret: Option<Secret>,
    /// Where a log-in by redirect may end, compared as a whole.
    pub redirect_uris: Vec<String>,
    /// The domains of e-mail addresses that may come in; empty means all.
    pub domain_restrictions: Vec<String>,
    /// What is asked of the service and becomes the user's data.
    pub metadata: Vec<MetadataField>,
    /// Google: log in with an ID token (`openId`), without metadata.
    pub open_id: bool,
    /// The issuer, which OpenID Connect Discovery starts from; presets know their own.
    pub issuer: Option<String>,
}
