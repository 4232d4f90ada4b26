//! A store that counts the requests it passes on, and is busy when it is told to.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use backstitch::id::{ApiKeyId, AppId, SessionId, UserId};
use backstitch::rules::{ScopedQuery, ScopedWrite};
use backstitch::secret::Secret;
use backstitch::store::{
    ApiKey, ApiKeyStore, Capabilities, CollectionSpec, Cursor, DocumentStore, KeptTicket, KeyStore,
    ListedSession, LiveSession, MetaStore, Registration, Registrations, Result, Session, SessionStore,
    SigningKeyRecord, Snapshot, Store, StoreError, StoreErrorKind, Ticket, TicketKey, TicketStore,
    Transaction, TransactionOptions, User, UserStore,
};
use bson::Document;
use chrono::{DateTime, Utc};

/// Counts document requests (find, count, write), and reads of signing keys, on their way to a store, and all
/// others for themselves.
#[derive(Clone)]
pub struct CountingStore {
    accounts: Arc<Accounts>,
    inner: Arc<dyn Store>,
    requests: Arc<AtomicUsize>,
    key_reads: Arc<AtomicUsize>,
    others: Arc<AtomicUsize>,
}

impl CountingStore {
    /// Counts from zero.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            accounts: Arc::default(),
            inner,
            requests: Arc::default(),
            key_reads: Arc::default(),
            others: Arc::default(),
        }
    }

    /// How often signing keys were read.
    pub fn key_reads(&self) -> usize {
        self.key_reads.load(Ordering::SeqCst)
    }

    /// The requests for users, registrations, sessions, tickets and keys since the last call.
    pub fn take_others(&self) -> usize {
        self.others.swap(0, Ordering::SeqCst)
    }

    /// The document requests since the last call.
    pub fn take(&self) -> usize {
        self.requests.swap(0, Ordering::SeqCst)
    }
}

/// What is asked about accounts: users, sessions, tickets and keys.
#[derive(Default)]
struct Accounts {
    asked: Mutex<Vec<&'static str>>,
    busy: AtomicBool,
}

impl CountingStore {
    /// What was asked about accounts since the last call, by the methods' names.
    pub fn take_asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.accounts.asked.lock().unwrap())
    }

    /// Whether such requests fail from now on, as a store fails that is too busy.
    pub fn set_busy(&self, busy: bool) {
        self.accounts.busy.store(busy, Ordering::SeqCst);
    }

    fn before(&self, name: &'static str) -> Result<()> {
        self.accounts.asked.lock().unwrap().push(name);
        match self.accounts.busy.load(Ordering::SeqCst) {
            true => Err(StoreError::new(StoreErrorKind::Busy, "told to be busy")),
            false => Ok(()),
        }
    }
}

struct Counted<T: ?Sized> {
    inner: Box<T>,
    requests: Arc<AtomicUsize>,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DocumentStore for CountingStore {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn prepare(&self, collections: &[CollectionSpec]) -> Result<()> {
        self.inner.prepare(collections).await
    }

    async fn collections(&self) -> Result<Vec<CollectionSpec>> {
        self.inner.collections().await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        Ok(Box::new(Counted { inner: self.inner.snapshot().await?, requests: Arc::clone(&self.requests) }))
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn Transaction>> {
        Ok(Box::new(Counted {
            inner: self.inner.begin(options).await?,
            requests: Arc::clone(&self.requests),
        }))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Snapshot for Counted<dyn Snapshot> {
    async fn find(&self, query: &ScopedQuery) -> Result<Box<dyn Cursor>> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.inner.find(query).await
    }

    async fn count(&self, query: &ScopedQuery) -> Result<u64> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.inner.count(query).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Transaction for Counted<dyn Transaction> {
    async fn find(&mut self, query: &ScopedQuery) -> Result<Box<dyn Cursor>> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.inner.find(query).await
    }

    async fn write(&mut self, writes: &[ScopedWrite]) -> Result<()> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.inner.write(writes).await
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.inner.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.inner.rollback().await
    }
}

/// Passes the methods of a trait on as they are.
macro_rules! pass_on {
    ($trait:ident { $(fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)* }) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl $trait for CountingStore {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$answer> {
                self.others.fetch_add(1, Ordering::SeqCst);
                self.before(stringify!($name))?;
                self.inner.$name($($argument),*).await
            })*
        }
    };
}

