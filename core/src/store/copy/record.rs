//! A record of a store: how it is written into another, and what its bytes are for a hash.

use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Document, doc};
use chrono::{DateTime, Utc};

use crate::id::AppId;
use crate::store::{
    ApiKey, ApiKeyOwner, KeptTicket, ListedSession, Registration, Result, SigningKeyRecord, Store,
    StoreError, StoreErrorKind, User, write_identities,
};

/// A record with the app that it belongs to.
pub(super) enum Record {
    Fact(AppId, String, String),
    /// With its place among the app's keys.
    Key(AppId, usize, SigningKeyRecord),
    User(AppId, User),
    Session(AppId, ListedSession),
    ApiKey(AppId, ApiKey),
    Registration(AppId, Registration),
    Ticket(AppId, KeptTicket),
}

impl Record {
    /// Writes it, unless it is there.
    pub(super) async fn write(&self, to: &dyn Store) -> Result<()> {
        let written = match self {
            Self::Fact(app, key, value) => to.meta_or_insert(app, key, value).await.map(drop),
            Self::Key(app, place, key) => to.insert_signing_key(app, key, *place).await.map(drop),
            Self::User(app, user) => to.insert_user(app, user).await,
            Self::Session(app, listed) => to.insert_session(app, &listed.session, &listed.client).await,
            Self::ApiKey(app, key) => to.insert_api_key(app, key, usize::MAX).await.map(drop),
            Self::Registration(app, registration) => to.insert_registration(app, registration).await,
            Self::Ticket(app, ticket) => to.keep_ticket(app, ticket).await,
        };
        match written {
            Err(error) if error.kind() == StoreErrorKind::DuplicateKey => Ok(()),
            written => written,
        }
    }

    /// All that it says, the same whatever store it was read from.
    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        let said = match self {
            Self::Fact(_, key, value) => doc! { "key": key, "value": value },
            Self::Key(_, _, key) => doc! {
                "id": &key.id, "algorithm": key.algorithm.as_str(), "secret": binary(&key.secret), "at": at(key.created_at),
            },
            Self::User(_, user) => doc! {
                "id": user.id.object_id(), "kind": user.kind.as_str(), "disabled": user.disabled,
                "epoch": user.epoch, "identities": binary(&write_identities(&user.identities)?),
                "at": at(user.created_at), "seen": at(user.last_login_at),
            },
            Self::Session(_, listed) => session(listed),
            Self::ApiKey(_, key) => doc! {
                "id": key.id.object_id(), "name": &key.name, "server": key.owner == ApiKeyOwner::Server,
                "user": key.user.object_id(), "hash": binary(&key.hash), "disabled": key.disabled, "at": at(key.created_at),
            },
            Self::Registration(_, one) => doc! {
                "email": &one.email, "identity": &one.identity_id, "hash": one.password_hash.expose(),
                "confirmed": one.confirmed, "at": at(one.created_at),
            },
            Self::Ticket(_, ticket) => doc! {
                "kind": &ticket.kind, "hash": binary(&ticket.hash), "payload": binary(&ticket.payload),
                "count": i64::try_from(ticket.count).unwrap_or(i64::MAX), "until": at(ticket.expires_at),
            },
        };
        bytes_of(&said)
    }
}

fn session(listed: &ListedSession) -> Document {
    let session = &listed.session;
    doc! {
        "id": session.id.object_id(), "user": session.user.object_id(), "provider": &session.provider,
        "identity": &session.identity, "device": session.device.object_id(), "at": at(session.created_at),
        "until": at(session.expires_at), "seen": at(session.last_seen_at), "epoch": session.epoch,
        "generation": session.generation, "client": listed.client.clone(),
    }
}

fn bytes_of(document: &Document) -> Result<Vec<u8>> {
    document.to_vec().map_err(|cause| {
        StoreError::new(StoreErrorKind::Unsupported, "a record cannot be written as BSON").with_cause(cause)
    })
}

fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() })
}

/// Stores keep microseconds.
fn at(moment: DateTime<Utc>) -> i64 {
    moment.timestamp_micros()
}
