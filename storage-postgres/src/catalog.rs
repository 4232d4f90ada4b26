//! Which collections and indexes there are.
//!
//! 1. The catalog belongs to a version, which is read in the same transaction as the data, so the two always agree.
//! 2. What a transaction changes in it, it alone sees until it has committed; only committed catalogs are shared.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use backstitch::id::CollectionId;
use backstitch::store::keyed::{Collection, Index};
use backstitch::store::{IndexSpec, Result};
use tokio_postgres::SimpleQueryMessage;

use crate::connection::{Connection, execute, query};
use crate::error::{corrupt, from_postgres};
use crate::text::{from_column, to_column};
use crate::users::column;

/// Reads the version; the last of the statements that open a transaction.
pub(crate) const VERSION: &str = "SELECT version FROM catalog_version";

/// The collections of one version.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) version: i64,
    pub(crate) collections: HashMap<CollectionId, Arc<Collection>>,
}

/// The newest committed catalog that this process has seen.
#[derive(Default)]
pub(crate) struct CatalogCache(Mutex<Arc<Catalog>>);

impl CatalogCache {
    pub(crate) fn newest(&self) -> Arc<Catalog> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The catalog of a version, which an open transaction has read and not changed.
    pub(crate) async fn of(&self, client: &Connection, version: i64) -> Result<Arc<Catalog>> {
        let known = self.newest();
        if known.version == version {
            return Ok(known);
        }
        let catalog = Arc::new(Catalog::read(client).await?);
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.version < catalog.version {
            *newest = Arc::clone(&catalog);
        }
        Ok(catalog)
    }
}

/// Sends the statements that open a transaction, of which the last is [`VERSION`]; the version that it reads.
pub(crate) async fn opened(client: &Connection, sql: &str) -> Result<i64> {
    let answers = client.noted(client.simple_query(sql).await)?;
    let version = answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0).and_then(|version| version.parse().ok()),
        _ => None,
    });
    version.ok_or_else(|| corrupt("the catalog has no version"))
}

/// The version as the open transaction sees it; prepared, where [`opened`] is not.
pub(crate) async fn version(client: &Connection) -> Result<i64> {
    let statement = client.noted(client.prepare_cached(VERSION).await)?;
    let rows = client.noted(client.query(&statement, &[]).await)?;
    rows.first().map_or_else(|| Err(corrupt("the catalog has no version")), |row| column(row, 0))
}

impl Catalog {
    /// As the transaction sees it.
    pub(crate) async fn read(client: &Connection) -> Result<Self> {
        let version = version(client).await?;
        let sql = "SELECT id, collection, definition, is_unique, multikey FROM indexes ORDER BY id";
        let mut indexes: HashMap<i64, Vec<Index>> = HashMap::new();
        for row in &query(client, sql, &[]).await? {
            let keys = IndexSpec::defined_keys(&from_column(column(row, 2)?))
                .ok_or_else(|| corrupt("an index's definition cannot be read"))?;
            let spec = IndexSpec { keys, unique: column(row, 3)? };
            let index = Index { number: column(row, 0)?, spec, multikey: column(row, 4)? };
            indexes.entry(column(row, 1)?).or_default().push(index);
        }
        let sql = "SELECT id, data_group, service, database, name, whole_ids FROM collections";
        let mut collections = HashMap::new();
        for row in &query(client, sql, &[]).await? {
            let text = |at| column(row, at).map(from_column);
            let id = CollectionId::new(text(1)?, text(2)?, text(3)?, text(4)?);
            let number = column(row, 0)?;
            let indexes = indexes.remove(&number).unwrap_or_default();
            collections.insert(id, Arc::new(Collection { number, indexes, whole_ids: column(row, 5)? }));
        }
        Ok(Self { version, collections })
    }

    pub(crate) fn collection(&self, id: &CollectionId) -> Result<Arc<Collection>> {
        self.collections.get(id).cloned().ok_or_else(|| corrupt("a collection is not in the catalog"))
    }
}

/// Makes a collection's table.
pub(crate) async fn add_collection(client: &Connection, id: &CollectionId) -> Result<()> {
    let sql =
        "INSERT INTO collections (data_group, service, database, name) VALUES ($1, $2, $3, $4) RETURNING id";
    let texts = [&*id.group, &*id.service, &*id.database, &*id.name].map(to_column);
    let [group, service, database, name] = &texts;
    let rows = query(client, sql, &[group, service, database, name]).await?;
    let number: i64 =
        rows.first().map_or_else(|| Err(corrupt("a new collection has no number")), |row| column(row, 0))?;
    let told = id.to_string().replace('\0', " ").replace('\'', "''");
    let sql = format!(
        "CREATE TABLE docs_{number} (
             seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
             id bytea NOT NULL CONSTRAINT docs_{number}_id UNIQUE,
             body bytea NOT NULL,
             doc jsonb NOT NULL);
         COMMENT ON TABLE docs_{number} IS E'{}'",
        told.replace('\\', "\\\\")
    );
    client.batch_execute(&sql).await.map_err(from_postgres)?;
    changed(client).await
}

/// Makes an empty index; its number.
pub(crate) async fn add_index(client: &Connection, collection: &Collection, spec: &IndexSpec) -> Result<i64> {
    let sql = "INSERT INTO indexes (collection, definition, is_unique) VALUES ($1, $2, $3) RETURNING id";
    let definition = spec.definition();
    let rows = query(client, sql, &[&collection.number, &to_column(&definition), &spec.unique]).await?;
    let number: i64 =
        rows.first().map_or_else(|| Err(corrupt("a new index has no number")), |row| column(row, 0))?;
    let key = if spec.unique { "key" } else { "key, seq" };
    let sql = format!(
        "CREATE TABLE idx_{number} (key bytea NOT NULL, seq bigint NOT NULL,
             CONSTRAINT idx_{number}_key PRIMARY KEY ({key}));
         COMMENT ON TABLE idx_{number} IS 'an index of docs_{}: see the table indexes'",
        collection.number
    );
    client.batch_execute(&sql).await.map_err(from_postgres)?;
    changed(client).await.map(|()| number)
}

/// Removes an index.
pub(crate) async fn drop_index(client: &Connection, index: &Index) -> Result<()> {
    execute(client, "DELETE FROM indexes WHERE id = $1", &[&index.number]).await?;
    client.batch_execute(&format!("DROP TABLE idx_{}", index.number)).await.map_err(from_postgres)?;
    changed(client).await
}

/// Notes that an index gives no order.
pub(crate) async fn set_multikey(client: &Connection, index: i64) -> Result<()> {
    execute(client, "UPDATE indexes SET multikey = true WHERE id = $1", &[&index]).await?;
    changed(client).await
}

/// Notes that the keys of a collection's `_id`s give no order.
pub(crate) async fn set_cut_ids(client: &Connection, collection: i64) -> Result<()> {
    execute(client, "UPDATE collections SET whole_ids = false WHERE id = $1", &[&collection]).await?;
    changed(client).await
}

async fn changed(client: &Connection) -> Result<()> {
    execute(client, "UPDATE catalog_version SET version = version + 1", &[]).await.map(drop)
}
