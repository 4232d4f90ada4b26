//! Writes to documents and to the indexes over them.
//!
//! 1. A document's place (`seq`) is given at its insert and kept by a replace: it is the order of insertion.
//! 2. Index rows change in the same transaction as the document.
//! 3. Writes of one sort to one collection that follow each other are carried out by the same statements, however many
//!    they are: two round trips, and one for each index.

use std::collections::HashMap;
use std::sync::Arc;

use backstitch::bson::{Bson, RawDocument};
use backstitch::filter::Direction;
use backstitch::filter::key::{encode, index_keys};
use backstitch::id::CollectionId;
use backstitch::rules::{ScopedWrite, WriteOperation};
use backstitch::store::keyed::{Collection, Index, document_id};
use backstitch::store::{Result, StoreError, StoreErrorKind};
use futures_util::future::try_join_all;

use crate::catalog::{Catalog, add_collection, set_cut_ids, set_multikey};
use crate::connection::{Connection, execute, query};
use crate::error::{constraint, corrupt};
use crate::json::text_of;
use crate::stored_key::{is_cut, stored};
use crate::users::column;

/// A key of an index with the place that it points at.
type Entry = (Vec<u8>, i64);

/// Where writes go: an open transaction, and the catalog as it sees it.
pub(crate) struct Target<'a> {
    pub(crate) client: &'a Connection,
    pub(crate) catalog: &'a mut Arc<Catalog>,
}

/// One document's part in a statement.
struct One<'a> {
    id: Vec<u8>,
    document: Option<&'a RawDocument>,
}

/// What changes in an index.
#[derive(Default)]
struct Changes {
    gone: Vec<Entry>,
    new: Vec<Entry>,
    /// A document has several keys, or a key is not kept whole.
    unordered: bool,
}

