//! What a way of logging in is.

use std::net::IpAddr;

use async_trait::async_trait;
use bson::oid::ObjectId;

use super::credential::Credential;
use crate::env::{Egress, Env};
use crate::error::Result;
use crate::functions::Functions;
use crate::id::{AppId, DeviceId, UserId};
use crate::limits::Limits;
use crate::secret::Secret;
use crate::session::SessionLifetime;
use crate::store::{Identity, Store, UserKind};

/// A way of logging in.
///
/// It proves who somebody is. It creates no users, mints no tokens and knows nothing of HTTP.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The name in URLs, identities and tokens: `anon-user`.
    fn type_name(&self) -> &str;

    /// The id of the configured instance.
    fn id(&self) -> ObjectId;

    /// Proves an identity.
    ///
    /// **Behaviour**
    /// - fails with the error that the client is to see, and tells unknown from wrong by nothing;
    /// - leaves users and sessions as they are.
    async fn authenticate(&self, cx: &ProviderContext<'_>, credential: &Credential) -> Result<Proven>;

    /// Whether a proof still stands once its session is open: evidence that is withdrawn without ending the
    /// user's other sessions (an API key), or before there is a user (a password), may have gone meanwhile.
    async fn still_stands(&self, _cx: &ProviderContext<'_>, _proven: &Proven) -> Result<bool> {
        Ok(true)
    }
}

/// What a provider may use.
#[derive(Clone, Copy)]
pub struct ProviderContext<'a> {
    /// The app.
    pub app: &'a AppId,
    /// Registrations, keys and tickets.
    pub store: &'a dyn Store,
    /// Outside effects.
    pub env: &'a Env,
    /// What the proof is for.
    pub purpose: Purpose,
    /// The functions that the app's configuration may name.
    pub functions: &'a Functions,
    /// The servers that may be asked.
    pub egress: &'a Egress,
    /// The base URL that clients reach us by.
    pub public_url: &'a str,
    /// Sizes and numbers.
    pub limits: &'a Limits,
    /// The peer's address, where the mount knows it.
    pub peer: Option<IpAddr>,
    /// The device that the client names.
    pub device: Option<DeviceId>,
}

/// What a proof is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To log in.
    LogIn,
    /// To add the identity to a user who is logged in. realm-web refreshes and repeats for ever on
    /// the text `unauthorized`, so refusals read otherwise here.
    Link,
}

/// What a provider has proved.
#[derive(Clone, Debug, PartialEq)]
pub struct Proven {
    /// Who it is.
    pub subject: Subject,
    /// The identity that the session is opened with; its data are what the provider knows now.
    pub identity: Identity,
    /// How long a session lives that rests on it.
    pub lifetime: SessionLifetime,
    /// What of ours the proof rests on.
    pub evidence: Evidence,
}

/// What of ours a proof rests on, and what therefore ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Nothing: others vouch for the identity, and a new one makes a user.
    Foreign,
    /// A user who was there. The epoch was read before the evidence, which may be replaced meanwhile (a password):
    /// whatever ended all sessions since then ends the new one too, and a user who is gone is not made again.
    User {
        /// The user's epoch.
        epoch: u32,
    },
    /// A registration that nobody had logged in with: its user is made only while it stands, and its session stays
    /// only if the password has not been replaced meanwhile, which no epoch would tell.
    Registration {
        /// Its address.
        email: String,
        /// What the password was held against.
        password_hash: Secret,
    },
}

impl Evidence {
    /// The epoch of the user when the evidence was read; one who was not made yet starts at 0.
    pub(crate) fn epoch(&self) -> Option<u32> {
        match self {
            Self::Foreign => None,
            Self::User { epoch } => Some(*epoch),
            Self::Registration { .. } => Some(0),
        }
    }
}

/// Whom an identity stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Whoever has the identity; at the first log-in a new user of this kind gets it.
    Holder(UserKind),
    /// This user, whose own list need not have the identity: a user's API key.
    User(UserId),
}