pass_on!(UserStore {
    fn insert_user(app: &AppId, user: &User) -> ();
    fn insert_registered_user(app: &AppId, user: &User, email: &str) -> ();
    fn user(app: &AppId, id: UserId) -> Option<User>;
    fn user_by_identity(app: &AppId, provider: &str, identity_id: &str) -> Option<User>;
    fn replace_user(app: &AppId, user: &User, expected: &User) -> ();
    fn touch_user(app: &AppId, id: UserId, now: DateTime<Utc>) -> ();
    fn delete_user(app: &AppId, id: UserId) -> bool;
    fn delete_idle_users(app: &AppId, provider: &str, created_before: DateTime<Utc>, active_before: DateTime<Utc>) -> u64;
    fn list_users(app: &AppId, after: Option<UserId>, limit: usize) -> Vec<User>;
    fn insert_registration(app: &AppId, registration: &Registration) -> ();
    fn registration(app: &AppId, email: &str) -> Option<Registration>;
    fn replace_registration(app: &AppId, registration: &Registration, expected_hash: &Secret) -> ();
    fn move_registration(app: &AppId, email: &str, registration: &Registration, expected_hash: &Secret) -> ();
    fn list_registrations(app: &AppId, which: Registrations, after: Option<&str>, limit: usize) -> Vec<Registration>;
    fn delete_registration(app: &AppId, email: &str) -> bool;
});

pass_on!(ApiKeyStore {
    fn insert_api_key(app: &AppId, key: &ApiKey, most: usize) -> bool;
    fn api_key(app: &AppId, id: ApiKeyId) -> Option<ApiKey>;
    fn api_key_by_hash(app: &AppId, hash: &[u8; 32]) -> Option<ApiKey>;
    fn api_keys(app: &AppId, of: Option<UserId>) -> Vec<ApiKey>;
    fn set_api_key_disabled(app: &AppId, id: ApiKeyId, disabled: bool) -> bool;
    fn delete_api_key(app: &AppId, id: ApiKeyId) -> bool;
});

pass_on!(SessionStore {
    fn insert_session(app: &AppId, session: &Session, client: &Document) -> ();
    fn live_session(app: &AppId, id: SessionId) -> Option<LiveSession>;
    fn touch_session(app: &AppId, id: SessionId, now: DateTime<Utc>) -> ();
    fn delete_session(app: &AppId, id: SessionId) -> bool;
    fn sessions_of(app: &AppId, user: UserId) -> Vec<ListedSession>;
    fn delete_sessions_of(app: &AppId, user: UserId, except: Option<SessionId>) -> u64;
    fn delete_sessions_by_identity(app: &AppId, user: UserId, provider: &str, identity: &str) -> u64;
    fn last_session_end(app: &AppId, created_before: DateTime<Utc>) -> Option<DateTime<Utc>>;
    fn purge_sessions(now: DateTime<Utc>) -> u64;
});

pass_on!(TicketStore {
    fn put_ticket(app: &AppId, ticket: &Ticket) -> ();
    fn take_ticket(app: &AppId, key: &TicketKey, now: DateTime<Utc>) -> Option<Ticket>;
    fn ticket(app: &AppId, key: &TicketKey, now: DateTime<Utc>) -> Option<Ticket>;
    fn bump_ticket(app: &AppId, key: &TicketKey, now: DateTime<Utc>, expires_at: DateTime<Utc>) -> u64;
    fn list_tickets(app: &AppId, after: Option<&(String, [u8; 32])>, limit: usize) -> Vec<KeptTicket>;
    fn keep_ticket(app: &AppId, ticket: &KeptTicket) -> ();
    fn purge_tickets(now: DateTime<Utc>) -> u64;
});

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl KeyStore for CountingStore {
    async fn signing_keys(&self, app: &AppId) -> Result<Vec<SigningKeyRecord>> {
        self.key_reads.fetch_add(1, Ordering::SeqCst);
        self.inner.signing_keys(app).await
    }

    async fn insert_signing_key(&self, app: &AppId, key: &SigningKeyRecord, expected: usize) -> Result<bool> {
        self.inner.insert_signing_key(app, key, expected).await
    }

    async fn delete_signing_key(&self, app: &AppId, id: &str) -> Result<bool> {
        self.inner.delete_signing_key(app, id).await
    }
}

pass_on!(MetaStore {
    fn apps() -> Vec<AppId>;
    fn facts(app: &AppId) -> Vec<(String, String)>;
    fn meta(app: &AppId, key: &str) -> Option<String>;
    fn meta_or_insert(app: &AppId, key: &str, value: &str) -> String;
});
