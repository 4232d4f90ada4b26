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
    /// Our secret there; `None` when the secret is missing, or the client is public.
    pub client_secret: Option<Secret>,
    /// Whether we are a public client (RFC 6749 §2.1) of a generic `oidc` service: no secret is meant to be there.
    pub public_client: bool,
    /// What the service knows other clients of the same owner by, such as a mobile app: ID tokens that those
    /// bring may be for them, or be asked for by them (`aud` and `azp`).
    pub other_client_ids: Vec<String>,
    /// Where a log-in by redirect may end, compared as a whole.
    pub redirect_uris: Vec<String>,
    /// The domains of e-mail addresses that may come in; empty means all.
    pub domain_restrictions: Vec<String>,
    /// What is asked of the service and becomes the user's data.
    pub metadata: Vec<MetadataField>,
    /// Google: log in with an ID token (`openId`), without metadata.
    pub open_id: bool,
    /// The issuer, which OpenID Connect Discovery starts from. The services that are known by name have their
    /// own; set for one of those, it is a stand-in for it (for Facebook the base URL of dialog and Graph API).
    pub issuer: Option<String>,
}