impl Target<'_> {
    /// Carries out writes in their order.
    pub(crate) async fn apply(&mut self, writes: &[ScopedWrite]) -> Result<()> {
        let mut rest = writes;
        while let Some(first) = rest.first() {
            let (mut run, mut keys) = (Vec::new(), std::collections::HashSet::new());
            for write in rest {
                let alike =
                    std::mem::discriminant(write.operation()) == std::mem::discriminant(first.operation());
                if !alike || write.collection() != first.collection() {
                    break;
                }
                let one = one_of(write.operation())?;
                // What is done twice to one document is done one after the other; a second insert fails anyway.
                if !keys.insert(one.id.clone()) {
                    break;
                }
                run.push(one);
            }
            rest = rest.get(run.len()..).unwrap_or_default();
            let id = first.collection();
            match first.operation() {
                WriteOperation::Insert(_) => self.insert(id, &run).await?,
                WriteOperation::Replace { .. } => self.replace(id, &run).await?,
                WriteOperation::Delete { .. } => self.delete(id, &run).await?,
            }
        }
        Ok(())
    }

    /// The collection, made when it is missing.
    pub(crate) async fn ensure(&mut self, id: &CollectionId) -> Result<Arc<Collection>> {
        if !self.catalog.collections.contains_key(id) {
            match add_collection(self.client, id).await {
                // Another transaction has just made it.
                Err(error) if error.kind() == StoreErrorKind::DuplicateKey => {
                    let contended =
                        StoreError::new(StoreErrorKind::Contended, "the collection was made meanwhile");
                    return Err(contended.with_cause(error));
                }
                made => made?,
            }
            self.refresh().await?;
        }
        self.catalog.collection(id)
    }

    /// Reads anew what this transaction has changed in the catalog.
    pub(crate) async fn refresh(&mut self) -> Result<()> {
        *self.catalog = Arc::new(Catalog::read(self.client).await?);
        Ok(())
    }

    async fn insert(&mut self, id: &CollectionId, run: &[One<'_>]) -> Result<()> {
        let mut collection = self.ensure(id).await?;
        if collection.whole_ids && run.iter().any(|one| is_cut(&one.id)) {
            set_cut_ids(self.client, collection.number).await?;
            self.refresh().await?;
            collection = self.catalog.collection(id)?;
        }
        let sql = format!(
            "INSERT INTO docs_{} (id, body, doc)
             SELECT n.id, n.body, n.doc::jsonb
             FROM unnest($1::bytea[], $2::bytea[], $3::text[]) WITH ORDINALITY AS n (id, body, doc, place)
             ORDER BY n.place RETURNING seq",
            collection.number
        );
        let ids: Vec<Vec<u8>> = run.iter().map(|one| stored(one.id.clone())).collect();
        let (bodies, texts) = bodies(run)?;
        let rows = query(self.client, &sql, &[&ids, &bodies, &texts]).await;
        let rows = rows.map_err(|error| duplicate(id, &collection, error))?;
        let mut changes = changes(&collection);
        for (one, row) in run.iter().zip(&rows) {
            note(&collection, &mut changes, column(row, 0)?, (None, one.document));
        }
        self.index(id, &collection, changes).await
    }

    async fn replace(&mut self, id: &CollectionId, run: &[One<'_>]) -> Result<()> {
        let collection = self.ensure(id).await?;
        let sql = format!(
            "SELECT id, seq, body FROM docs_{} WHERE id = ANY($1::bytea[]) FOR UPDATE",
            collection.number
        );
        let present = self.present(id, &sql, run).await?;
        let sql = format!(
            "UPDATE docs_{} d SET body = n.body, doc = n.doc::jsonb
             FROM unnest($1::bigint[], $2::bytea[], $3::text[]) AS n (seq, body, doc) WHERE d.seq = n.seq",
            collection.number
        );
        let places: Vec<i64> = present.iter().map(|(seq, _)| *seq).collect();
        let (bodies, texts) = bodies(run)?;
        execute(self.client, &sql, &[&places, &bodies, &texts]).await?;
        let mut changes = changes(&collection);
        for (one, (seq, before)) in run.iter().zip(&present) {
            note(&collection, &mut changes, *seq, (Some(readable(before)?), one.document));
        }
        self.index(id, &collection, changes).await
    }

    async fn delete(&mut self, id: &CollectionId, run: &[One<'_>]) -> Result<()> {
        let collection = self.ensure(id).await?;
        let sql = format!(
            "DELETE FROM docs_{} WHERE id = ANY($1::bytea[]) RETURNING id, seq, body",
            collection.number
        );
        let present = self.present(id, &sql, run).await?;
        let mut changes = changes(&collection);
        for (seq, before) in &present {
            note(&collection, &mut changes, *seq, (Some(readable(before)?), None));
        }
        self.index(id, &collection, changes).await
    }

    /// Place and body of what these writes are about, in their order.
    async fn present(&self, id: &CollectionId, sql: &str, run: &[One<'_>]) -> Result<Vec<(i64, Vec<u8>)>> {
        let ids: Vec<Vec<u8>> = run.iter().map(|one| stored(one.id.clone())).collect();
        let mut found = HashMap::new();
        for row in &query(self.client, sql, &[&ids]).await? {
            found.insert(column::<Vec<u8>>(row, 0)?, (column(row, 1)?, column(row, 2)?));
        }
        let one = |key| {
            found.remove(key).ok_or_else(|| {
                let message = format!("no document of that `_id` in `{id}`");
                StoreError::new(StoreErrorKind::Conflict, message)
            })
        };
        ids.iter().map(one).collect()
    }

    /// Changes the indexes of a collection, side by side.
    async fn index(
        &mut self,
        id: &CollectionId,
        collection: &Collection,
        changes: Vec<Changes>,
    ) -> Result<()> {
        let mut is_changed = false;
        for (index, change) in collection.indexes.iter().zip(&changes) {
            if change.unordered && !index.multikey {
                set_multikey(self.client, index.number).await?;
                is_changed = true;
            }
        }
        if is_changed {
            self.refresh().await?;
        }
        let client = self.client;
        let all = collection.indexes.iter().zip(changes);
        let each = all.map(|(index, change)| async move {
            remove_keys(client, index.number, &change.gone).await?;
            add_keys(client, index.number, &change.new).await
        });
        try_join_all(each).await.map(drop).map_err(|error| duplicate(id, collection, error))
    }
}

/// Adds keys to an index.
pub(crate) async fn add_keys(client: &Connection, index: i64, entries: &[Entry]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let sql = format!("INSERT INTO idx_{index} (key, seq) SELECT * FROM unnest($1::bytea[], $2::bigint[])");
    let (keys, places) = apart(entries);
    execute(client, &sql, &[&keys, &places]).await.map(drop)
}

async fn remove_keys(client: &Connection, index: i64, entries: &[Entry]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM idx_{index} i USING unnest($1::bytea[], $2::bigint[]) AS o (key, seq)
         WHERE i.key = o.key AND i.seq = o.seq"
    );
    let (keys, places) = apart(entries);
    execute(client, &sql, &[&keys, &places]).await.map(drop)
}

/// What an index has of a document, and whether it gives no order any more.
pub(crate) fn keys_of(document: &RawDocument, index: &Index) -> (Vec<Vec<u8>>, bool) {
    let keys = index_keys(document, &index.spec.keys);
    let unordered = keys.len() > 1 || keys.iter().any(|key| is_cut(key));
    (keys.into_iter().map(stored).collect(), unordered)
}

/// Says which index a duplicate key is in.
pub(crate) fn duplicate(id: &CollectionId, collection: &Collection, error: StoreError) -> StoreError {
    if error.kind() != StoreErrorKind::DuplicateKey {
        return error;
    }
    let broken = constraint(&error);
    let index = collection.indexes.iter().find(|index| broken == Some(&format!("idx_{}_key", index.number)));
    let name = index.map_or_else(|| "_id_".to_owned(), Index::name);
    let message = format!("duplicate key in `{id}`, index `{name}`");
    StoreError::new(StoreErrorKind::DuplicateKey, message).with_cause(error)
}

fn apart(entries: &[Entry]) -> (Vec<&[u8]>, Vec<i64>) {
    entries.iter().map(|(key, place)| (key.as_slice(), *place)).unzip()
}

fn changes(collection: &Collection) -> Vec<Changes> {
    collection.indexes.iter().map(|_| Changes::default()).collect()
}

/// Notes what a document that was, is, or both, changes in each index.
fn note(
    collection: &Collection,
    changes: &mut [Changes],
    place: i64,
    (before, after): (Option<&RawDocument>, Option<&RawDocument>),
) {
    for (index, change) in collection.indexes.iter().zip(changes) {
        let old = before.map(|document| keys_of(document, index).0).unwrap_or_default();
        let (new, unordered) = after.map(|document| keys_of(document, index)).unwrap_or_default();
        change.unordered |= unordered;
        change.gone.extend(old.iter().filter(|key| !new.contains(key)).map(|key| (key.clone(), place)));
        change.new.extend(new.iter().filter(|key| !old.contains(key)).map(|key| (key.clone(), place)));
    }
}

fn bodies<'a>(run: &[One<'a>]) -> Result<(Vec<&'a [u8]>, Vec<String>)> {
    let (mut bodies, mut texts) = (Vec::with_capacity(run.len()), Vec::with_capacity(run.len()));
    for document in run.iter().filter_map(|one| one.document) {
        bodies.push(document.as_bytes());
        texts.push(text_of(document)?);
    }
    Ok((bodies, texts))
}

fn one_of(operation: &WriteOperation) -> Result<One<'_>> {
    let key = |id: &Bson| encode(id, Direction::Ascending);
    Ok(match operation {
        WriteOperation::Insert(document) => {
            One { id: key(&document_id(document)?), document: Some(document) }
        }
        WriteOperation::Replace { id, document } => {
            if key(&document_id(document)?) != key(id) {
                return Err(StoreError::new(StoreErrorKind::Conflict, "a replace may not change the `_id`"));
            }
            One { id: key(id), document: Some(document) }
        }
        WriteOperation::Delete { id } => One { id: key(id), document: None },
    })
}

fn readable(bytes: &[u8]) -> Result<&RawDocument> {
    RawDocument::from_bytes(bytes).map_err(|_| corrupt("a document cannot be read"))
}
