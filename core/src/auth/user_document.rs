//! A document for everybody who signs up: what most apps wrote a trigger for.
//!
//! It is inserted before the first tokens are made, so that they carry it where it holds the custom user data.

use bson::oid::ObjectId;
use bson::{Bson, Document, RawDocumentBuf};
use serde_json::{Map, Value};

use super::events::UserEvent;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::id::{CollectionId, fresh_object_id};
use crate::rules::{Access, ScopedWrite};
use crate::store::{self, Store, StoreErrorKind, TransactionOptions};

/// How often it is tried again when other transactions come in between.
const ATTEMPTS: u32 = 10;

/// Which document is made for a new user.
#[derive(Clone, Debug, PartialEq)]
pub struct UserDocument {
    /// Where it is inserted.
    pub collection: CollectionId,
    /// For users of these providers; all when empty.
    pub providers: Vec<String>,
    fields: Vec<(String, Part)>,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Constant(Bson),
    /// `%%user.data.email`: a path into the user; left out where there is nothing.
    User(Vec<String>),
    /// `%%time`: when the user was made.
    Time,
    /// `{"%stringToOid": …}`.
    ObjectId(Box<Part>),
    Document(Vec<(String, Part)>),
    Array(Vec<Part>),
}

impl UserDocument {
    /// Reads the document's template: extended JSON in which `%%user.…`, `%%time` and `%stringToOid` may stand.
    ///
    /// # Errors
    /// The JSON pointer of what is not understood, and why.
    pub fn parse(collection: CollectionId, template: &Map<String, Value>) -> Result<Self, (String, String)> {
        Ok(Self { collection, providers: Vec::new(), fields: fields(template, "")? })
    }

    /// Only for users of these providers.
    #[must_use]
    pub fn providers(self, providers: Vec<String>) -> Self {
        Self { providers, ..self }
    }

    pub(super) fn is_for(&self, event: &UserEvent) -> bool {
        let one_of = |provider: &String| self.providers.contains(provider);
        self.providers.is_empty() || event.providers.iter().any(one_of)
    }

    /// Inserts the document of a user who was just made.
    pub(super) async fn insert(&self, event: &UserEvent, store: &dyn Store, env: &Env) -> Result<()> {
        let mut document = self.of(event);
        if !document.contains_key("_id") {
            let id = fresh_object_id(env.clock.now(), &*env.random)?;
            let fields = std::mem::take(&mut document);
            document.insert("_id", id);
            document.extend(fields);
        }
        let raw = RawDocumentBuf::try_from(&document).map_err(Error::internal)?;
        let access = Access::system(self.collection.clone());
        let write = access.insert(raw).map_err(|denied| Error::internal(format!("{denied:?}")))?;
        let mut options = TransactionOptions::default();
        loop {
            match insert_once(store, std::slice::from_ref(&write), options).await {
                Err(error) if error.kind() == StoreErrorKind::Contended && options.attempt < ATTEMPTS => {
                    options.attempt += 1;
                }
                done => return Ok(done?),
            }
        }
    }

    fn of(&self, event: &UserEvent) -> Document {
        let whole = event.as_document();
        let user = whole.get_document("user").cloned().unwrap_or_default();
        let time = whole.get("time").cloned().unwrap_or(Bson::Null);
        filled(&self.fields, (&user, &time))
    }
}

async fn insert_once(
    store: &dyn Store,
    writes: &[ScopedWrite],
    options: TransactionOptions,
) -> store::Result<()> {
    let mut transaction = store.begin(options).await?;
    transaction.write(writes).await?;
    transaction.commit().await
}

fn filled(fields: &[(String, Part)], facts: (&Document, &Bson)) -> Document {
    fields.iter().filter_map(|(name, part)| Some((name.clone(), part.value(facts)?))).collect()
}

