//! The pool of connections, each set up alike, and short words for statements.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Waker};

use backstitch::store::{Result, StoreError, StoreErrorKind};
use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, Row, RowStream, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::PostgresConfig;
use crate::error::{from_commit, from_pool, from_postgres, is_lost};

/// Parameters of a statement.
pub(crate) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The way to connections. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connections {
    pool: Pool,
    schema: Arc<str>,
    statements: Arc<AtomicU64>,
}

/// A connection, for as long as it is held.
pub(crate) struct Connection {
    /// There until it is dropped.
    object: Option<Object>,
    statements: Arc<AtomicU64>,
    /// It is lost, which the pool may not know yet.
    is_lost: AtomicBool,
}

impl Deref for Connection {
    type Target = ClientWrapper;

    #[expect(clippy::expect_used, reason = "only `drop` takes it out")]
    fn deref(&self) -> &ClientWrapper {
        self.object.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Connection {
    /// What is lost does not go back to the pool.
    fn drop(&mut self) {
        if let Some(object) = self.object.take()
            && self.is_lost.load(Ordering::Relaxed)
        {
            drop(Object::take(object));
        }
    }
}

impl Connections {
    /// Nothing is connected yet.
    pub(crate) fn new(config: &PostgresConfig) -> Result<Self> {
        let mut address: Config = config.url.parse().map_err(|cause| {
            StoreError::new(StoreErrorKind::Unsupported, "the address of the database cannot be read")
                .with_cause(cause)
        })?;
        if address.get_connect_timeout().is_none() {
            address.connect_timeout(config.connect_timeout);
        }
        if address.get_application_name().is_none() {
            address.application_name("backstitch");
        }
        let tls = MakeRustlsConnect::new(match &config.tls {
            Some(tls) => ClientConfig::clone(tls),
            None => of_this_machine()?,
        });
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let set_up: Arc<str> = set_up(config).into();
        let pool = Pool::builder(Manager::from_config(address, tls, recycling))
            .max_size(config.connections.max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(config.turn_timeout))
            .create_timeout(Some(config.connect_timeout))
            .post_create(Hook::async_fn(move |client, _| {
                let set_up = Arc::clone(&set_up);
                Box::pin(async move { client.batch_execute(&set_up).await.map_err(HookError::Backend) })
            }))
            .build()
            .map_err(|cause| {
                StoreError::new(StoreErrorKind::Unsupported, "the pool cannot be made").with_cause(cause)
            })?;
        Ok(Self { pool, schema: config.schema.as_str().into(), statements: Arc::default() })
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// How many statements were sent, but those that open and end transactions.
    pub(crate) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// A connection, for as long as it is held.
    pub(crate) async fn get(&self) -> Result<Connection> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(StoreError::new(
                StoreErrorKind::Io,
                "a PostgreSQL store is used inside a tokio runtime",
            ));
        }
        let object = self.pool.get().await.map_err(from_pool)?;
        let statements = Arc::clone(&self.statements);
        Ok(Connection { object: Some(object), statements, is_lost: AtomicBool::new(false) })
    }

    /// The rows of a statement that only reads. Where the connection turns out to be lost, another one is asked.
    pub(crate) async fn read(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>> {
        match query(&self.get().await?, sql, parameters).await {
            Err(error) if is_lost(&error) => query(&self.get().await?, sql, parameters).await,
            outcome => outcome,
        }
    }

    /// How many rows a statement has changed; it is a transaction of its own.
    pub(crate) async fn change(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64> {
        execute(&self.get().await?, sql, parameters).await
    }

    /// How many rows a statement has changed that is run after a lock was taken, in one transaction.
    pub(crate) async fn change_after(
        &self,
        (lock, locked): (&str, Parameters<'_>),
        (sql, parameters): (&str, Parameters<'_>),
    ) -> Result<u64> {
        let open = Open::begin(self.get().await?, "BEGIN").await?;
        query(open.client()?, lock, locked).await?;
        let changed = execute(open.client()?, sql, parameters).await?;
        open.commit().await?;
        Ok(changed)
    }
}

impl Connection {
    /// A statement that is about to be sent; prepared once.
    pub(crate) async fn prepared(&self, sql: &str) -> Result<Statement> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.noted(self.prepare_cached(sql).await)
    }

    /// The rows of a statement whose text hardly comes again, and which is not kept.
    pub(crate) async fn passing(
        &self,
        sql: &str,
        parameters: Vec<(&(dyn ToSql + Sync), Type)>,
    ) -> Result<RowStream> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.noted(self.query_typed_raw(sql, parameters).await)
    }

    /// The outcome of something that was sent.
    pub(crate) fn noted<T>(&self, outcome: Result<T, tokio_postgres::Error>) -> Result<T> {
        outcome.map_err(|error| {
            let error = from_postgres(error);
            self.is_lost.fetch_or(is_lost(&error), Ordering::Relaxed);
            error
        })
    }
}

/// The rows of a statement, which is prepared once on each connection.
pub(crate) async fn query(client: &Connection, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>> {
    let statement = client.prepared(sql).await?;
    client.noted(client.query(&statement, parameters).await)
}

/// How many rows a statement has changed.
pub(crate) async fn execute(client: &Connection, sql: &str, parameters: Parameters<'_>) -> Result<u64> {
    let statement = client.prepared(sql).await?;
    client.noted(client.execute(&statement, parameters).await)
}

/// A connection with an open transaction, which is rolled back when this is dropped.
pub(crate) struct Open(Option<Connection>);

impl Open {
    /// Begins with these statements, of which the last may give a row.
    pub(crate) async fn begin(client: Connection, sql: &str) -> Result<Self> {
        // From here on it has to be rolled back, whatever becomes of this future.
        let open = Self(Some(client));
        let client = open.client()?;
        client.noted(client.batch_execute(sql).await)?;
        Ok(open)
    }

    /// One whose first statement is still to be sent.
    pub(crate) fn new(client: Connection) -> Self {
        Self(Some(client))
    }

    pub(crate) fn client(&self) -> Result<&Connection> {
        let gone = || StoreError::new(StoreErrorKind::Io, "the transaction has ended");
        self.0.as_ref().ok_or_else(gone)
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        let client =
            self.0.take().ok_or_else(|| StoreError::new(StoreErrorKind::Io, "the transaction has ended"))?;
        // Given up while it is under way, it is closed: nobody knows what it has done.
        client.is_lost.store(true, Ordering::Relaxed);
        let ended = client.batch_execute("COMMIT").await.map_err(from_commit);
        let is_over = ended.as_ref().err().is_none_or(|error| error.kind() != StoreErrorKind::Io);
        client.is_lost.store(!is_over, Ordering::Relaxed);
        ended
    }

    pub(crate) async fn rollback(mut self) -> Result<()> {
        let Some(client) = self.0.take() else { return Ok(()) };
        client.noted(client.batch_execute("ROLLBACK").await)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(client) = self.0.take() else { return };
        // Polled once, the request is in the connection's queue, in front of whatever its next user asks; nobody waits
        // for the answer.
        let mut rollback = Box::pin(client.batch_execute("ROLLBACK"));
        let _ = rollback.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

/// What every connection is told first. The statements over documents are written so that an index leads to each row; a planner
/// that knows little of new tables is kept from other ideas, and plans each of them once.
fn set_up(config: &PostgresConfig) -> String {
    let schema = config.schema.replace('"', "\"\"");
    let lock_timeout = config.turn_timeout.as_millis();
    format!(
        "SET search_path TO \"{schema}\";
         SET lock_timeout TO {lock_timeout};
         SET TimeZone TO 'UTC';
         SET enable_seqscan TO off;
         SET enable_hashjoin TO off;
         SET enable_mergejoin TO off;
         SET jit TO off;
         SET plan_cache_mode TO force_generic_plan;
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
}

fn of_this_machine() -> Result<ClientConfig> {
    let unusable = |cause: rustls::Error| {
        StoreError::new(StoreErrorKind::Unsupported, "TLS cannot be set up").with_cause(cause)
    };
    let mut roots = RootCertStore::empty();
    // A certificate that cannot be read is as good as none; without any, a server that asks for TLS is refused.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
