//! What is particular to each service. Data only.

/// A service that is known by name, or the generic one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Preset {
    /// How identities are learnt.
    pub(super) protocol: Protocol,
    /// The issuer, where the configuration names none.
    pub(super) issuer: Option<&'static str>,
    /// Another spelling of that issuer in its ID tokens.
    pub(super) issuer_alias: Option<&'static str>,
    /// Names of metadata fields, and the claims that they are; a field that is not here is the claim of its name.
    pub(super) claims: &'static [(&'static str, &'static str)],
    /// Whether there is metadata at all.
    pub(super) metadata: bool,
    /// Whether an ID token is taken only in the mode `openId`.
    pub(super) open_id_is_a_mode: bool,
    /// Whether the service posts its answer to the callback.
    pub(super) form_post: bool,
    /// The redirect URI of codes that clients got without one.
    pub(super) code_redirect_uri: Option<&'static str>,
}

/// How identities are learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// OpenID Connect Core 1.0: from an ID token.
    OpenId,
    /// Facebook's Graph API: from an access token.
    Graph,
}

/// Facebook's dialog, and the base of its Graph API.
pub(super) const FACEBOOK_DIALOG: &str = "https://www.facebook.com/v21.0/dialog/oauth";
pub(super) const FACEBOOK_GRAPH: &str = "https://graph.facebook.com/v21.0";

const GOOGLE: Preset = Preset {
    protocol: Protocol::OpenId,
    issuer: Some("https://accounts.google.com"),
    // Google's documentation allows both in ID tokens.
    issuer_alias: Some("accounts.google.com"),
    claims: &[("first_name", "given_name"), ("last_name", "family_name")],
    metadata: true,
    open_id_is_a_mode: true,
    form_post: false,
    // What Google's own libraries send for codes from its JavaScript and mobile clients.
    code_redirect_uri: Some("postmessage"),
};

const APPLE: Preset = Preset {
    protocol: Protocol::OpenId,
    issuer: Some("https://appleid.apple.com"),
    issuer_alias: None,
    claims: &[],
    metadata: false,
    open_id_is_a_mode: false,
    // Apple demands it as soon as a scope is asked for.
    form_post: true,
    code_redirect_uri: None,
};

const FACEBOOK: Preset = Preset {
    protocol: Protocol::Graph,
    issuer: None,
    issuer_alias: None,
    claims: &[],
    metadata: true,
    open_id_is_a_mode: false,
    form_post: false,
    code_redirect_uri: None,
};

const GENERIC: Preset = Preset {
    protocol: Protocol::OpenId,
    issuer: None,
    issuer_alias: None,
    claims: &[("first_name", "given_name"), ("last_name", "family_name")],
    metadata: true,
    open_id_is_a_mode: false,
    form_post: false,
    code_redirect_uri: None,
};

/// The preset of a provider by its type.
pub(super) fn preset(type_name: &str) -> &'static Preset {
    match type_name {
        "oauth2-google" => &GOOGLE,
        "oauth2-apple" => &APPLE,
        "oauth2-facebook" => &FACEBOOK,
        _ => &GENERIC,
    }
}
