//! Who is asking.

use std::sync::{Arc, LazyLock, OnceLock};

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use chrono::DateTime;

use crate::id::{AppId, SessionId, UserId};
use crate::store::{User, UserKind};

static SYSTEM: LazyLock<Document> =
    LazyLock::new(|| doc! { "type": "system", "data": {}, "custom_data": {}, "identities": [] });

/// Who is asking: a user with what rules may know of them, or the system.
///
/// An [`Access`](crate::rules::Access) is made only from an actor, and a store takes only what
/// an access has scoped.
#[derive(Clone, Debug)]
pub struct Actor {
    app: AppId,
    user: Option<Arc<Acting>>,
}

#[derive(Debug)]
struct Acting {
    user: ActingUser,
    /// What rules know of them, once a rule has asked.
    document: OnceLock<Document>,
}

/// A user while acting.
#[derive(Clone, Debug)]
pub struct ActingUser {
    /// The account.
    pub user: User,
    /// The session that the request came with; `None` when the host acts for a user.
    pub session: Option<SessionId>,
    /// The provider that the session was opened through; empty when the host acts for a user.
    pub provider: String,
    /// The custom user data as the access token carries them.
    pub custom_data: Option<Document>,
}

impl Actor {
    /// The one bypass of every rule; the name is there to be searched for.
    pub fn system(app: AppId) -> Self {
        Self { app, user: None }
    }

    /// A user.
    pub fn user(app: AppId, user: ActingUser) -> Self {
        Self { app, user: Some(Arc::new(Acting { user, document: OnceLock::new() })) }
    }

    /// A user whom rules see as this `%%user` document: to explain and to test rules. They have no account, and where
    /// an id is asked for that is none, it is zero.
    pub fn imagined(app: AppId, document: Document) -> Self {
        let id = document.get_str("id").ok().and_then(|id| ObjectId::parse_str(id).ok());
        let kind = match document.get_str("type") {
            Ok("server") => UserKind::Server,
            _ => UserKind::Normal,
        };
        let user = User {
            id: UserId::new(id.unwrap_or(ObjectId::from_bytes([0; 12]))),
            kind,
            disabled: false,
            epoch: 0,
            identities: Vec::new(),
            created_at: DateTime::UNIX_EPOCH,
            last_login_at: DateTime::UNIX_EPOCH,
        };
        let custom_data = document.get_document("custom_data").ok().cloned();
        let user = ActingUser { user, session: None, provider: String::new(), custom_data };
        Self { app, user: Some(Arc::new(Acting { user, document: document.into() })) }
    }

    /// The app.
    pub fn app(&self) -> &AppId {
        &self.app
    }

    /// The user; `None` for the system.
    pub fn acting_user(&self) -> Option<&ActingUser> {
        self.user.as_deref().map(|acting| &acting.user)
    }

    /// Whether this is the system, which no rule binds.
    pub fn is_system(&self) -> bool {
        self.user.is_none()
    }

    /// What `%%user` stands for in rules: `{id, type, data, custom_data, identities}`.
    pub fn as_document(&self) -> Document {
        self.document().clone()
    }

    /// The same; made once.
    pub(crate) fn document(&self) -> &Document {
        match self.user.as_deref() {
            Some(acting) => acting.document.get_or_init(|| acting.user.document()),
            None => &SYSTEM,
        }
    }
}

impl ActingUser {
    fn document(&self) -> Document {
        let identities: Vec<Bson> = self
            .user
            .identities
            .iter()
            .map(|identity| {
                Bson::Document(doc! {
                    "id": &identity.id,
                    "provider_type": &identity.provider,
                    "providerType": &identity.provider,
                    "data": identity.data.clone(),
                })
            })
            .collect();
        doc! {
            "id": self.user.id.to_hex(),
            "type": self.user.kind.as_str(),
            "data": self.user.data(),
            "custom_data": self.custom_data.clone().unwrap_or_default(),
            "identities": identities,
        }
    }
}