impl Part {
    fn value(&self, (user, time): (&Document, &Bson)) -> Option<Bson> {
        match self {
            Self::Constant(value) => Some(value.clone()),
            Self::User(path) => {
                let (first, rest) = path.split_first()?;
                let found =
                    rest.iter().try_fold(user.get(first)?, |value, key| value.as_document()?.get(key));
                found.cloned()
            }
            Self::Time => Some(time.clone()),
            Self::ObjectId(inner) => {
                let id = inner.value((user, time))?;
                ObjectId::parse_str(id.as_str()?).ok().map(Bson::ObjectId)
            }
            Self::Document(fields) => Some(Bson::Document(filled(fields, (user, time)))),
            Self::Array(items) => {
                Some(Bson::Array(items.iter().filter_map(|item| item.value((user, time))).collect()))
            }
        }
    }
}

type Parsed<T> = Result<T, (String, String)>;

fn fields(template: &Map<String, Value>, pointer: &str) -> Parsed<Vec<(String, Part)>> {
    let one = |(name, json): (&String, &Value)| {
        Ok((name.clone(), part(json, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")))?))
    };
    template.iter().map(one).collect()
}

fn part(json: &Value, pointer: &str) -> Parsed<Part> {
    match json {
        Value::String(text) if text == "%%time" => Ok(Part::Time),
        Value::String(text) => match text.strip_prefix("%%user.") {
            Some(path) => Ok(Part::User(path.split('.').map(str::to_owned).collect())),
            None if text.starts_with("%%") => {
                Err((pointer.to_owned(), format!("`{text}` is not known here: `%%user.…` and `%%time` are")))
            }
            None => Ok(Part::Constant(Bson::String(text.clone()))),
        },
        Value::Array(items) => {
            let one = |(index, item)| part(item, &format!("{pointer}/{index}"));
            items.iter().enumerate().map(one).collect::<Parsed<_>>().map(Part::Array)
        }
        Value::Object(members) => match members.iter().next() {
            Some((name, inner)) if members.len() == 1 && name == "%stringToOid" => {
                part(inner, pointer).map(|inner| Part::ObjectId(Box::new(inner)))
            }
            Some((name, _)) if name.starts_with('$') => match Bson::try_from(json.clone()) {
                Ok(value) => Ok(Part::Constant(value)),
                Err(error) => Err((pointer.to_owned(), format!("this is no extended JSON: {error}"))),
            },
            _ => fields(members, pointer).map(Part::Document),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            Ok(Part::Constant(Bson::try_from(json.clone()).unwrap_or(Bson::Null)))
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use serde_json::json;

    use super::*;

    fn template(json: Value) -> Parsed<UserDocument> {
        let Value::Object(template) = json else { panic!("an object") };
        UserDocument::parse(CollectionId::new("", "s", "d", "c"), &template)
    }

    #[test]
    fn expansions_are_filled_and_what_is_not_there_is_left_out() {
        let read = template(json!({
            "_id": {"%stringToOid": "%%user.id"}, "owner": "%%user.id", "email": "%%user.data.email",
            "name": "%%user.data.name", "made": "%%time", "score": {"$numberLong": "0"}, "tags": ["new"],
            "more": {"kind": "%%user.type"},
        }));
        let id = "64b000000000000000000001";
        let user = doc! {"id": id, "type": "normal", "data": {"email": "ada@example.com"}};
        let made = filled(&read.unwrap().fields, (&user, &Bson::Int32(7)));
        assert_eq!(
            made,
            doc! {
                "_id": ObjectId::parse_str(id).unwrap(), "owner": id, "email": "ada@example.com", "made": 7,
                "score": 0_i64, "tags": ["new"], "more": {"kind": "normal"},
            }
        );
    }

    #[test]
    fn what_is_not_understood_is_pointed_at() {
        assert_eq!(template(json!({"a": [{"b": "%%root.x"}]})).unwrap_err().0, "/a/0/b");
        assert_eq!(template(json!({"a": {"$numberLong": "x"}})).unwrap_err().0, "/a");
    }
}
