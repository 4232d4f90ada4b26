//! What the file system and other processes do to a SQLite store, and what the store says then.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::error::Error;
use std::time::Duration;

use backstitch::bson::{Bson, RawDocumentBuf, doc};
use backstitch::env::Env;
use backstitch::id::CollectionId;
use backstitch::rules::{Access, Query};
use backstitch::store::{DocumentStore, Result, StoreErrorKind, TransactionOptions};
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

fn config(folder: &TempDir) -> SqliteConfig {
    let env = Env::system();
    SqliteConfig::new(folder.path().join("a.db"), env.executor, env.clock)
}

/// Does not wait for locks. A store that was dropped closes its file a moment later, which may take one:
/// only where nothing was dropped before.
fn impatient(folder: &TempDir) -> SqliteConfig {
    let mut config = config(folder);
    config.busy_timeout = Duration::from_millis(1);
    config
}

fn notes() -> Access {
    Access::system(CollectionId::new("app", "mongodb-atlas", "app", "notes"))
}

fn note(id: i32) -> RawDocumentBuf {
    RawDocumentBuf::try_from(&doc! { "_id": id, "text": "x".repeat(3_000) }).unwrap()
}

/// Writes these notes in one transaction.
async fn insert(store: &SqliteStore, ids: std::ops::Range<i32>) -> Result<()> {
    let mut transaction = store.begin(TransactionOptions::default()).await?;
    for id in ids {
        transaction.write(&[notes().insert(note(id)).unwrap()]).await?;
    }
    transaction.commit().await
}

async fn ids(store: &SqliteStore) -> Vec<Bson> {
    let query = notes().find(Query::default()).unwrap();
    let mut cursor = store.snapshot().await.unwrap().find(&query).await.unwrap();
    let documents = cursor.next(10_000).await.unwrap();
    documents.iter().map(|document| document.get("_id").unwrap().unwrap().try_into().unwrap()).collect()
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_by_name_and_left_alone() {
    let folder = TempDir::new().unwrap();
    drop(SqliteStore::open(config(&folder)).unwrap());
    let other = Connection::open(folder.path().join("a.db")).unwrap();
    other.execute("INSERT INTO schema_migrations (number, checksum) VALUES (9000, 1)", []).unwrap();
    let schema = |connection: &Connection| -> Vec<String> {
        let mut statement = connection.prepare("SELECT name FROM sqlite_schema ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect()
    };
    let before = schema(&other);
    let error = SqliteStore::open(config(&folder)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NewerSchema);
    assert_eq!(error.to_string(), "the database has schema 9000, which this version does not know");
    assert_eq!(schema(&other), before);
}

#[test]
fn a_file_of_another_application_is_refused() {
    let folder = TempDir::new().unwrap();
    let other = Connection::open(folder.path().join("a.db")).unwrap();
    other.execute_batch("CREATE TABLE theirs (x INTEGER)").unwrap();
    let error = SqliteStore::open(config(&folder)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert_eq!(error.to_string(), "the file belongs to another application");

    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("a.db"), "no database at all ".repeat(100)).unwrap();
    let error = SqliteStore::open(config(&folder)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn a_full_disk_is_an_error_that_writes_nothing_and_deletes_make_room_again() {
    let folder = TempDir::new().unwrap();
    let mut small = config(&folder);
    small.max_pages = Some(120);
    let store = SqliteStore::open(small).unwrap();
    insert(&store, 0..20).await.unwrap();
    // More than there is room for: not a part of it stays, and the writer lives on.
    let error = insert(&store, 100..400).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Io);
    assert!(error.source().unwrap().to_string().contains("full"), "{:?}", error.source());
    assert_eq!(ids(&store).await, (0..20).map(Bson::Int32).collect::<Vec<_>>());

    // Up to the brim, one by one.
    let mut next = 20;
    let error = loop {
        match insert(&store, next..next + 1).await {
            Ok(()) => next += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), StoreErrorKind::Io);
    assert!(next < 400, "{next}");
    assert_eq!(ids(&store).await.len(), next as usize);

    let mut transaction = store.begin(TransactionOptions::default()).await.unwrap();
    for id in 0..10 {
        transaction.write(&[notes().delete(&note(id)).unwrap()]).await.unwrap();
    }
    transaction.commit().await.unwrap();
    insert(&store, 1_000..1_005).await.unwrap();
    assert_eq!(ids(&store).await.len(), next as usize - 5);
    // What the file holds is whole.
    drop(store);
    let store = SqliteStore::open(config(&folder)).unwrap();
    assert_eq!(ids(&store).await.len(), next as usize - 5);
    insert(&store, 2_000..2_100).await.unwrap();
}

#[tokio::test]
async fn a_lock_of_another_process_is_busy_and_readers_go_on() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(impatient(&folder)).unwrap();
    insert(&store, 0..3).await.unwrap();
    let other = Connection::open(folder.path().join("a.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = insert(&store, 3..4).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (StoreErrorKind::Busy, "the database is locked"));
    assert_eq!(SqliteStore::open(impatient(&folder)).unwrap_err().kind(), StoreErrorKind::Busy);
    assert_eq!(ids(&store).await.len(), 3);
    other.execute_batch("ROLLBACK").unwrap();
    insert(&store, 3..4).await.unwrap();
    assert_eq!(ids(&store).await.len(), 4);
}
