//! Which collections and indexes there are.
//!
//! 1. The catalog is read with the data, in the same transaction, so the two always agree.
//! 2. Every change of it raises `catalog_version`; a connection reads the catalog anew only then.
//! 3. An index is *multikey* once any document had more than one key in it, and stays so.

use std::collections::HashMap;
use std::sync::Arc;

use backstitch::id::CollectionId;
use backstitch::store::keyed::{Collection, Index};
use backstitch::store::{IndexSpec, Result};
use rusqlite::{Connection, params};

use crate::error::{corrupt, from_sqlite};
use crate::users::execute;

/// What a connection knows of the catalog.
#[derive(Default)]
pub(crate) struct CatalogCache {
    version: i64,
    collections: Arc<Collections>,
}

/// The collections by their ids.
pub(crate) type Collections = HashMap<CollectionId, Arc<Collection>>;

impl CatalogCache {
    /// Reads the catalog if it has changed since; inside a transaction.
    pub(crate) fn refresh(&mut self, connection: &Connection) -> Result<()> {
        let mut statement =
            connection.prepare_cached("SELECT version FROM catalog_version").map_err(from_sqlite)?;
        let version: i64 = statement.query_row([], |row| row.get(0)).map_err(from_sqlite)?;
        if version != self.version {
            self.collections = Arc::new(read(connection)?);
            self.version = version;
        }
        Ok(())
    }

    /// The collections as of the last refresh.
    pub(crate) fn collections(&self) -> Arc<Collections> {
        Arc::clone(&self.collections)
    }

    /// The collection, made when it is missing; inside a write transaction.
    pub(crate) fn ensure(&mut self, connection: &Connection, id: &CollectionId) -> Result<Arc<Collection>> {
        self.refresh(connection)?;
        if let Some(present) = self.collections.get(id) {
            return Ok(Arc::clone(present));
        }
        let sql = "INSERT INTO collections (data_group, service, database, name) VALUES (?1, ?2, ?3, ?4)";
        execute(connection, sql, params![&*id.group, &*id.service, &*id.database, &*id.name])?;
        let number = connection.last_insert_rowid();
        connection
            .execute_batch(&format!(
                "CREATE TABLE docs_{number}
                     (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, body BLOB NOT NULL) STRICT"
            ))
            .map_err(from_sqlite)?;
        self.changed(connection)?;
        self.collections.get(id).cloned().ok_or_else(|| corrupt("a new collection is not in the catalog"))
    }

    /// Adds an empty index; inside a write transaction.
    pub(crate) fn add_index(
        &mut self,
        connection: &Connection,
        collection: &Collection,
        spec: &IndexSpec,
    ) -> Result<Index> {
        let sql = "INSERT INTO indexes (collection, definition, is_unique, multikey) VALUES (?1, ?2, ?3, 0)";
        execute(connection, sql, params![collection.number, spec.definition(), spec.unique])?;
        let number = connection.last_insert_rowid();
        connection
            .execute_batch(&format!(
                "CREATE TABLE idx_{number} (key BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq))
                     STRICT, WITHOUT ROWID"
            ))
            .map_err(from_sqlite)?;
        self.changed(connection)?;
        Ok(Index { number, spec: spec.clone(), multikey: false })
    }

    /// Removes an index; inside a write transaction.
    pub(crate) fn drop_index(&mut self, connection: &Connection, index: &Index) -> Result<()> {
        execute(connection, "DELETE FROM indexes WHERE id = ?1", params![index.number])?;
        connection.execute_batch(&format!("DROP TABLE idx_{}", index.number)).map_err(from_sqlite)?;
        self.changed(connection)
    }

    /// Notes that a document has several keys in the index; inside a write transaction.
    pub(crate) fn set_multikey(&mut self, connection: &Connection, index: &Index) -> Result<()> {
        execute(connection, "UPDATE indexes SET multikey = 1 WHERE id = ?1", params![index.number])?;
        self.changed(connection)
    }

    fn changed(&mut self, connection: &Connection) -> Result<()> {
        execute(connection, "UPDATE catalog_version SET version = version + 1", [])?;
        self.refresh(connection)
    }
}

fn read(connection: &Connection) -> Result<Collections> {
    let mut indexes = read_indexes(connection)?;
    let mut statement = connection
        .prepare_cached("SELECT id, data_group, service, database, name FROM collections")
        .map_err(from_sqlite)?;
    let rows = statement
        .query_map([], |row| {
            let text = |column| row.get::<_, String>(column);
            Ok((row.get(0)?, CollectionId::new(text(1)?, text(2)?, text(3)?, text(4)?)))
        })
        .map_err(from_sqlite)?;
    let mut collections = HashMap::new();
    for row in rows {
        let (number, id): (i64, CollectionId) = row.map_err(from_sqlite)?;
        let indexes = indexes.remove(&number).unwrap_or_default();
        collections.insert(id, Arc::new(Collection { number, indexes, whole_ids: true }));
    }
    Ok(collections)
}

fn read_indexes(connection: &Connection) -> Result<HashMap<i64, Vec<Index>>> {
    let mut statement = connection
        .prepare_cached("SELECT id, collection, definition, is_unique, multikey FROM indexes ORDER BY id")
        .map_err(from_sqlite)?;
    let mut rows = statement.query([]).map_err(from_sqlite)?;
    let mut indexes: HashMap<i64, Vec<Index>> = HashMap::new();
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        let definition: String = row.get(2).map_err(from_sqlite)?;
        let keys = IndexSpec::defined_keys(&definition)
            .ok_or_else(|| corrupt("an index's definition cannot be read"))?;
        let spec = IndexSpec { keys, unique: row.get(3).map_err(from_sqlite)? };
        let index = Index {
            number: row.get(0).map_err(from_sqlite)?,
            spec,
            multikey: row.get(4).map_err(from_sqlite)?,
        };
        indexes.entry(row.get(1).map_err(from_sqlite)?).or_default().push(index);
    }
    Ok(indexes)
}
