//! One collection that grows from ten thousand to a million documents of about 110 bytes.
//!
//! 1. 50 owners; what is asked for is always 50 documents, however many an owner has.
//! 2. A document's rank is scattered, so that the 50 of a page lie in 50 places of the collection.

use std::cell::Cell;
use std::sync::Arc;

use backstitch::app::{AppConfig, CollectionConfig};
use backstitch::auth::config::ProviderKind;
use backstitch::filter::Direction;
use backstitch::graphql::GraphqlRequest;
use backstitch::id::AppId;
use backstitch::limits::Limits;
use backstitch::store::{IndexKey, IndexSpec, Store};
use bson::{Document, doc};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::world::{APP, World, collection, id, store_all};

const OWNERS: usize = 50;

/// The first page of an owner.
const FIRST: &str = "query($o: String!) { rows(query: { owner: $o }, limit: 50, sortBy: RANK_ASC) { \
     _id title rank owner done } }";

/// A page from the middle of an owner's documents.
const MIDDLE: &str = "query($o: String!) { rows(query: { owner: $o, rank_gte: 1073741824 }, limit: 50, \
     sortBy: RANK_ASC) { _id title rank owner done } }";

/// A store that grows when it is asked to.
pub struct Scaled {
    world: World,
    store: Arc<dyn Store>,
    size: Cell<usize>,
}

impl Scaled {
    /// An empty collection with an index on owner and rank.
    pub async fn new(store: Arc<dyn Store>) -> Self {
        let world = World::of(Arc::clone(&store), config(), Limits::default()).await;
        Self { world, store, size: Cell::new(0) }
    }

    /// Adds documents until there are so many; never takes any away.
    pub fn grow(&self, runtime: &Runtime, size: usize) {
        let before = self.size.replace(size.max(self.size.get()));
        runtime.block_on(store_all(&*self.store, "rows", (before..size).map(row)));
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.size.get()
    }

    /// Whether nothing was asked for yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first page of each owner, in an order without neighbours.
    pub fn first_pages() -> Vec<GraphqlRequest> {
        Self::owners().map(|owner| GraphqlRequest::new(FIRST).variable("o", owner.into())).collect()
    }

    /// A page from the middle of each owner's documents.
    pub fn middle_pages() -> Vec<GraphqlRequest> {
        Self::owners().map(|owner| GraphqlRequest::new(MIDDLE).variable("o", owner.into())).collect()
    }

    /// The owners in an order without neighbours.
    pub fn owners() -> impl Iterator<Item = String> {
        (0..OWNERS).map(|step| owner(step * 77 % OWNERS))
    }

    /// How many rows the answer to a request has.
    pub fn rows(&self, runtime: &Runtime, request: &GraphqlRequest) -> usize {
        let answer = self.answer(runtime, request);
        let rows: Value = serde_json::from_slice(&answer).expect("the answer is JSON");
        rows["data"]["rows"].as_array().map_or(0, Vec::len)
    }

    /// The answer's bytes.
    pub fn answer(&self, runtime: &Runtime, request: &GraphqlRequest) -> bytes::Bytes {
        runtime.block_on(self.world.answer(request))
    }
}

fn config() -> AppConfig {
    let text = json!({ "bsonType": "string" });
    let rows = CollectionConfig::new("rows")
        .schema(&json!({
            "title": "Row",
            "properties": {
                "_id": { "bsonType": "objectId" }, "title": text, "owner": text,
                "rank": { "bsonType": "int" }, "done": { "bsonType": "bool" }
            }
        }))
        // A row rule: what is hidden from everyone is not shown.
        .rules(json!({ "roles": [
            { "name": "everyone", "apply_when": { "hidden": { "%exists": false } }, "read": true }
        ] }));
    let keys = ["owner", "rank"].map(|path| IndexKey { path: path.into(), direction: Direction::Ascending });
    AppConfig::new("bench")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .collection(rows)
        .index(collection("rows"), IndexSpec { keys: keys.into(), unique: false })
}

fn row(number: usize) -> Document {
    doc! {
        "_id": id(2, 0, number),
        "title": format!("row {number}"),
        "rank": scattered(number as u64),
        "owner": owner(number % OWNERS),
        "done": number.is_multiple_of(3),
    }
}

fn owner(number: usize) -> String {
    format!("o{number}")
}

/// A number of 31 bits (the end of splitmix64).
fn scattered(number: u64) -> i32 {
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    i32::try_from(mixed >> 33).expect("31 bits")
}
