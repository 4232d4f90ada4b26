//! What is asked about: documents on every store, and users.

use std::path::Path;
use std::sync::Arc;

use backstitch::actor::Actor;
use backstitch::id::CollectionId;
use backstitch::limits::Limits;
use backstitch::rules::Access;
use backstitch::store::{Snapshot, Store, TransactionOptions, UserKind};
use backstitch_tests::naive_rules::World;
use backstitch_tests::{acting, every_store};
use bson::oid::ObjectId;
use bson::{Bson, Document, RawDocumentBuf, doc};

use crate::dice::Dice;

pub(crate) const COLLECTIONS: usize = 100;
const DOCUMENTS: usize = 20;

/// Everything that stays while the questions change.
pub(crate) struct Pool {
    pub(crate) collections: Vec<Collection>,
    pub(crate) users: Vec<(World, Actor)>,
    pub(crate) values: Document,
    pub(crate) environment: Document,
    pub(crate) limits: Limits,
    /// Memory and SQLite.
    pub(crate) stores: Vec<Arc<dyn Store>>,
}

/// A collection, in the order of insertion.
pub(crate) struct Collection {
    pub(crate) id: CollectionId,
    pub(crate) documents: Vec<Document>,
}

impl Pool {
    /// Fills both stores.
    pub(crate) async fn fill(folder: &Path, dice: &mut Dice) -> Self {
        let stores = every_store(folder).await;
        let mut collections = Vec::new();
        for number in 0..COLLECTIONS {
            let id = CollectionId::new("pool", "mongodb-atlas", "app", format!("c{number}"));
            let documents: Vec<Document> = (0..DOCUMENTS).map(|place| document(place, dice)).collect();
            collections.push(Collection { id, documents });
        }
        for store in &stores {
            let mut transaction = store.begin(TransactionOptions::default()).await.unwrap();
            for collection in &collections {
                let access = Access::system(collection.id.clone());
                let raw = |document: &Document| RawDocumentBuf::try_from(document).unwrap();
                let writes: Vec<_> =
                    collection.documents.iter().map(|one| access.insert(raw(one)).unwrap()).collect();
                transaction.write(&writes).await.unwrap();
            }
            transaction.commit().await.unwrap();
        }
        let values = doc! {
            "team": "red", "open": true, "limit": 2, "levels": [1, 2], "tags": ["x", "y"], "nothing": null,
            "owner": user_id(1).to_hex(),
        };
        let environment =
            doc! { "tag": "production", "values": { "limit": 2, "team": "blue", "nothing": null } };
        let users = (0..USERS).map(|number| user(number, &values, &environment)).collect();
        Self { collections, users, values, environment, limits: Limits::default(), stores }
    }

    /// The stores' contents, which do not change.
    pub(crate) async fn snapshots(&self) -> Vec<Box<dyn Snapshot>> {
        vec![self.stores[0].snapshot().await.unwrap(), self.stores[1].snapshot().await.unwrap()]
    }
}

/// A user's id.
pub(crate) fn user_id(number: u8) -> ObjectId {
    ObjectId::from_bytes([0xA0 + number; 12])
}

pub(crate) const USERS: u8 = 4;

fn user(number: u8, values: &Document, environment: &Document) -> (World, Actor) {
    let custom = match number {
        0 => doc! { "team": "red", "teams": ["red", "blue"], "level": 2, "flag": true, "tags": ["x"] },
        1 => doc! { "team": "blue", "teams": [], "level": 1.0, "flag": false, "nothing": null },
        2 => {
            doc! { "teams": ["green", "blue"], "level": null, "tags": ["y", "z"], "deep": { "level": 3_i64 } }
        }
        _ => doc! {},
    };
    let data = if number == 3 {
        doc! {}
    } else {
        doc! { "name": format!("user{number}") }
    };
    let kind = if number == 1 { UserKind::Server } else { UserKind::Normal };
    let actor = acting(user_id(number), kind, data.clone(), custom.clone());
    let known = doc! {
        "id": user_id(number).to_hex(),
        "type": if number == 1 { "server" } else { "normal" },
        "data": data.clone(),
        "custom_data": custom,
        "identities": [{ "id": format!("identity of {}", user_id(number).to_hex()), "provider_type": "anon-user",
            "providerType": "anon-user", "data": data }],
    };
    let world =
        World { user: known, values: values.clone(), environment: environment.clone(), ..World::default() };
    (world, actor)
}

/// A small document. Every field may be missing, and is now and then of another kind.
pub(crate) fn document(place: usize, dice: &mut Dice) -> Document {
    let mut document = doc! { "_id": i32::try_from(place).unwrap() };
    for name in ["owner", "team", "level", "tags", "open", "e", "es", "editor"] {
        if dice.chance(75) {
            document.insert(name, value(name, dice));
        }
    }
    document
}

/// A value that a field may have.
pub(crate) fn value(name: &str, dice: &mut Dice) -> Bson {
    if dice.chance(6) {
        // No array for `e`: in which order paths across arrays are sorted is no matter of rules.
        let odd = [Bson::Null, Bson::Null, 1.into(), "x".into(), Bson::Array(vec![])];
        return dice.pick(if name == "e" { &odd[..4] } else { &odd });
    }
    match name {
        "owner" | "editor" => {
            let id = user_id(u8::try_from(dice.below(USERS.into())).unwrap());
            if dice.chance(50) { Bson::String(id.to_hex()) } else { Bson::ObjectId(id) }
        }
        "team" | "y" => dice.pick(&["red", "blue", "green"]).into(),
        "level" | "x" | "w" => number(dice),
        "tags" => {
            let tags = ["x", "y", "z"].into_iter().filter(|_| dice.chance(50)).map(Bson::from);
            Bson::Array(tags.collect())
        }
        "open" => Bson::Boolean(dice.chance(50)),
        "es" => Bson::Array((0..dice.below(3)).map(|_| embedded(dice)).collect()),
        _ => embedded(dice),
    }
}

fn number(dice: &mut Dice) -> Bson {
    let number = i32::try_from(dice.below(4)).unwrap();
    match dice.below(3) {
        0 => Bson::Int32(number),
        1 => Bson::Int64(number.into()),
        _ => Bson::Double(f64::from(number) + f64::from(u8::from(dice.chance(30))) / 2.0),
    }
}

fn embedded(dice: &mut Dice) -> Bson {
    let mut inner = Document::new();
    for name in ["x", "y"] {
        if dice.chance(75) {
            inner.insert(name, value(name, dice));
        }
    }
    if dice.chance(40) {
        inner.insert("z", doc! { "w": value("w", dice) });
    }
    inner.into()
}
