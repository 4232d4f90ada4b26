//! API keys: an app's own (server keys), and those that a user makes.
//!
//! 1. A key is shown once; the store has its SHA-256.
//! 2. A server key has a server user of its own; a user's key logs in as that user.
//! 3. A key that is disabled or deleted takes the sessions that it opened with it.

use bson::Document;
use serde::Serialize;

use crate::auth::events::UserEventKind;
use crate::auth::login::Auth;
use crate::auth::one_time::sha256;
use crate::env::Random;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ApiKeyId, UserId};
use crate::secret::Secret;
use crate::store::{ApiKey, ApiKeyOwner, Identity, StoreErrorKind, User, UserKind};

const LENGTH: usize = 64;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
pub(in crate::auth) const PROVIDER: &str = "api-key";

/// A key as its owner sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApiKeyView {
    /// The id, a plain string (wire-protocol, rule 9).
    #[serde(rename = "_id")]
    pub id: String,
    /// The key itself: only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    pub key: Option<Secret>,
    /// The name.
    pub name: String,
    /// Whether log-in with it is refused.
    pub disabled: bool,
}

/// The API keys of an app or of one of its users: `app.api_keys()`.
#[derive(Clone, Copy)]
pub struct ApiKeys<'a> {
    auth: &'a Auth,
    of: Option<UserId>,
}

impl<'a> ApiKeys<'a> {
    pub(crate) fn new(auth: &'a Auth, of: Option<UserId>) -> Self {
        Self { auth, of }
    }

    /// The keys that this user made, instead of the app's server keys.
    #[must_use]
    pub fn of(self, user: UserId) -> Self {
        Self { of: Some(user), ..self }
    }

    /// Makes a key; the answer is the only one that has the key itself.
    ///
    /// # Errors
    /// [`ErrorKind::ApiKeyAlreadyExists`] for a name that is taken, or when there are as many keys as there
    /// may be; [`ErrorKind::InvalidParameter`] for an empty or long name; what a listener refuses with.
    pub async fn create(self, name: &str) -> Result<ApiKeyView> {
        if name.is_empty() || name.chars().count() > 128 {
            return Err(Error::new(ErrorKind::InvalidParameter, "`name` must be 1 to 128 characters"));
        }
        let parts = &self.auth.parts;
        let id = ApiKeyId::generate(parts.env.clock.now(), parts.env.random.as_ref())?;
        let Some(user) = self.of else { return self.create_server_key(id, name).await };
        self.add(id, name, (ApiKeyOwner::User, user)).await
    }

    /// A key with the server user that it logs in as.
    async fn create_server_key(self, id: ApiKeyId, name: &str) -> Result<ApiKeyView> {
        let parts = &self.auth.parts;
        let user = self.server_user(id, name)?;
        let event = self.auth.event(UserEventKind::Create, &user, vec![PROVIDER.to_owned()]);
        self.auth.ask(&event).await?;
        parts.store.insert_user(&parts.app, &user).await?;
        let added = self.add(id, name, (ApiKeyOwner::Server, user.id)).await;
        match &added {
            Ok(_) => self.auth.tell(&event).await,
            // Without its key nobody could ever be this user.
            Err(_) => drop(parts.store.delete_user(&parts.app, user.id).await?),
        }
        added
    }

