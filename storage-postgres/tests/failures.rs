//! What happens to a PostgreSQL server, and what the store says then.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use backstitch::bson::{Bson, RawDocumentBuf, doc};
use backstitch::env::Env;
use backstitch::id::{AppId, CollectionId};
use backstitch::rules::{Access, Query};
use backstitch::store::{
    CollectionSpec, DocumentStore, IndexKey, IndexSpec, MetaStore, ReadExt, Result, StoreErrorKind,
    Transaction, TransactionOptions,
};
use backstitch_storage_postgres::{PostgresConfig, PostgresStore};
use backstitch_test_postgres::Server;

fn config(server: &Server, schema: &str) -> PostgresConfig {
    let mut config = PostgresConfig::new(server.url(), Env::system().clock);
    config.schema = schema.to_owned();
    config
}

fn notes() -> Access {
    Access::system(CollectionId::new("app", "mongodb-atlas", "app", "notes"))
}

fn note(id: i32) -> RawDocumentBuf {
    RawDocumentBuf::try_from(&doc! { "_id": id, "text": "it's \u{0} a note", "tags": ["a", "b"] }).unwrap()
}

async fn write(transaction: &mut Box<dyn Transaction>, id: i32) -> Result<()> {
    transaction.write(&[notes().insert(note(id)).unwrap()]).await
}

/// Inserts a note, as often as other transactions come in between.
async fn insert(store: &PostgresStore, id: i32) -> Result<()> {
    let mut options = TransactionOptions::default();
    loop {
        match insert_once(store, id, options).await {
            Err(error) if error.kind() == StoreErrorKind::Contended => options.attempt += 1,
            done => return done,
        }
    }
}

async fn insert_once(store: &PostgresStore, id: i32, options: TransactionOptions) -> Result<()> {
    let mut transaction = store.begin(options).await?;
    write(&mut transaction, id).await?;
    transaction.commit().await
}

async fn ids(store: &PostgresStore) -> Result<Vec<Bson>> {
    let query = notes().find(Query::default()).unwrap();
    let documents = store.snapshot().await?.find(&query).await?.collect_scoped(&query).await?;
    Ok(documents.iter().map(|one| one.get("_id").unwrap().unwrap().try_into().unwrap()).collect())
}

fn numbers(ids: std::ops::RangeInclusive<i32>) -> Vec<Bson> {
    ids.map(Bson::Int32).collect()
}

#[tokio::test]
async fn a_newer_schema_is_refused_by_name_and_left_alone() {
    let Some(server) = Server::shared() else { return };
    drop(PostgresStore::open(config(server, "newer")).await.unwrap());
    server.psql("INSERT INTO newer.schema_migrations VALUES (9000, 1)");
    let error = PostgresStore::open(config(server, "newer")).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NewerSchema);
    assert_eq!(error.to_string(), "the database has schema 9000, which this version does not know");
    server.psql("DELETE FROM newer.schema_migrations WHERE number = 9000; UPDATE newer.schema_migrations SET checksum = 1");
    assert_eq!(
        PostgresStore::open(config(server, "newer")).await.unwrap_err().kind(),
        StoreErrorKind::Corrupt
    );
}

#[tokio::test]
async fn a_schema_that_nobody_has_made_is_only_made_by_who_may() {
    let Some(server) = Server::shared() else { return };
    let mut absent = config(server, "absent \"quoted\"");
    absent.create = false;
    let error = PostgresStore::open(absent.clone()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unsupported);
    assert_eq!(error.to_string(), "there is no schema `absent \"quoted\"` in the database");
    absent.create = true;
    insert(&PostgresStore::open(absent).await.unwrap(), 1).await.unwrap();
}

