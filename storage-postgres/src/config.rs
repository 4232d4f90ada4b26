//! How a database is connected to.

use std::sync::Arc;
use std::time::Duration;

use backstitch::env::Clock;

/// How a database is connected to.
#[derive(Clone)]
#[non_exhaustive]
pub struct PostgresConfig {
    /// The address: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require`, or `host=… user=…`, as libpq knows
    /// them.
    pub url: String,
    /// The schema that everything lies in; stores in two schemas share nothing.
    pub schema: String,
    /// The schema is made when it is missing; otherwise that is `Unsupported`.
    pub create: bool,
    /// How many connections are open at once. Every open snapshot and transaction holds one.
    pub connections: usize,
    /// How long a request waits for a connection, and a transaction for a lock, before it is `Busy`.
    pub turn_timeout: Duration,
    /// How long it may take to connect.
    pub connect_timeout: Duration,
    /// How TLS is spoken where the address asks for it. Absent, the machine's own root certificates are trusted.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// The time, for deadlines.
    pub clock: Arc<dyn Clock>,
}

impl PostgresConfig {
    /// The defaults for an address.
    pub fn new(url: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            url: url.into(),
            schema: "backstitch".to_owned(),
            create: true,
            connections: 16,
            turn_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            tls: None,
            clock,
        }
    }
}

impl std::fmt::Debug for PostgresConfig {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresConfig").field("schema", &self.schema).finish_non_exhaustive()
    }
}
