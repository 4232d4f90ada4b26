//! The PostgreSQL store against the bare statements through the same driver, on the same server and the store's own tables:
//! `cargo bench -p backstitch-benches --bench postgres`. Skipped where PostgreSQL is not installed.
//!
//! - `list`: 50 documents by an indexed owner, sorted, with a to-one relation; `by_id`: one document; `session`: the check of
//!   an access token; `insert`: a mutation.
//! - `page_…`: the same page of a filter and a sort on an index, while the collection grows from ten thousand to a million
//!   documents; `any_page_…`: the first pages of 50 owners in turn.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use backstitch::bson::Bson;
use backstitch::env::Env;
use backstitch::filter::Direction;
use backstitch::filter::key::encode;
use backstitch::graphql::GraphqlRequest;
use backstitch_benches::{LIST, ONE, ONE_ID, Scaled, World, criterion, print_ratios, run, world};
use backstitch_storage_postgres::{PostgresConfig, PostgresStore};
use backstitch_test_postgres::Server;
use criterion::Criterion;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, Statement};

const SIZES: [(&str, usize); 3] = [("10k", 10_000), ("100k", 100_000), ("1m", 1_000_000)];

fn main() {
    let Some(server) = Server::start() else { return };
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion = criterion();
    let store = runtime.block_on(store(&server, "bench"));
    let world = runtime.block_on(world(Arc::clone(&store) as _));
    let floor = Floor::new(&server, &runtime);
    assert_eq!(runtime.block_on(floor.list("o7")), (50, 20));
    tell_statements(&runtime, &world, &store);
    reads(&mut criterion, &runtime, &world, &floor);
    inserts(&mut criterion, &runtime, &world, &floor);
    scale(&mut criterion, &runtime, &server);
    criterion.final_summary();
    print_ratios(&[
        ("postgres/list", "floor/statements_of_list"),
        ("postgres/by_id", "floor/statement_of_by_id"),
        ("postgres/session", "floor/statement_of_session"),
        ("postgres/insert", "floor/statements_of_insert"),
        ("postgres/page_100k", "postgres/page_10k"),
        ("postgres/page_1m", "postgres/page_10k"),
        ("postgres/any_page_1m", "postgres/any_page_10k"),
    ]);
}

async fn store(server: &Server, schema: &str) -> Arc<PostgresStore> {
    let mut config = PostgresConfig::new(server.url(), Env::system().clock);
    config.schema = schema.to_owned();
    Arc::new(PostgresStore::open(config).await.expect("a schema"))
}

/// How many statements a request takes; a plan of two levels may have two.
fn tell_statements(runtime: &Runtime, world: &World, store: &PostgresStore) {
    for (name, query, levels) in [("by_id", ONE, 1), ("list", LIST, 2)] {
        runtime.block_on(run(world, query));
        let before = store.statements();
        runtime.block_on(run(world, query));
        let statements = store.statements() - before;
        println!("statements of {name}: {statements}, levels: {levels}");
        assert!(statements <= levels);
    }
}

fn reads(criterion: &mut Criterion, runtime: &Runtime, world: &World, floor: &Floor) {
    let head = http::Request::get("/").header("authorization", format!("Bearer {}", world.token)).body(());
    let head = head.expect("a head").into_parts().0;
    let mut group = criterion.benchmark_group("floor");
    group.bench_function("statements_of_list", |bencher| {
        bencher.iter(|| runtime.block_on(floor.list(black_box("o7"))));
    });
    group.bench_function("statement_of_by_id", |bencher| bencher.iter(|| runtime.block_on(floor.by_id())));
    group
        .bench_function("statement_of_session", |bencher| bencher.iter(|| runtime.block_on(floor.session())));
    group.finish();
    let mut group = criterion.benchmark_group("postgres");
    group.bench_function("list", |bencher| bencher.iter(|| runtime.block_on(run(world, black_box(LIST)))));
    group.bench_function("by_id", |bencher| bencher.iter(|| runtime.block_on(run(world, black_box(ONE)))));
    group.bench_function("session", |bencher| {
        bencher.iter(|| runtime.block_on(world.app.authenticate(black_box(&head))).expect("a good token"));
    });
    group.finish();
}

fn inserts(criterion: &mut Criterion, runtime: &Runtime, world: &World, floor: &Floor) {
    let mut number = 0_i64;
    let insert = "mutation($n: Int) { insertOnePlace(data: { number: $n, name: \"new\" }) { name } }";
    criterion.bench_function("floor/statements_of_insert", |bencher| {
        bencher.iter(|| {
            number += 1;
            runtime.block_on(floor.insert(number));
        });
    });
    let store = backstitch::actor::Actor::system(world.app.id().clone());
    criterion.bench_function("postgres/insert", |bencher| {
        bencher.iter(|| {
            number += 1;
            let request = GraphqlRequest::new(insert).variable("n", number.into());
            let answer = runtime.block_on(world.app.graphql(&store, &request)).body;
            assert!(!answer.windows(6).any(|part| part == b"errors"), "{answer:?}");
        });
    });
}

