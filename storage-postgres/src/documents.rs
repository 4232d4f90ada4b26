//! Documents: snapshots, transactions, collections and indexes made ready.

use std::sync::Arc;

use async_trait::async_trait;
use backstitch::bson::RawDocument;
use backstitch::id::CollectionId;
use backstitch::rules::ScopedQuery;
use backstitch::store::keyed::{Collection, Index};
use backstitch::store::{
    Capabilities, CollectionSpec, Cursor, DocumentStore, IndexSpec, Result, Snapshot, Transaction,
    TransactionOptions,
};

use crate::PostgresStore;
use crate::catalog::{Catalog, add_index, drop_index, set_multikey};
use crate::connection::{Connection, Open, query};
use crate::cursor::{SnapshotCursor, View};
use crate::error::corrupt;
use crate::index::{Target, add_keys, duplicate, keys_of};
use crate::transaction::PostgresTransaction;
use crate::users::column;

/// So many documents are indexed by one statement.
const FILLED: i64 = 1000;

#[async_trait]
impl DocumentStore for PostgresStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { persistent: true, snapshot_isolation: true }
    }

    async fn prepare(&self, collections: &[CollectionSpec]) -> Result<()> {
        // Of many processes that start at once, those that find everything ready lock nobody out.
        let client = self.connections.get().await?;
        if is_ready(&Catalog::read(&client).await?, collections) {
            return Ok(());
        }
        // Whoever writes documents has to know all indexes: no such transaction is open meanwhile.
        let begin = "BEGIN; LOCK TABLE catalog_version IN EXCLUSIVE MODE";
        let open = Open::begin(client, begin).await?;
        let client = open.client()?;
        let mut catalog = Arc::new(Catalog::read(client).await?);
        for spec in collections {
            prepare(client, &mut catalog, spec).await?;
        }
        open.commit().await
    }

    async fn collections(&self) -> Result<Vec<CollectionSpec>> {
        let catalog = Catalog::read(&self.connections.get().await?).await?;
        let spec = |(id, collection): (&CollectionId, &Arc<Collection>)| collection.spec(id);
        let mut collections: Vec<_> = catalog.collections.iter().map(spec).collect();
        collections.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(collections)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        let view = View::new(Open::new(self.connections.get().await?), Arc::clone(&self.catalog));
        Ok(Box::new(PostgresSnapshot(Arc::new(view))))
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn Transaction>> {
        Ok(Box::new(PostgresTransaction::begin(self, options).await?))
    }
}

/// An open read transaction.
struct PostgresSnapshot(Arc<View>);

impl PostgresSnapshot {
    fn cursor(&self, query: &ScopedQuery, is_ordered: bool) -> SnapshotCursor {
        SnapshotCursor { view: Arc::clone(&self.0), query: query.clone(), is_ordered, walk: None }
    }
}

#[async_trait]
impl Snapshot for PostgresSnapshot {
    async fn find(&self, query: &ScopedQuery) -> Result<Box<dyn Cursor>> {
        Ok(Box::new(self.cursor(query, true)))
    }

    async fn count(&self, query: &ScopedQuery) -> Result<u64> {
        let (mut cursor, mut count) = (self.cursor(query, false), 0);
        loop {
            let found = cursor.next(1000).await?.len();
            if found == 0 {
                return Ok(count);
            }
            count += found as u64;
        }
    }
}

fn is_ready(catalog: &Catalog, collections: &[CollectionSpec]) -> bool {
    collections.iter().all(|spec| {
        catalog.collections.get(&spec.id).is_some_and(|known| {
            let known = |wanted: &IndexSpec| known.indexes.iter().any(|index| index.spec == *wanted);
            spec.indexes.iter().all(known)
        }) && superfluous(catalog, spec).is_empty()
    })
}

fn superfluous(catalog: &Catalog, spec: &CollectionSpec) -> Vec<Index> {
    let Some(collection) = catalog.collections.get(&spec.id) else { return Vec::new() };
    collection.indexes.iter().filter(|index| !spec.indexes.contains(&index.spec)).cloned().collect()
}

/// Gives a collection exactly the indexes of its specification.
async fn prepare(client: &Connection, catalog: &mut Arc<Catalog>, spec: &CollectionSpec) -> Result<()> {
    let mut target = Target { client, catalog };
    let collection = target.ensure(&spec.id).await?;
    for index in superfluous(target.catalog, spec) {
        drop_index(client, &index).await?;
    }
    for (position, wanted) in spec.indexes.iter().enumerate() {
        let listed_before = spec.indexes.iter().take(position).any(|earlier| earlier == wanted);
        if listed_before || collection.indexes.iter().any(|index| index.spec == *wanted) {
            continue;
        }
        let number = add_index(client, &collection, wanted).await?;
        let index = Index { number, spec: wanted.clone(), multikey: false };
        fill(client, (&spec.id, &collection), index).await?;
    }
    target.refresh().await
}

/// Indexes the documents that are already there.
async fn fill(
    client: &Connection,
    (id, collection): (&CollectionId, &Collection),
    index: Index,
) -> Result<()> {
    let sql =
        format!("SELECT seq, body FROM docs_{} WHERE seq > $1 ORDER BY seq LIMIT $2", collection.number);
    let (mut after, mut is_unordered) = (i64::MIN, false);
    loop {
        let rows = query(client, &sql, &[&after, &FILLED]).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            after = column(row, 0)?;
            let body = RawDocument::from_bytes(column::<&[u8]>(row, 1)?);
            let (keys, unordered) = keys_of(body.map_err(|_| corrupt("a document cannot be read"))?, &index);
            is_unordered |= unordered;
            entries.extend(keys.into_iter().map(|key| (key, after)));
        }
        let added = add_keys(client, index.number, &entries).await;
        let with_it = Collection { indexes: vec![index.clone()], ..collection.clone() };
        added.map_err(|error| duplicate(id, &with_it, error))?;
        if rows.is_empty() {
            break;
        }
    }
    if is_unordered { set_multikey(client, index.number).await } else { Ok(()) }
}