#[tokio::test]
async fn a_database_of_another_encoding_is_refused() {
    let Some(server) = Server::shared() else { return };
    server.psql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    let mut latin = config(server, "latin");
    latin.url = format!("{}/latin", latin.url.strip_suffix("/postgres").unwrap());
    let error = PostgresStore::open(latin).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unsupported);
    assert_eq!(error.to_string(), "a database of the encoding UTF8 is needed; this one is LATIN1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_processes_may_start_at_once() {
    let Some(server) = Server::shared() else { return };
    let spec = Arc::new([CollectionSpec {
        id: notes().collection().clone(),
        indexes: vec![IndexSpec {
            keys: vec![IndexKey { path: "tags".into(), direction: backstitch::filter::Direction::Ascending }],
            unique: false,
        }],
    }]);
    let starting: Vec<_> = (0..10)
        .map(|number| {
            let (config, spec) = (config(server, "ten"), Arc::clone(&spec));
            tokio::spawn(async move {
                let store = PostgresStore::open(config).await.unwrap();
                store.prepare(&*spec).await.unwrap();
                insert(&store, number).await.unwrap();
            })
        })
        .collect();
    for started in starting {
        started.await.unwrap();
    }
    let store = PostgresStore::open(config(server, "ten")).await.unwrap();
    assert_eq!(ids(&store).await.unwrap().len(), 10);
    assert_eq!(server.psql("SELECT count(*) FROM ten.idx_1"), "20");
}

#[tokio::test]
async fn what_is_stored_is_readable_at_a_terminal() {
    let Some(server) = Server::shared() else { return };
    let store = PostgresStore::open(config(server, "psql")).await.unwrap();
    insert(&store, 7).await.unwrap();
    let told =
        server.psql("SELECT doc->>'text', doc->'tags'->>1 FROM psql.docs_1 WHERE doc @> '{\"_id\": 7}'");
    assert_eq!(told, "it's \u{FFFD} a note|b");
    assert_eq!(
        server.psql("SELECT obj_description('psql.docs_1'::regclass)"),
        notes().collection().to_string()
    );
    assert_eq!(server.psql("SELECT database, name FROM psql.collections"), "app|notes");
}

#[tokio::test]
async fn an_index_that_another_process_makes_is_kept_and_used_at_once() {
    let Some(server) = Server::shared() else { return };
    let (old, new) = (
        PostgresStore::open(config(server, "indexes")).await.unwrap(),
        PostgresStore::open(config(server, "indexes")).await.unwrap(),
    );
    insert(&old, 1).await.unwrap();
    let by = |path: &str| IndexSpec {
        keys: vec![IndexKey { path: path.into(), direction: backstitch::filter::Direction::Ascending }],
        unique: false,
    };
    let spec = |indexes| [CollectionSpec { id: notes().collection().clone(), indexes }];
    new.prepare(&spec(vec![by("tags")])).await.unwrap();
    insert(&old, 2).await.unwrap();
    assert_eq!(server.psql("SELECT count(*) FROM indexes.idx_1"), "4", "the old process keeps the new index");
    let tagged = notes()
        .find(Query { filter: backstitch::filter::Filter::eq("tags", "b"), ..Query::default() })
        .unwrap();
    for store in [&old, &new] {
        let found =
            store.snapshot().await.unwrap().find(&tagged).await.unwrap().collect_scoped(&tagged).await;
        assert_eq!(found.unwrap().len(), 2);
    }
    // It goes away under the other's feet.
    new.prepare(&spec(vec![])).await.unwrap();
    let found = old.snapshot().await.unwrap().find(&tagged).await.unwrap().collect_scoped(&tagged).await;
    assert_eq!(found.unwrap().len(), 2);
    insert(&old, 3).await.unwrap();
    assert_eq!(ids(&new).await.unwrap(), numbers(1..=3));
}

