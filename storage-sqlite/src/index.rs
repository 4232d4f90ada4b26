//! Writes to documents and to the indexes over them.
//!
//! 1. A document's place (`seq`) is given at its insert and kept by a replace: it is the order of insertion.
//! 2. Index rows change in the same transaction as the document.
//! 3. A unique index is asked before a row goes in; another document's key there is `DuplicateKey`.

use backstitch::bson::{Bson, RawDocument};
use backstitch::filter::Direction;
use backstitch::filter::key::{encode, index_keys};
use backstitch::id::CollectionId;
use backstitch::rules::{ScopedWrite, WriteOperation};
use backstitch::store::keyed::{Collection, Index, document_id};
use backstitch::store::{CollectionSpec, Result, StoreError, StoreErrorKind};
use rusqlite::{Connection, OptionalExtension, params};

use crate::catalog::CatalogCache;
use crate::error::{corrupt, from_sqlite};
use crate::users::execute;
use crate::writer::Backend;

/// Carries out one write; inside a write transaction.
pub(crate) fn apply(backend: &mut Backend, write: &ScopedWrite) -> Result<()> {
    let Backend { connection, catalog, .. } = backend;
    let collection = catalog.ensure(connection, write.collection())?;
    let mut target = Target { connection, catalog, collection: &collection, id: write.collection() };
    match write.operation() {
        WriteOperation::Insert(document) => target.insert(document),
        WriteOperation::Replace { id, document } => target.replace(id, document),
        WriteOperation::Delete { id } => target.delete(id),
    }
}

/// Gives a collection exactly the indexes of its specification; inside a write transaction.
pub(crate) fn prepare(backend: &mut Backend, spec: &CollectionSpec) -> Result<()> {
    let Backend { connection, catalog, .. } = backend;
    let collection = catalog.ensure(connection, &spec.id)?;
    for index in &collection.indexes {
        if !spec.indexes.contains(&index.spec) {
            catalog.drop_index(connection, index)?;
        }
    }
    for (position, wanted) in spec.indexes.iter().enumerate() {
        let listed_before = spec.indexes.iter().take(position).any(|earlier| earlier == wanted);
        if listed_before || collection.indexes.iter().any(|index| index.spec == *wanted) {
            continue;
        }
        let index = catalog.add_index(connection, &collection, wanted)?;
        Target { connection, catalog, collection: &collection, id: &spec.id }.fill(&index)?;
    }
    Ok(())
}

struct Target<'a> {
    connection: &'a Connection,
    catalog: &'a mut CatalogCache,
    collection: &'a Collection,
    id: &'a CollectionId,
}

