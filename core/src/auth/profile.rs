//! What a client reads of its user.

use bson::Document;
use serde::Serialize;

use crate::id::DomainId;
use crate::store::{User, UserKind};

/// The answer of `GET /auth/profile`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Profile {
    /// The user's id.
    pub user_id: String,
    /// The app's identity inside tokens.
    pub domain_id: String,
    /// The ways in, oldest first.
    pub identities: Vec<ProfileIdentity>,
    /// What the providers know, merged; never null.
    pub data: Document,
    /// `normal` or `server`.
    #[serde(rename = "type")]
    pub kind: UserKind,
}

/// One way in, as a profile shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProfileIdentity {
    /// The identity's id.
    pub id: String,
    /// `anon-user`, `local-userpass`, …
    pub provider_type: String,
    /// The id of the provider instance.
    pub provider_id: String,
    /// What this provider knows.
    pub provider_data: Document,
}

impl Profile {
    pub(super) fn of(user: &User, domain: DomainId) -> Self {
        let identities = user.identities.iter().map(|identity| ProfileIdentity {
            id: identity.id.clone(),
            provider_type: identity.provider.clone(),
            provider_id: identity.provider_id.to_hex(),
            provider_data: identity.data.clone(),
        });
        Self {
            user_id: user.id.to_hex(),
            domain_id: domain.to_hex(),
            identities: identities.collect(),
            data: user.data(),
            kind: user.kind,
        }
    }
}