#[tokio::test]
async fn a_connection_that_is_killed_in_a_transaction_is_busy_and_leaves_nothing() {
    let Some(server) = Server::shared() else { return };
    let store = PostgresStore::open(config(server, "killed")).await.unwrap();
    insert(&store, 1).await.unwrap();
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE application_name = 'killed' AND state = 'idle in transaction'";
    let mut named = config(server, "killed");
    named.url.push_str("?application_name=killed");
    let store_named = PostgresStore::open(named).await.unwrap();
    let mut transaction = store_named.begin(TransactionOptions::default()).await.unwrap();
    write(&mut transaction, 2).await.unwrap();
    assert_eq!(server.psql(kill), "1");
    let error = write(&mut transaction, 3).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Busy, "{error:?}");
    assert!(transaction.commit().await.is_err());
    // Killed right before its commit: nobody can say whether it was done, and so nobody does.
    let mut transaction = store_named.begin(TransactionOptions::default()).await.unwrap();
    write(&mut transaction, 4).await.unwrap();
    assert_eq!(server.psql(kill), "1");
    let error = transaction.commit().await.unwrap_err();
    assert!([StoreErrorKind::Io, StoreErrorKind::Busy].contains(&error.kind()), "{error:?}");
    assert_eq!(ids(&store_named).await.unwrap(), numbers(1..=1));
    insert(&store_named, 2).await.unwrap();
    assert_eq!(ids(&store).await.unwrap(), numbers(1..=2));
}

#[tokio::test]
async fn a_server_that_restarts_is_busy_and_everything_acknowledged_is_there() {
    let Some(mut server) = Server::start() else { return };
    let mut patient = config(&server, "restart");
    patient.connect_timeout = Duration::from_secs(1);
    let store = PostgresStore::open(patient).await.unwrap();
    let app = AppId::new("a");
    for id in 1..=3 {
        insert(&store, id).await.unwrap();
        let mut open = store.begin(TransactionOptions::default()).await.unwrap();
        write(&mut open, 100 + id).await.unwrap();
        store.meta_or_insert(&app, &format!("key{id}"), "x").await.unwrap();
        server.kill();
        assert!(write(&mut open, 200 + id).await.is_err());
        assert_eq!(store.meta(&app, "key1").await.unwrap_err().kind(), StoreErrorKind::Busy);
        assert_eq!(insert(&store, 99).await.unwrap_err().kind(), StoreErrorKind::Busy);
        assert_eq!(ids(&store).await.unwrap_err().kind(), StoreErrorKind::Busy);
        server.go();
        assert_eq!(ids(&store).await.unwrap(), numbers(1..=id), "by itself");
        assert_eq!(store.facts(&app).await.unwrap().len(), usize::try_from(id).unwrap());
    }
}

#[tokio::test]
async fn without_a_free_connection_it_is_busy() {
    let Some(server) = Server::shared() else { return };
    let mut narrow = config(server, "narrow");
    narrow.connections = 2;
    narrow.turn_timeout = Duration::from_millis(50);
    let store = PostgresStore::open(narrow).await.unwrap();
    insert(&store, 1).await.unwrap();
    let held = (store.snapshot().await.unwrap(), store.begin(TransactionOptions::default()).await.unwrap());
    assert_eq!(ids(&store).await.unwrap_err().kind(), StoreErrorKind::Busy);
    assert_eq!(insert(&store, 2).await.unwrap_err().kind(), StoreErrorKind::Busy);
    drop(held);
    insert(&store, 2).await.unwrap();
    assert_eq!(ids(&store).await.unwrap(), numbers(1..=2));
}

#[tokio::test]
async fn a_lock_that_does_not_come_free_is_busy() {
    let Some(server) = Server::shared() else { return };
    let mut impatient = config(server, "locked");
    impatient.turn_timeout = Duration::from_millis(50);
    let store = PostgresStore::open(impatient).await.unwrap();
    insert(&store, 1).await.unwrap();
    let again = TransactionOptions { attempt: 1, ..TransactionOptions::default() };
    let holder = store.begin(again).await.unwrap();
    assert_eq!(store.begin(again).await.map(drop).unwrap_err().kind(), StoreErrorKind::Busy);
    drop(holder);
    store.begin(again).await.unwrap().commit().await.unwrap();
}
