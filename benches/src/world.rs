//! The world that is measured: 10,000 documents of about 700 bytes, 50 of each owner, with a row rule.

use std::sync::Arc;
use std::time::Duration;

use backstitch::actor::Actor;
use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::{EmailPasswordConfig, ProviderKind};
use backstitch::engine::{App, Engine};
use backstitch::filter::Direction;
use backstitch::graphql::GraphqlRequest;
use backstitch::id::{AppId, CollectionId};
use backstitch::limits::Limits;
use backstitch::rules::Access;
use backstitch::schema::Relationship;
use backstitch::secret::Secret;
use backstitch::store::{IndexKey, IndexSpec, Store, TransactionOptions};
use bson::oid::ObjectId;
use bson::{Document, RawDocumentBuf, doc};
use bytes::Bytes;
use http::Request;
use serde_json::json;

/// The app that is measured.
pub const APP: &str = "bench-abcde";

/// Who can log in with [`PASSWORD`].
pub const EMAIL: &str = "ada@example.com";

/// The password of [`EMAIL`].
pub const PASSWORD: &str = "correct horse battery";

/// How many owners there are; each has 50 items.
pub const OWNERS: usize = 200;

/// Documents of one page.
pub const PAGE: usize = 50;

/// How many places there are: ten for each item of a page, and none twice.
pub const PLACES: usize = 10 * PAGE;

/// The list query: eight fields and a to-one relation.
pub const LIST: &str = "{ items(query: { owner: \"o7\" }, limit: 50, sortBy: RANK_ASC) { \
     _id title rank owner price done created note place { name } } }";

/// The same without the relation.
pub const FLAT: &str = "{ items(query: { owner: \"o7\" }, limit: 50, sortBy: RANK_ASC) { \
     _id title rank owner price done created note } }";

/// Eight fields and a to-many relation of ten.
pub const MANY: &str = "{ items(query: { owner: \"o7\" }, limit: 50, sortBy: RANK_ASC) { \
     _id title rank owner price done created note stops { name } } }";

/// One item by its id.
pub const ONE: &str = "{ item(query: { _id: \"010101010000000700000009\" }) { \
     _id title rank owner price done created note } }";

/// The id in [`ONE`].
pub const ONE_ID: [u8; 12] = [1, 1, 1, 1, 0, 0, 0, 7, 0, 0, 0, 9];

/// An engine over a store, with a guest who has logged in.
pub struct World {
    /// The engine.
    pub engine: Engine,
    /// Its app.
    pub app: App,
    /// The guest.
    pub actor: Actor,
    /// The guest's access token.
    pub token: String,
    /// The guest's refresh token.
    pub refresh: String,
}

impl World {
    /// An app over an empty store, and a guest who has logged in.
    pub async fn of(store: Arc<dyn Store>, app: AppConfig, limits: Limits) -> Self {
        let engine = Engine::builder()
            .limits(limits)
            .store(store)
            .public_url("http://bench.example")
            .app(app)
            .build()
            .await
            .expect("the engine is wired");
        let app = engine.app(APP).expect("just built").clone();
        let tokens = app.log_in("anon-user", doc! {}).await.expect("a guest may come in");
        let token = tokens.access_token;
        let head = Request::get("/").header("authorization", format!("Bearer {token}")).body(());
        let head = head.expect("a head").into_parts().0;
        let actor = app.authenticate(&head).await.expect("the token is good");
        Self { engine, app, actor, token, refresh: tokens.refresh_token }
    }

    /// Runs a request and returns its answer's bytes.
    pub async fn answer(&self, request: &GraphqlRequest) -> Bytes {
        self.app.graphql(&self.actor, request).await.body
    }
}

/// Fills the store and logs a guest in.
pub async fn world(store: Arc<dyn Store>) -> World {
    world_with(store, Limits::default()).await
}

/// The same under other limits.
pub async fn world_with(store: Arc<dyn Store>, limits: Limits) -> World {
    let world = World::of(Arc::clone(&store), config(), limits).await;
    store_all(&*store, "items", (0..OWNERS).flat_map(page)).await;
    store_all(&*store, "places", places()).await;
    world
}

/// Registers [`EMAIL`] and logs it in once, so that what is measured is no first log-in.
pub async fn register(world: &World) {
    world.app.users().create(EMAIL, &Secret::new(PASSWORD)).await.expect("a free address");
    assert_eq!(world.engine.handle(log_in(PASSWORD)).await.status(), 200);
}

/// The request that logs [`EMAIL`] in.
pub fn log_in(password: &str) -> Request<Bytes> {
    let body = json!({ "username": EMAIL, "password": password }).to_string();
    Request::post(format!("/api/client/v2.0/app/{APP}/auth/providers/local-userpass/login"))
        .header("content-type", "application/json")
        .body(body.into())
        .expect("a request")
}