    async fn add(self, id: ApiKeyId, name: &str, (owner, user): (ApiKeyOwner, UserId)) -> Result<ApiKeyView> {
        let parts = &self.auth.parts;
        let most = match owner {
            ApiKeyOwner::Server => parts.limits.server_api_keys,
            ApiKeyOwner::User => parts.limits.user_api_keys,
        };
        let key = Secret::new(fresh_key(parts.env.random.as_ref())?);
        let (hash, created_at) = (hash(&key), parts.env.clock.now());
        let record = ApiKey { id, name: name.to_owned(), owner, user, hash, disabled: false, created_at };
        match parts.store.insert_api_key(&parts.app, &record, most).await {
            Ok(true) => Ok(ApiKeyView { key: Some(key), ..view(record) }),
            Ok(false) => {
                let text = format!("there are {most} API keys already");
                Err(Error::new(ErrorKind::ApiKeyAlreadyExists, text))
            }
            Err(error) if error.kind() == StoreErrorKind::DuplicateKey => {
                Err(Error::new(ErrorKind::ApiKeyAlreadyExists, "an API key of this name exists"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// All of them, oldest first.
    pub async fn list(self) -> Result<Vec<ApiKeyView>> {
        let parts = &self.auth.parts;
        Ok(parts.store.api_keys(&parts.app, self.of).await?.into_iter().map(view).collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// [`ErrorKind::ApiKeyNotFound`], also for somebody else's.
    pub async fn get(self, id: &str) -> Result<ApiKeyView> {
        self.found(id).await.map(view)
    }

    /// Lets it log in, or no more; sessions that it opened end when it is disabled.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn set_disabled(self, id: &str, disabled: bool) -> Result<()> {
        let parts = &self.auth.parts;
        let key = self.found(id).await?;
        if !parts.store.set_api_key_disabled(&parts.app, key.id, disabled).await? {
            return Err(not_found());
        }
        if disabled {
            self.end_sessions(&key).await?;
        }
        Ok(())
    }

    /// Deletes it, with the sessions that it opened.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn delete(self, id: &str) -> Result<()> {
        let parts = &self.auth.parts;
        let key = self.found(id).await?;
        let gone = match key.owner {
            ApiKeyOwner::Server => match self.auth.delete_user(key.user).await {
                Err(error) if error.kind() == ErrorKind::UserNotFound => false,
                deleted => deleted.map(|()| true)?,
            },
            ApiKeyOwner::User => parts.store.delete_api_key(&parts.app, key.id).await?,
        };
        self.end_sessions(&key).await?;
        if gone { Ok(()) } else { Err(not_found()) }
    }

    async fn end_sessions(self, key: &ApiKey) -> Result<()> {
        let parts = &self.auth.parts;
        let id = key.id.to_hex();
        parts.store.delete_sessions_by_identity(&parts.app, key.user, PROVIDER, &id).await?;
        Ok(())
    }

    async fn found(self, id: &str) -> Result<ApiKey> {
        let parts = &self.auth.parts;
        let id = ApiKeyId::parse(id).ok_or_else(not_found)?;
        let found = parts.store.api_key(&parts.app, id).await?;
        let mine = |key: &ApiKey| match self.of {
            Some(user) => key.owner == ApiKeyOwner::User && key.user == user,
            None => key.owner == ApiKeyOwner::Server,
        };
        found.filter(mine).ok_or_else(not_found)
    }

    /// The user that a server key logs in as.
    fn server_user(self, id: ApiKeyId, name: &str) -> Result<User> {
        let parts = &self.auth.parts;
        let now = parts.env.clock.now();
        let mut data = Document::new();
        data.insert("name", name);
        let identity = Identity {
            provider: PROVIDER.to_owned(),
            provider_id: self.auth.provider_id(PROVIDER).unwrap_or_else(|| id.object_id()),
            id: id.to_hex(),
            data,
        };
        Ok(User {
            id: UserId::generate(now, parts.env.random.as_ref())?,
            kind: UserKind::Server,
            disabled: false,
            epoch: 0,
            identities: vec![identity],
            created_at: now,
            last_login_at: now,
        })
    }
}

/// What the store finds a key by.
pub(in crate::auth) fn hash(key: &Secret) -> [u8; 32] {
    sha256(&[key.expose()])
}

fn view(key: ApiKey) -> ApiKeyView {
    ApiKeyView { id: key.id.to_hex(), key: None, name: key.name, disabled: key.disabled }
}

fn fresh_key(random: &dyn Random) -> Result<String> {
    let mut key = String::with_capacity(LENGTH);
    while key.len() < LENGTH {
        let mut bytes = [0_u8; LENGTH];
        random.fill(&mut bytes)?;
        // 248 is the largest multiple of 62 below 256: every letter is equally likely.
        let letters = bytes.iter().filter(|byte| **byte < 248);
        let letters =
            letters.filter_map(|byte| ALPHABET.get(usize::from(byte % 62))).map(|byte| char::from(*byte));
        key.extend(letters.take(LENGTH - key.len()));
    }
    Ok(key)
}

fn exposed<S: serde::Serializer>(
    key: &Option<Secret>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    key.as_ref().map(Secret::expose).serialize(serializer)
}

fn not_found() -> Error {
    Error::new(ErrorKind::ApiKeyNotFound, "API key not found")
}

impl std::fmt::Debug for ApiKeys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiKeys").field("of", &self.of).finish_non_exhaustive()
    }
}
