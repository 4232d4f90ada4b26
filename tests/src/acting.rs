//! Users as rules see them, without an account in a store.

use backstitch::actor::{ActingUser, Actor};
use backstitch::id::{AppId, UserId};
use backstitch::store::{Identity, User, UserKind};
use bson::Document;
use bson::oid::ObjectId;
use chrono::DateTime;

/// An actor of one identity, `anon-user`.
pub fn acting(id: ObjectId, kind: UserKind, data: Document, custom_data: Document) -> Actor {
    let identity = Identity {
        provider: "anon-user".into(),
        provider_id: ObjectId::from_bytes([9; 12]),
        id: format!("identity of {}", id.to_hex()),
        data,
    };
    let user = User {
        id: UserId::new(id),
        kind,
        disabled: false,
        epoch: 0,
        identities: vec![identity],
        created_at: DateTime::UNIX_EPOCH,
        last_login_at: DateTime::UNIX_EPOCH,
    };
    let custom_data = Some(custom_data);
    Actor::user(
        AppId::new("acting"),
        ActingUser { user, session: None, provider: String::new(), custom_data },
    )
}
