//! What checks are written in: an opened store and short words for common requests.

use std::sync::Arc;

use backstitch::filter::{Direction, Filter, SortKey};
use backstitch::id::{ApiKeyId, AppId, CollectionId, DeviceId, SessionId, UserId};
use backstitch::rules::{Access, Query, ScopedQuery, ScopedWrite};
use backstitch::secret::Secret;
use backstitch::store::{
    ApiKey, ApiKeyOwner, CollectionSpec, Identity, IndexKey, IndexSpec, ReadExt, Registration, Result,
    Session, Snapshot, Store, StoreErrorKind, Transaction, TransactionOptions, User, UserKind,
};
use bson::oid::ObjectId;
use bson::{Bson, Document, RawDocumentBuf, doc};
use chrono::{DateTime, Duration, Utc};

use crate::factory::StoreFactory;

/// How many tasks race in the checks of parallel use.
pub(crate) const PARALLEL: usize = 50;

/// A freshly opened store.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
}

impl World {
    pub(crate) async fn open(factory: &dyn StoreFactory) -> Self {
        Self { store: factory.open().await }
    }

    /// Makes one collection ready.
    pub(crate) async fn prepare(&self, id: &CollectionId, indexes: Vec<IndexSpec>) -> Result<()> {
        self.store.prepare(&[CollectionSpec { id: id.clone(), indexes }]).await
    }

    /// A prepared collection with these documents, each written with a number as `_id` unless it has one.
    pub(crate) async fn with(&self, id: &CollectionId, indexes: Vec<IndexSpec>, documents: &[Document]) {
        self.prepare(id, indexes).await.expect("prepare");
        self.insert(id, documents).await.expect("insert");
    }

    /// Inserts in one transaction.
    pub(crate) async fn insert(&self, id: &CollectionId, documents: &[Document]) -> Result<()> {
        let writes: Vec<ScopedWrite> = documents.iter().map(|document| insert(id, document)).collect();
        self.write(&writes).await
    }

    /// Writes in one transaction.
    pub(crate) async fn write(&self, writes: &[ScopedWrite]) -> Result<()> {
        let mut transaction = self.begin().await;
        transaction.write(writes).await?;
        transaction.commit().await
    }

    pub(crate) async fn begin(&self) -> Box<dyn Transaction> {
        self.store.begin(TransactionOptions::default()).await.expect("begin")
    }

    pub(crate) async fn snapshot(&self) -> Box<dyn Snapshot> {
        self.store.snapshot().await.expect("snapshot")
    }

    /// What a query finds now.
    pub(crate) async fn find(&self, id: &CollectionId, query: Query) -> Vec<Document> {
        found(self.snapshot().await.as_ref(), &scoped(id, query)).await
    }

    /// The `_id`s that a query finds now, in order.
    pub(crate) async fn ids(&self, id: &CollectionId, query: Query) -> Vec<Bson> {
        ids_of(&self.find(id, query).await)
    }

    /// All documents, in the order of insertion.
    pub(crate) async fn all(&self, id: &CollectionId) -> Vec<Document> {
        self.find(id, Query::default()).await
    }
}

/// Runs `action` in [`PARALLEL`] tasks, and returns what each gave.
pub(crate) async fn in_parallel<T, F>(action: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..PARALLEL).map(|number| tokio::spawn(action(number))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("the task panicked"));
    }
    results
}

/// What a query finds in a snapshot.
pub(crate) async fn found(snapshot: &dyn Snapshot, query: &ScopedQuery) -> Vec<Document> {
    let mut cursor = snapshot.find(query).await.expect("find");
    decode(&cursor.collect_where(None, &|_| true).await.expect("next"))
}

/// What a query finds in a transaction.
pub(crate) async fn found_in(transaction: &mut dyn Transaction, query: &ScopedQuery) -> Vec<Document> {
    let mut cursor = transaction.find(query).await.expect("find");
    decode(&cursor.collect_where(None, &|_| true).await.expect("next"))
}

pub(crate) fn decode(raw: &[RawDocumentBuf]) -> Vec<Document> {
    raw.iter().map(|document| Document::try_from(document).expect("readable BSON")).collect()
}

pub(crate) fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).expect("writable BSON")
}

pub(crate) fn ids_of(documents: &[Document]) -> Vec<Bson> {
    documents.iter().map(|document| document.get("_id").cloned().unwrap_or(Bson::Null)).collect()
}

pub(crate) fn numbers(ids: &[i32]) -> Vec<Bson> {
    ids.iter().map(|id| Bson::Int32(*id)).collect()
}

pub(crate) fn scoped(id: &CollectionId, query: Query) -> ScopedQuery {
    Access::system(id.clone()).find(query).expect("the system may read everything")
}

pub(crate) fn insert(id: &CollectionId, document: &Document) -> ScopedWrite {
    Access::system(id.clone()).insert(raw(document)).expect("the system may insert everything")
}