/// A request of somebody who is logged in, without a body.
pub fn request(method: &str, path: &str, token: &str) -> Request<Bytes> {
    Request::builder()
        .method(method)
        .uri(format!("/api/client/v2.0{path}"))
        .header("authorization", format!("Bearer {token}"))
        .body(Bytes::new())
        .expect("a request")
}

/// Runs a query and returns its answer's bytes.
pub async fn run(world: &World, query: &str) -> Bytes {
    world.answer(&GraphqlRequest::new(query)).await
}

/// The items of one owner, in the order of the list.
pub fn page(owner: usize) -> Vec<Document> {
    (0..PAGE).map(|rank| item(owner, rank)).collect()
}

/// All places, by their numbers.
pub fn places() -> Vec<Document> {
    let place = |number: usize| doc! { "_id": id(9, 9, number), "number": small(number), "name": format!("place {number}") };
    (0..PLACES).map(place).collect()
}

fn config() -> AppConfig {
    let text = json!({ "bsonType": "string" });
    let everyone = |when: serde_json::Value| json!({ "roles": [{ "name": "everyone", "apply_when": when, "read": true }] });
    let items = CollectionConfig::new("items")
        .schema(&json!({
            "title": "Item",
            "properties": {
                "_id": { "bsonType": "objectId" }, "title": text, "owner": text, "note": text,
                "rank": { "bsonType": "int" }, "price": { "bsonType": "double" }, "done": { "bsonType": "bool" },
                "created": { "bsonType": "date" }, "place": { "bsonType": "int" },
                "stops": { "bsonType": "array", "items": { "bsonType": "int" } }, "body": text
            }
        }))
        // A row rule: what is hidden from everyone is not shown.
        .rules(everyone(json!({ "hidden": { "%exists": false } })))
        .relationship(to_places("place", false))
        .relationship(to_places("stops", true));
    let places = CollectionConfig::new("places")
        .schema(&json!({
            "title": "Place",
            "properties": { "_id": { "bsonType": "objectId" }, "number": { "bsonType": "int" }, "name": text }
        }))
        .rules(everyone(json!({})));
    let keys = ["owner", "rank"].map(|path| IndexKey { path: path.into(), direction: Direction::Ascending });
    AppConfig::new("bench")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::EmailPassword(EmailPasswordConfig::automatic()))
        .collection(items)
        .collection(places)
        .index(collection("items"), IndexSpec { keys: keys.into(), unique: false })
}

fn to_places(source: &str, is_list: bool) -> Relationship {
    Relationship { source: source.into(), target: collection("places"), foreign: "number".into(), is_list }
}

/// A collection of [`APP`].
pub(crate) fn collection(name: &str) -> CollectionId {
    CollectionId::new(APP, "mongodb-atlas", "app", name)
}

/// Stores documents past the rules, in one transaction, ten thousand at a time.
pub(crate) async fn store_all(store: &dyn Store, name: &str, documents: impl IntoIterator<Item = Document>) {
    let access = Access::system(collection(name));
    let options = TransactionOptions { deadline: Duration::from_secs(3600), ..TransactionOptions::default() };
    let mut transaction = store.begin(options).await.expect("nobody else writes");
    let mut writes = documents.into_iter().map(|document| {
        let raw = RawDocumentBuf::try_from(&document).expect("BSON");
        access.insert(raw).expect("the system may")
    });
    loop {
        let chunk: Vec<_> = writes.by_ref().take(10_000).collect();
        if chunk.is_empty() {
            break;
        }
        transaction.write(&chunk).await.expect("unique ids");
    }
    transaction.commit().await.expect("the documents are stored");
}

fn item(owner: usize, rank: usize) -> Document {
    doc! {
        "_id": id(1, owner, rank),
        "title": format!("item {rank} of owner {owner}"),
        "rank": small(rank),
        "owner": format!("o{owner}"),
        "price": (rank as f64) * 1.25,
        "done": rank.is_multiple_of(3),
        "created": bson::DateTime::from_millis(1_700_000_000_000 + (rank as i64) * 1_000),
        "note": "a note that is neither long nor short",
        "place": small(rank % 20),
        "stops": (0..10).map(|stop| small(rank + PAGE * stop)).collect::<Vec<_>>(),
        "body": "x".repeat(320),
    }
}

fn small(number: usize) -> i32 {
    i32::try_from(number).expect("small")
}

/// An id that depends on nothing else.
pub(crate) fn id(kind: u8, owner: usize, rank: usize) -> ObjectId {
    let mut bytes = [kind; 12];
    bytes[4..8].copy_from_slice(&u32::try_from(owner).expect("small").to_be_bytes());
    bytes[8..12].copy_from_slice(&u32::try_from(rank).expect("small").to_be_bytes());
    ObjectId::from_bytes(bytes)
}