impl Target<'_> {
    fn insert(&mut self, document: &RawDocument) -> Result<()> {
        let id = document_id(document)?;
        let sql = format!("INSERT INTO docs_{} (id, body) VALUES (?1, ?2)", self.collection.number);
        execute(self.connection, &sql, params![encode(&id, Direction::Ascending), document.as_bytes()])
            .map_err(|error| match error.kind() {
                StoreErrorKind::DuplicateKey => self.duplicate("_id_"),
                _ => error,
            })?;
        let seq = self.connection.last_insert_rowid();
        let collection = self.collection;
        for index in &collection.indexes {
            self.add_keys(index, seq, index_keys(document, &index.spec.keys))?;
        }
        Ok(())
    }

    fn replace(&mut self, id: &Bson, document: &RawDocument) -> Result<()> {
        let key = encode(id, Direction::Ascending);
        if encode(&document_id(document)?, Direction::Ascending) != key {
            return Err(StoreError::new(StoreErrorKind::Conflict, "a replace may not change the `_id`"));
        }
        let (seq, before) = self.present(&key)?;
        let before = RawDocument::from_bytes(&before).map_err(|_| corrupt("a document cannot be read"))?;
        let sql = format!("UPDATE docs_{} SET body = ?2 WHERE seq = ?1", self.collection.number);
        execute(self.connection, &sql, params![seq, document.as_bytes()])?;
        let collection = self.collection;
        for index in &collection.indexes {
            let old = index_keys(before, &index.spec.keys);
            let new = index_keys(document, &index.spec.keys);
            if old != new {
                self.remove_keys(index, seq, &old)?;
                self.add_keys(index, seq, new)?;
            }
        }
        Ok(())
    }

    fn delete(&mut self, id: &Bson) -> Result<()> {
        let (seq, before) = self.present(&encode(id, Direction::Ascending))?;
        let before = RawDocument::from_bytes(&before).map_err(|_| corrupt("a document cannot be read"))?;
        let collection = self.collection;
        for index in &collection.indexes {
            self.remove_keys(index, seq, &index_keys(before, &index.spec.keys))?;
        }
        let sql = format!("DELETE FROM docs_{} WHERE seq = ?1", self.collection.number);
        execute(self.connection, &sql, params![seq]).map(drop)
    }

    /// Indexes the documents that are already there.
    fn fill(&mut self, index: &Index) -> Result<()> {
        let sql = format!("SELECT seq, body FROM docs_{} ORDER BY seq", self.collection.number);
        let connection = self.connection;
        let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
        let mut rows = statement.query([]).map_err(from_sqlite)?;
        // Noted once at the end: the catalog would be read anew each time.
        let mut multikey = false;
        while let Some(row) = rows.next().map_err(from_sqlite)? {
            let body = row.get_ref(1).and_then(|body| Ok(body.as_blob()?)).map_err(from_sqlite)?;
            let body = RawDocument::from_bytes(body).map_err(|_| corrupt("a document cannot be read"))?;
            let keys = index_keys(body, &index.spec.keys);
            multikey |= keys.len() > 1;
            self.insert_keys(index, row.get(0).map_err(from_sqlite)?, &keys)?;
        }
        if multikey { self.catalog.set_multikey(self.connection, index) } else { Ok(()) }
    }

    fn add_keys(&mut self, index: &Index, seq: i64, keys: Vec<Vec<u8>>) -> Result<()> {
        if keys.len() > 1 && !index.multikey {
            self.catalog.set_multikey(self.connection, index)?;
        }
        self.insert_keys(index, seq, &keys)
    }

    fn insert_keys(&self, index: &Index, seq: i64, keys: &[Vec<u8>]) -> Result<()> {
        let number = index.number;
        for key in keys {
            if index.spec.unique {
                let sql = format!("SELECT 1 FROM idx_{number} WHERE key = ?1 AND seq <> ?2 LIMIT 1");
                let mut statement = self.connection.prepare_cached(&sql).map_err(from_sqlite)?;
                if statement.exists(params![key, seq]).map_err(from_sqlite)? {
                    return Err(self.duplicate(&index.name()));
                }
            }
            let sql = format!("INSERT INTO idx_{number} (key, seq) VALUES (?1, ?2)");
            execute(self.connection, &sql, params![key, seq])?;
        }
        Ok(())
    }

    fn remove_keys(&self, index: &Index, seq: i64, keys: &[Vec<u8>]) -> Result<()> {
        let sql = format!("DELETE FROM idx_{} WHERE key = ?1 AND seq = ?2", index.number);
        for key in keys {
            execute(self.connection, &sql, params![key, seq])?;
        }
        Ok(())
    }

    fn present(&self, key: &[u8]) -> Result<(i64, Vec<u8>)> {
        let sql = format!("SELECT seq, body FROM docs_{} WHERE id = ?1", self.collection.number);
        let mut statement = self.connection.prepare_cached(&sql).map_err(from_sqlite)?;
        let found = statement
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(from_sqlite)?;
        found.ok_or_else(|| {
            let message = format!("no document of that `_id` in `{}`", self.id);
            StoreError::new(StoreErrorKind::Conflict, message)
        })
    }

    fn duplicate(&self, index: &str) -> StoreError {
        let message = format!("duplicate key in `{}`, index `{index}`", self.id);
        StoreError::new(StoreErrorKind::DuplicateKey, message)
    }
}