/// A replacement of the document with the same `_id`.
pub(crate) fn replace(id: &CollectionId, document: &Document) -> ScopedWrite {
    let key = document.get("_id").cloned().unwrap_or(Bson::Null);
    replace_at(id, key, document)
}

/// A replacement of the document with `key` as its `_id`.
pub(crate) fn replace_at(id: &CollectionId, key: impl Into<Bson>, document: &Document) -> ScopedWrite {
    let before = raw(&doc! {"_id": key.into()});
    Access::system(id.clone()).replace(&before, raw(document)).expect("the system may replace everything")
}

pub(crate) fn delete(id: &CollectionId, key: impl Into<Bson>) -> ScopedWrite {
    let before = raw(&doc! {"_id": key.into()});
    Access::system(id.clone()).delete(&before).expect("the system may delete everything")
}

pub(crate) fn filtered(filter: Filter) -> Query {
    Query { filter, ..Query::default() }
}

pub(crate) fn sorted(keys: &[(&str, Direction)]) -> Query {
    let sort = keys
        .iter()
        .map(|(path, direction)| SortKey { path: (*path).into(), direction: *direction })
        .collect();
    Query { sort, ..Query::default() }
}

pub(crate) fn index(keys: &[(&str, Direction)]) -> IndexSpec {
    let keys = keys
        .iter()
        .map(|(path, direction)| IndexKey { path: (*path).into(), direction: *direction })
        .collect();
    IndexSpec { keys, unique: false }
}

pub(crate) fn unique(paths: &[&str]) -> IndexSpec {
    let keys: Vec<_> = paths.iter().map(|path| (*path, Direction::Ascending)).collect();
    IndexSpec { unique: true, ..index(&keys) }
}

/// The app that most checks act in.
pub(crate) fn app() -> AppId {
    AppId::new("movies-abcde")
}

/// Another app of the same store.
pub(crate) fn other_app() -> AppId {
    AppId::new("other-fghij")
}

/// A collection of the app.
pub(crate) fn collection(name: &str) -> CollectionId {
    CollectionId::new("movies-abcde", "mongodb-atlas", "library", name)
}

/// A moment in whole milliseconds, so many seconds after a fixed one.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_700_000_000_123).expect("a valid time") + Duration::seconds(seconds)
}

pub(crate) fn object_id(number: u32) -> ObjectId {
    let mut bytes = [0x65; 12];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    ObjectId::from_bytes(bytes)
}

pub(crate) fn user_id(number: u32) -> UserId {
    UserId::new(object_id(number))
}

pub(crate) fn session_id(number: u32) -> SessionId {
    SessionId::new(object_id(number))
}

pub(crate) fn api_key_id(number: u32) -> ApiKeyId {
    ApiKeyId::new(object_id(number))
}

pub(crate) fn identity(provider: &str, id: &str) -> Identity {
    Identity {
        provider: provider.to_owned(),
        provider_id: object_id(900),
        id: id.to_owned(),
        data: doc! {"email": format!("{id}@example.com"), "depth": {"of": [1, 2_i64, 3.5]}},
    }
}

/// A user with one identity, `local-userpass`.
pub(crate) fn user(number: u32, identity_id: &str) -> User {
    User {
        id: user_id(number),
        kind: UserKind::Normal,
        disabled: false,
        epoch: 0,
        identities: vec![identity("local-userpass", identity_id)],
        created_at: at(0),
        last_login_at: at(1),
    }
}

/// An unconfirmed registration, of the identity `id of <address>`.
pub(crate) fn registration(email: &str, hash: &str) -> Registration {
    Registration {
        email: email.to_owned(),
        identity_id: format!("id of {email}"),
        password_hash: Secret::new(hash),
        confirmed: false,
        created_at: at(0),
    }
}

/// A key that this user made; its name and hash are of its number.
pub(crate) fn api_key(number: u32, user: u32) -> ApiKey {
    let mut hash = [0xA5; 32];
    hash[28..].copy_from_slice(&number.to_be_bytes());
    ApiKey {
        id: api_key_id(number),
        name: format!("key {number}"),
        owner: ApiKeyOwner::User,
        user: user_id(user),
        hash,
        disabled: false,
        created_at: at(0),
    }
}

/// A session that ends an hour after [`at`]`(0)`.
pub(crate) fn session(number: u32, user: u32) -> Session {
    Session {
        id: session_id(number),
        user: user_id(user),
        provider: "local-userpass".to_owned(),
        identity: "ada".to_owned(),
        device: DeviceId::new(object_id(800)),
        created_at: at(0),
        expires_at: at(3600),
        last_seen_at: at(0),
        epoch: 0,
        generation: 0,
    }
}

/// What kind of failure it is.
///
/// # Panics
/// When it is none.
pub(crate) fn kind<T>(result: Result<T>) -> StoreErrorKind {
    match result {
        Ok(_) => panic!("it succeeded, and should have failed"),
        Err(error) => error.kind(),
    }
}
