//! Cursors: over a snapshot, or over what a transaction has found.

use std::sync::Arc;
use std::vec;

use async_trait::async_trait;
use backstitch::bson::RawDocumentBuf;
use backstitch::rules::ScopedQuery;
use backstitch::store::{Cursor, Result};
use futures_util::future::join3;
use tokio::sync::Mutex;

use crate::catalog::{Catalog, CatalogCache, version};
use crate::connection::Open;
use crate::walk::Walk;

/// An open read transaction. Its first statement goes out together with the one that opens it.
pub(crate) struct View {
    open: Open,
    cache: Arc<CatalogCache>,
    /// As of the transaction; `None` before it is opened.
    catalog: Mutex<Option<Arc<Catalog>>>,
}

/// Reads a snapshot, which it keeps open.
pub(crate) struct SnapshotCursor {
    pub(crate) view: Arc<View>,
    pub(crate) query: ScopedQuery,
    pub(crate) is_ordered: bool,
    pub(crate) walk: Option<Walk>,
}

/// What was found already.
pub(crate) struct Found(pub(crate) vec::IntoIter<RawDocumentBuf>);

impl View {
    pub(crate) fn new(open: Open, cache: Arc<CatalogCache>) -> Self {
        Self { open, cache, catalog: Mutex::new(None) }
    }
}

impl SnapshotCursor {
    fn planned(&self, catalog: &Catalog) -> Walk {
        let sort = if self.is_ordered { self.query.sort() } else { &[] };
        Walk::new(catalog, &self.query, sort)
    }

    /// Opens the snapshot, unless it is open, and asks for the first documents by the newest catalog that is known; should the
    /// snapshot have another one, they are asked for anew.
    async fn first(&mut self, batch: usize) -> Result<Vec<RawDocumentBuf>> {
        let view = Arc::clone(&self.view);
        let client = view.open.client()?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut catalog = view.catalog.lock().await;
        if let Some(catalog) = &*catalog {
            let mut walk = self.planned(catalog);
            let found = walk.next(client, batch).await;
            self.walk = Some(walk);
            return found;
        }
        let newest = view.cache.newest();
        let mut walk = self.planned(&newest);
        let (begun, version, found) =
            join3(client.batch_execute(begin), version(client), walk.next(client, batch)).await;
        client.noted(begun)?;
        let version = match version {
            Ok(version) => version,
            // What was asked for has spoilt the transaction before the version was read.
            Err(_) if found.is_err() => newest.version + 1,
            Err(error) => return Err(error),
        };
        if version == newest.version {
            *catalog = Some(newest);
            self.walk = Some(walk);
            return found;
        }
        if found.is_err() {
            // It was about a table that is no more, and has spoilt the transaction.
            client.noted(client.batch_execute("ROLLBACK").await)?;
            client.noted(client.batch_execute(begin).await)?;
        }
        let current = view.cache.of(client, crate::catalog::version(client).await?).await?;
        let mut walk = self.planned(&current);
        *catalog = Some(current);
        let found = walk.next(client, batch).await;
        self.walk = Some(walk);
        found
    }
}

#[async_trait]
impl Cursor for SnapshotCursor {
    async fn next(&mut self, batch: usize) -> Result<Vec<RawDocumentBuf>> {
        match &mut self.walk {
            Some(walk) => walk.next(self.view.open.client()?, batch).await,
            None => self.first(batch).await,
        }
    }
}

#[async_trait]
impl Cursor for Found {
    async fn next(&mut self, batch: usize) -> Result<Vec<RawDocumentBuf>> {
        Ok(self.0.by_ref().take(batch).collect())
    }
}
