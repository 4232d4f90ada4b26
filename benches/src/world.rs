//! The world that is measured: 10,000 documents of about 700 bytes, 50 of each owner, with a row rule.

use std::sync::Arc;

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

/// The list query: eight fields and a to-one relation.
pub const LIST: &str = "{ items(query: { owner: \"o7\" }, limit: 50, sortBy: RANK_ASC) { \
     _id title rank owner price done created note place { name } } }";

/// The same without the relation.
pub const FLAT: &str = "{ items(query: { owner: \"o7\" }, limit: 50, sortBy: RANK_ASC) { \
     _id title rank owner price done created note } }";

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

/// Fills the store and logs a guest in.
pub async fn world(store: Arc<dyn Store>) -> World {
    world_with(store, Limits::default()).await
}

/// The same under other limits.
pub async fn world_with(store: Arc<dyn Store>, limits: Limits) -> World {
    let engine = Engine::builder()
        .limits(limits)
        .store(Arc::clone(&store))
        .public_url("http://bench.example")
        .app(config())
        .build()
        .await
        .expect("the engine is wired");
    let app = engine.app(APP).expect("just built").clone();
    fill(&*store).await;
    let tokens = app.log_in("anon-user", doc! {}).await.expect("a guest may come in");
    let token = tokens.access_token;
    let head = Request::get("/").header("authorization", format!("Bearer {token}")).body(()).expect("a head");
    let actor = app.authenticate(&head.into_parts().0).await.expect("the token is good");
    World { engine, app, actor, token, refresh: tokens.refresh_token }
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
    world.app.graphql(&world.actor, &GraphqlRequest::new(query)).await.body
}

/// The items of one owner, in the order of the list.
pub fn page(owner: usize) -> Vec<Document> {
    (0..PAGE).map(|rank| item(owner, rank)).collect()
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
                "created": { "bsonType": "date" }, "place": { "bsonType": "int" }, "body": text
            }
        }))
        // A row rule: what is hidden from everyone is not shown.
        .rules(everyone(json!({ "hidden": { "%exists": false } })))
        .relationship(Relationship {
            source: "place".into(),
            target: collection("places"),
            foreign: "number".into(),
            is_list: false,
        });
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

fn collection(name: &str) -> CollectionId {
    CollectionId::new(APP, "mongodb-atlas", "app", name)
}

async fn fill(store: &dyn Store) {
    let mut transaction = store.begin(TransactionOptions::default()).await.expect("nobody else writes");
    let items = (0..OWNERS).flat_map(page);
    insert(&mut *transaction, "items", items.collect()).await;
    let places = (0..20_i32).map(|number| doc! { "_id": id(9, 9, number as usize), "number": number, "name": format!("place {number}") });
    insert(&mut *transaction, "places", places.collect()).await;
    transaction.commit().await.expect("the fixture is stored");
}

async fn insert(transaction: &mut dyn backstitch::store::Transaction, name: &str, documents: Vec<Document>) {
    let access = Access::system(collection(name));
    let writes: Vec<_> = documents
        .iter()
        .map(|document| RawDocumentBuf::try_from(document).expect("BSON"))
        .map(|raw| access.insert(raw).expect("the system may"))
        .collect();
    transaction.write(&writes).await.expect("unique ids");
}

fn item(owner: usize, rank: usize) -> Document {
    doc! {
        "_id": id(1, owner, rank),
        "title": format!("item {rank} of owner {owner}"),
        "rank": i32::try_from(rank).expect("small"),
        "owner": format!("o{owner}"),
        "price": (rank as f64) * 1.25,
        "done": rank.is_multiple_of(3),
        "created": bson::DateTime::from_millis(1_700_000_000_000 + (rank as i64) * 1_000),
        "note": "a note that is neither long nor short",
        "place": i32::try_from(rank % 20).expect("small"),
        "body": "x".repeat(400),
    }
}

fn id(kind: u8, owner: usize, rank: usize) -> ObjectId {
    let mut bytes = [kind; 12];
    bytes[4..8].copy_from_slice(&u32::try_from(owner).expect("small").to_be_bytes());
    bytes[8..12].copy_from_slice(&u32::try_from(rank).expect("small").to_be_bytes());
    ObjectId::from_bytes(bytes)
}
