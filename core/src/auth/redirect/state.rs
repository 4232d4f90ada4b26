//! The `state` parameter, and the ticket behind it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bson::Document;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::env::Random;
use crate::error::{Error, Result};
use crate::id::{AppId, DeviceId, SessionId, UserId};
use crate::store::TicketKey;

const KIND: &str = "oauth-state";
/// More than any app's id needs.
const MAX_STATE: usize = 1024;

/// `<app id in base64url>.<secret>`: the callback's path names no app. The ticket is found by the hash of the
/// whole, in the store of the app that it names, so that another name finds nothing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StateParameter(String);

impl StateParameter {
    /// A fresh one.
    pub(super) fn generate(app: &AppId, random: &dyn Random) -> Result<Self> {
        Ok(Self(format!("{}.{}", URL_SAFE_NO_PAD.encode(app.as_str()), fresh_secret(random)?)))
    }

    /// What came back; `None` when we cannot have made it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        (text.len() <= MAX_STATE && text.contains('.')).then(|| Self(text.to_owned()))
    }

    /// The app that it names; whether it may is for the ticket to say.
    pub(crate) fn app(&self) -> Option<String> {
        let (app, _) = self.0.split_once('.')?;
        String::from_utf8(URL_SAFE_NO_PAD.decode(app).ok()?).ok()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn key(&self) -> TicketKey {
        TicketKey { kind: KIND, hash: sha256(&self.0) }
    }

    /// The name of the cookie that goes with it: log-ins in several tabs do not disturb each other.
    pub(crate) fn cookie_name(&self) -> String {
        let name = self.key().hash.iter().take(9).copied().collect::<Vec<u8>>();
        format!("baas_oauth_{}", URL_SAFE_NO_PAD.encode(name))
    }
}

/// A log-in on its way.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) provider: String,
    pub(super) verifier: String,
    pub(super) nonce: String,
    /// What the client wants to see again.
    pub(super) client_state: String,
    pub(super) redirect: String,
    pub(super) device: Option<String>,
    /// What else the client says of its device.
    pub(super) client: Document,
    /// SHA-256 of the cookie's value, in base64url.
    pub(super) browser: String,
    pub(super) linking: Option<LinkingText>,
}

/// Who adds an identity, by ids as text.
#[derive(Serialize, Deserialize)]
pub(super) struct LinkingText {
    user: String,
    session: String,
}

/// Who adds an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Linking {
    /// The user.
    pub(crate) user: UserId,
    /// The session that began; when it has ended, nothing is linked.
    pub(crate) session: SessionId,
}

impl Pending {
    pub(super) fn write(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(Error::internal)
    }

    pub(super) fn read(payload: &[u8]) -> Result<Self> {
        serde_json::from_slice(payload).map_err(Error::internal)
    }

    pub(super) fn device(&self) -> Option<DeviceId> {
        self.device.as_deref().and_then(DeviceId::parse)
    }

    pub(super) fn linking(&self) -> Result<Option<Linking>> {
        let Some(text) = &self.linking else { return Ok(None) };
        match (UserId::parse(&text.user), SessionId::parse(&text.session)) {
            (Some(user), Some(session)) => Ok(Some(Linking { user, session })),
            _ => Err(Error::internal("the ticket of a link names nobody")),
        }
    }

    /// Whether it was this browser that began.
    pub(super) fn began_in(&self, cookie: Option<&str>) -> bool {
        // Hashes are compared, so time tells nothing about the value.
        cookie.is_some_and(|cookie| binding(cookie) == self.browser)
    }
}

impl From<Linking> for LinkingText {
    fn from(linking: Linking) -> Self {
        Self { user: linking.user.to_hex(), session: linking.session.to_hex() }
    }
}

/// 32 random bytes in base64url: 43 characters, as RFC 7636 §4.1 wants them.
pub(super) fn fresh_secret(random: &dyn Random) -> Result<String> {
    let mut bytes = [0_u8; 32];
    random.fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What a ticket keeps of a cookie.
pub(super) fn binding(cookie: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(cookie))
}

fn sha256(text: &str) -> [u8; 32] {
    let mut hash = [0_u8; 32];
    for (slot, byte) in hash.iter_mut().zip(digest(&SHA256, text.as_bytes()).as_ref()) {
        *slot = *byte;
    }
    hash
}
