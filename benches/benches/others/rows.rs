//! The world's items and places as the other libraries' servers would hold them: typed, by owner and by number.
//!
//! Ids and dates are texts already, which ours prints from their stored form in every answer.

use std::collections::HashMap;
use std::sync::Arc;

use backstitch::bson::Document;
use backstitch_benches::{OWNERS, page, places};
use chrono::{DateTime, SecondsFormat};

/// An item.
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) rank: i32,
    pub(crate) owner: String,
    pub(crate) price: f64,
    pub(crate) done: bool,
    pub(crate) created: String,
    pub(crate) note: String,
    place: i32,
}

/// A place.
pub(crate) struct Place {
    pub(crate) name: String,
}

/// An item of a list with the place that was looked up for it.
#[derive(Clone)]
pub(crate) struct Listed {
    pub(crate) item: Arc<Item>,
    pub(crate) place: Option<Arc<Place>>,
}

/// All rows.
pub(crate) struct Rows {
    items: HashMap<String, Vec<Arc<Item>>>,
    places: HashMap<i32, Arc<Place>>,
}

impl Rows {
    /// The world's rows; each owner's in the order of their rank.
    pub(crate) fn new() -> Self {
        let mut items: HashMap<String, Vec<Arc<Item>>> = HashMap::new();
        for document in (0..OWNERS).flat_map(page) {
            let item = item(&document);
            items.entry(item.owner.clone()).or_default().push(Arc::new(item));
        }
        let place = |document: &Document| {
            (number(document, "number"), Arc::new(Place { name: text(document, "name") }))
        };
        Self { items, places: places().iter().map(place).collect() }
    }

    /// One owner's items, and their places in one batch: each is looked up once.
    pub(crate) fn list(&self, owner: &str, limit: usize) -> Vec<Listed> {
        let found = self.items.get(owner).map_or(&[][..], Vec::as_slice);
        let found = found.get(..limit).unwrap_or(found);
        let mut batch: HashMap<i32, Option<&Arc<Place>>> = HashMap::new();
        for item in found {
            batch.entry(item.place).or_insert_with(|| self.places.get(&item.place));
        }
        let listed = |item: &Arc<Item>| {
            let place = batch.get(&item.place).copied().flatten();
            Listed { item: Arc::clone(item), place: place.cloned() }
        };
        found.iter().map(listed).collect()
    }
}

fn item(document: &Document) -> Item {
    let created = document.get_datetime("created").expect("a date").timestamp_millis();
    let created = DateTime::from_timestamp_millis(created).expect("a date");
    Item {
        id: document.get_object_id("_id").expect("an id").to_hex(),
        title: text(document, "title"),
        rank: number(document, "rank"),
        owner: text(document, "owner"),
        price: document.get_f64("price").expect("a number"),
        done: document.get_bool("done").expect("yes or no"),
        created: created.to_rfc3339_opts(SecondsFormat::Millis, true),
        note: text(document, "note"),
        place: number(document, "place"),
    }
}

fn text(document: &Document, key: &str) -> String {
    document.get_str(key).expect("text").to_owned()
}

fn number(document: &Document, key: &str) -> i32 {
    document.get_i32(key).expect("a number")
}
