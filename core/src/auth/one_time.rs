//! One-time tokens: what a mail carries, to be shown once.
//!
//! 1. The store keeps the SHA-256 of a token, never the token; it lives thirty minutes.
//! 2. A token is bound to one purpose and one account.
//! 3. Of an account's tokens for one purpose the newest counts: a pointer names it, and whatever changes what
//!    the token was made for removes the pointer.
//! 4. Of parallel uses one succeeds.

use bson::oid::ObjectId;
use bson::{Document, doc};
use chrono::TimeDelta;
use ring::digest::{Context, SHA256};

use super::provider::ProviderContext;
use crate::error::{Error, ErrorKind, Result};
use crate::id::fresh_object_id;
use crate::secret::Secret;
use crate::store::{Ticket, TicketKey};

const LIFETIME: TimeDelta = TimeDelta::minutes(30);
const TOKEN_BYTES: usize = 32;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OneTime {
    /// To confirm a registered address.
    Confirm,
    /// To set a new password.
    Reset,
    /// To move an account to another address.
    EmailChange,
}

/// A token as its owner gets it.
pub(super) struct Issued {
    pub(super) token: Secret,
    pub(super) token_id: String,
}

/// A token as it was made: for which account, and what for in particular.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Meant {
    pub(super) account: String,
    pub(super) detail: String,
}

impl OneTime {
    /// Makes a token; it takes the place of the account's earlier one.
    pub(super) async fn issue(self, cx: &ProviderContext<'_>, meant: &Meant) -> Result<Issued> {
        let mut bytes = [0_u8; TOKEN_BYTES];
        cx.env.random.fill(&mut bytes)?;
        let now = cx.env.clock.now();
        let issued = Issued {
            token: Secret::new(hex(&bytes)),
            token_id: fresh_object_id(now, cx.env.random.as_ref())?.to_hex(),
        };
        let key = self.key(&issued.token, &issued.token_id);
        let pointer = self.pointer(&meant.account);
        let expires_at = now + LIFETIME;
        let payload = doc! { "account": &meant.account, "detail": &meant.detail };
        let payload = payload.to_vec().map_err(Error::internal)?;
        let hash = key.hash.to_vec();
        cx.store.put_ticket(cx.app, &Ticket { key, payload, expires_at }).await?;
        cx.store.put_ticket(cx.app, &Ticket { key: pointer, payload: hash, expires_at }).await?;
        Ok(issued)
    }

    /// What a token was made for, without using it up.
    pub(super) async fn look(
        self,
        cx: &ProviderContext<'_>,
        token: &Secret,
        token_id: &str,
    ) -> Result<Meant> {
        let key = self.readable(token, token_id)?;
        let found = cx.store.ticket(cx.app, &key, cx.env.clock.now()).await?;
        self.standing(cx, found).await
    }

    /// Uses a token up.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] for what cannot be a token; [`ErrorKind::UserpassTokenInvalid`] for one that is
    /// unknown, expired, used or replaced, all alike.
    pub(super) async fn redeem(
        self,
        cx: &ProviderContext<'_>,
        token: &Secret,
        token_id: &str,
    ) -> Result<Meant> {
        let key = self.readable(token, token_id)?;
        let found = cx.store.take_ticket(cx.app, &key, cx.env.clock.now()).await?;
        self.standing(cx, found).await
    }

    /// Makes the account's token for this purpose worthless.
    pub(super) async fn void(self, cx: &ProviderContext<'_>, account: &str) -> Result<()> {
        cx.store.take_ticket(cx.app, &self.pointer(account), cx.env.clock.now()).await?;
        Ok(())
    }

    async fn standing(self, cx: &ProviderContext<'_>, found: Option<Ticket>) -> Result<Meant> {
        let found = found.ok_or_else(worthless)?;
        let payload = Document::from_reader(found.payload.as_slice()).map_err(Error::internal)?;
        let text = |name: &str| payload.get_str(name).map(str::to_owned).map_err(Error::internal);
        let meant = Meant { account: text("account")?, detail: text("detail")? };
        let pointer = self.pointer(&meant.account);
        let newest = cx.store.ticket(cx.app, &pointer, cx.env.clock.now()).await?;
        match newest {
            Some(newest) if newest.payload == found.key.hash => Ok(meant),
            _ => Err(worthless()),
        }
    }

    fn readable(self, token: &Secret, token_id: &str) -> Result<TicketKey> {
        let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let whole = token.expose().len() == TOKEN_BYTES * 2 && is_hex(token.expose());
        if !whole || ObjectId::parse_str(token_id).is_err() {
            return Err(Error::new(ErrorKind::BadRequest, "invalid token data"));
        }
        Ok(self.key(token, token_id))
    }

    fn key(self, token: &Secret, token_id: &str) -> TicketKey {
        TicketKey { kind: self.kind(), hash: sha256(&[token_id, token.expose()]) }
    }

    fn pointer(self, account: &str) -> TicketKey {
        TicketKey { kind: self.pointer_kind(), hash: sha256(&[account]) }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Reset => "reset",
            Self::EmailChange => "email-change",
        }
    }

    fn pointer_kind(self) -> &'static str {
        match self {
            Self::Confirm => "confirm-newest",
            Self::Reset => "reset-newest",
            Self::EmailChange => "email-change-newest",
        }
    }
}

/// SHA-256 of texts, each closed by a byte that none of them holds.
pub(super) fn sha256(parts: &[&str]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part.as_bytes());
        context.update(&[0xFF]);
    }
    let mut hash = [0; 32];
    hash.iter_mut().zip(context.finish().as_ref()).for_each(|(slot, byte)| *slot = *byte);
    hash
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn worthless() -> Error {
    Error::new(ErrorKind::UserpassTokenInvalid, "invalid token data")
}