/// The same page of an indexed filter and sort, of ever more documents.
fn scale(criterion: &mut Criterion, runtime: &Runtime, server: &Server) {
    let scaled = runtime.block_on(async { Scaled::new(store(server, "scale").await).await });
    let first = Scaled::first_pages();
    let mut group = criterion.benchmark_group("postgres");
    for (size, count) in SIZES {
        group.bench_function(format!("page_{size}"), |bencher| {
            if scaled.len() < count {
                let started = Instant::now();
                scaled.grow(runtime, count);
                println!("\nstore of {size}: filled in {:.1?}", started.elapsed());
                // What its own maintenance does in the next minute, lest it is measured.
                server.psql("VACUUM ANALYZE");
            }
            assert_eq!(scaled.rows(runtime, &first[0]), 50);
            bencher.iter(|| scaled.answer(runtime, black_box(&first[0])));
        });
        group.bench_function(format!("any_page_{size}"), |bencher| {
            let mut requests = first.iter().cycle();
            bencher.iter(|| scaled.answer(runtime, black_box(requests.next().expect("a cycle"))));
        });
    }
    group.finish();
}

/// The bare statements, prepared, on a connection of their own.
struct Floor {
    client: Client,
    items: Statement,
    places: Statement,
    item: Statement,
    session: Statement,
    document: Statement,
    key: Statement,
    place_keys: Vec<Vec<u8>>,
}

impl Floor {
    fn new(server: &Server, runtime: &Runtime) -> Self {
        server.psql("ANALYZE");
        let number = |sql: &str| server.psql(sql);
        let collection =
            |name: &str| number(&format!("SELECT id FROM bench.collections WHERE name = '{name}'"));
        let index = |first: &str| {
            number(&format!(
                "SELECT id FROM bench.indexes WHERE definition LIKE '[[\"{first}\",1]%' ORDER BY id LIMIT 1"
            ))
        };
        let (items, places) = (collection("items"), collection("places"));
        let (by_owner, by_number) = (index("owner"), index("number"));
        let place_keys = (0..20).map(|place| encode(&Bson::Int32(place), Direction::Ascending)).collect();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await.expect("a connection");
            tokio::spawn(connection);
            client.batch_execute("SET search_path TO bench").await.expect("the schema");
            let prepare = async |sql: String| client.prepare(&sql).await.expect(&sql);
            Self {
                items: prepare(format!(
                    "SELECT d.body FROM idx_{by_owner} i JOIN docs_{items} d ON d.seq = i.seq
                     WHERE i.key >= $1 AND i.key < $2 ORDER BY i.key LIMIT 50"
                ))
                .await,
                places: prepare(format!(
                    "SELECT d.body FROM idx_{by_number} i JOIN docs_{places} d ON d.seq = i.seq WHERE i.key = ANY($1)"
                ))
                .await,
                item: prepare(format!("SELECT body FROM docs_{items} WHERE id = $1")).await,
                session: prepare(
                    "SELECT s.*, u.* FROM sessions s JOIN users u ON u.app = s.app AND u.id = s.user_id
                     WHERE s.app = $1 AND s.id = (SELECT id FROM sessions LIMIT 1)"
                        .to_owned(),
                )
                .await,
                document: prepare(format!(
                    "INSERT INTO docs_{places} (id, body, doc) VALUES ($1, $2, ($3::text)::jsonb) RETURNING seq"
                ))
                .await,
                key: prepare(format!("INSERT INTO idx_{by_number} (key, seq) VALUES ($1, $2)")).await,
                client,
                place_keys,
            }
        })
    }

    async fn list(&self, owner: &str) -> (usize, usize) {
        let from = encode(&Bson::from(owner), Direction::Ascending);
        let mut to = from.clone();
        *to.last_mut().expect("a key") += 1;
        let items = self.client.query(&self.items, &[&from, &to]).await.expect("rows");
        let places = self.client.query(&self.places, &[&self.place_keys]).await.expect("rows");
        (items.len(), places.len())
    }

    async fn by_id(&self) {
        let id = backstitch::bson::oid::ObjectId::from_bytes(ONE_ID);
        let key = encode(&Bson::ObjectId(id), Direction::Ascending);
        assert_eq!(self.client.query(&self.item, &[&key]).await.expect("rows").len(), 1);
    }

    async fn session(&self) {
        let app = backstitch_benches::APP;
        assert_eq!(self.client.query(&self.session, &[&app]).await.expect("rows").len(), 1);
    }

    /// As much as a careful program would do: a transaction with the document and its key.
    async fn insert(&self, number: i64) {
        let (id, body) = (format!("floor {number}").into_bytes(), vec![0_u8; 60]);
        self.client.batch_execute("BEGIN ISOLATION LEVEL SERIALIZABLE").await.expect("a transaction");
        let rows =
            self.client.query(&self.document, &[&id, &body, &"{\"name\": \"new\"}"]).await.expect("a row");
        let place: i64 = rows[0].get(0);
        self.client.execute(&self.key, &[&number.to_be_bytes().to_vec(), &place]).await.expect("a key");
        self.client.batch_execute("COMMIT").await.expect("it is committed");
    }
}
