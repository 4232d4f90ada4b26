//! The arguments of a data service call, as clients and functions send them.

use bson::{Bson, Document};

use crate::error::{Error, ErrorKind, Result};
use crate::filter::{Direction, SortKey};

/// What is done with a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Find,
    FindOne,
    Aggregate,
    Count,
    InsertOne,
    InsertMany,
    UpdateOne,
    UpdateMany,
    DeleteOne,
    DeleteMany,
    FindOneAndUpdate,
    FindOneAndReplace,
    FindOneAndDelete,
}

const FOUND: &[&str] = &["query", "projection", "sort", "limit", "skip"];
const UPDATED: &[&str] = &["query", "update", "upsert", "arrayFilters"];
const CHANGED: &[&str] =
    &["query", "update", "projection", "sort", "upsert", "returnNewDocument", "arrayFilters"];

/// Every operation: its name, and which members its argument may have beside `database` and `collection`.
const OPERATIONS: [(&str, Operation, &[&str]); 13] = [
    ("find", Operation::Find, FOUND),
    ("findOne", Operation::FindOne, FOUND),
    ("aggregate", Operation::Aggregate, &["pipeline"]),
    ("count", Operation::Count, &["query", "limit"]),
    ("insertOne", Operation::InsertOne, &["document"]),
    ("insertMany", Operation::InsertMany, &["documents"]),
    ("updateOne", Operation::UpdateOne, UPDATED),
    ("updateMany", Operation::UpdateMany, UPDATED),
    ("deleteOne", Operation::DeleteOne, &["query"]),
    ("deleteMany", Operation::DeleteMany, &["query"]),
    ("findOneAndUpdate", Operation::FindOneAndUpdate, CHANGED),
    ("findOneAndReplace", Operation::FindOneAndReplace, CHANGED),
    ("findOneAndDelete", Operation::FindOneAndDelete, &["query", "projection", "sort"]),
];

/// A call that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) operation: Operation,
    pub(crate) database: String,
    pub(crate) collection: String,
    pub(crate) query: Document,
    pub(crate) projection: Option<Document>,
    pub(crate) sort: Vec<SortKey>,
    pub(crate) limit: Option<u64>,
    pub(crate) skip: u64,
    /// What is inserted.
    pub(crate) documents: Vec<Document>,
    pub(crate) update: Option<Bson>,
    pub(crate) array_filters: Vec<Document>,
    pub(crate) upserts: bool,
    pub(crate) returns_new: bool,
    pub(crate) pipeline: Vec<Bson>,
}

impl Request {
    /// Reads a call. `query` and `filter` are one, and `project` and `projection`: clients spell both.
    ///
    /// # Errors
    /// [`ErrorKind::MongoDbError`] for an operation or a member that is not known, [`ErrorKind::InvalidParameter`] for
    /// one of a wrong type, [`ErrorKind::MissingParameter`].
    pub(crate) fn parse(name: &str, arguments: Vec<Bson>) -> Result<Self> {
        let known = OPERATIONS.iter().find(|(known, ..)| *known == name);
        let (_, operation, members) = known.ok_or_else(|| {
            Error::new(ErrorKind::MongoDbError, format!("unknown operation of the data service: `{name}`"))
        })?;
        let argument = match arguments.into_iter().next() {
            Some(Bson::Document(argument)) => argument,
            _ => return Err(wrong(name, "argument", "a document")),
        };
        let mut request = Self::empty(*operation);
        for (key, value) in argument {
            // Clients send what was not given as null.
            if matches!(value, Bson::Null | Bson::Undefined) && key != "document" {
                continue;
            }
            let key = match key.as_str() {
                "filter" => "query",
                "project" => "projection",
                other => other,
            };
            if !["database", "collection"].contains(&key) && !members.contains(&key) {
                let text = format!("`{name}` does not know the argument `{key}`");
                return Err(Error::new(ErrorKind::MongoDbError, text));
            }
            request.take(name, key, value)?;
        }
        request.check(name)
    }

    fn empty(operation: Operation) -> Self {
        Self {
            operation,
            database: String::new(),
            collection: String::new(),
            query: Document::new(),
            projection: None,
            sort: Vec::new(),
            limit: None,
            skip: 0,
            documents: Vec::new(),
            update: None,
            array_filters: Vec::new(),
            upserts: false,
            returns_new: false,
            pipeline: Vec::new(),
        }
    }

    fn take(&mut self, name: &str, key: &str, value: Bson) -> Result<()> {
        match (key, value) {
            ("database", Bson::String(database)) => self.database = database,
            ("collection", Bson::String(collection)) => self.collection = collection,
            ("query", Bson::Document(query)) => self.query = query,
            ("projection", Bson::Document(projection)) => self.projection = Some(projection),
            ("sort", Bson::Document(sort)) => self.sort = sort_keys(&sort)?,
            // Zero is no limit, as in MongoDB.
            ("limit", limit) => self.limit = Some(whole(name, key, &limit)?).filter(|limit| *limit > 0),
            ("skip", skip) => self.skip = whole(name, key, &skip)?,
            ("document", Bson::Document(document)) => self.documents = vec![document],
            ("documents", Bson::Array(documents)) => self.documents = all_documents(name, key, documents)?,
            ("update", update) => self.update = Some(update),
            ("arrayFilters", Bson::Array(filters)) => {
                self.array_filters = all_documents(name, key, filters)?;
            }
            ("upsert", Bson::Boolean(upserts)) => self.upserts = upserts,
            ("returnNewDocument", Bson::Boolean(returns_new)) => self.returns_new = returns_new,
            ("pipeline", Bson::Array(stages)) => self.pipeline = stages,
            ("database" | "collection", _) => return Err(wrong(name, key, "a string")),
            ("upsert" | "returnNewDocument", _) => return Err(wrong(name, key, "true or false")),
            ("documents" | "arrayFilters" | "pipeline", _) => return Err(wrong(name, key, "an array")),
            (_, _) => return Err(wrong(name, key, "a document")),
        }
        Ok(())
    }

    fn check(self, name: &str) -> Result<Self> {
        let missing = |member| {
            let text = format!("`{name}` needs the argument `{member}`");
            Err(Error::new(ErrorKind::MissingParameter, text))
        };
        let inserts = matches!(self.operation, Operation::InsertOne | Operation::InsertMany);
        let updates = matches!(
            self.operation,
            Operation::UpdateOne | Operation::UpdateMany | Operation::FindOneAndUpdate
        );
        match () {
            () if self.database.is_empty() => missing("database"),
            () if self.collection.is_empty() => missing("collection"),
            () if inserts && self.documents.is_empty() => missing("document"),
            () if updates && self.update.is_none() => missing("update"),
            () => Ok(self),
        }
    }
}

fn wrong(name: &str, member: &str, wanted: &str) -> Error {
    Error::new(ErrorKind::InvalidParameter, format!("`{member}` of `{name}` must be {wanted}"))
}

fn all_documents(name: &str, key: &str, values: Vec<Bson>) -> Result<Vec<Document>> {
    let one = |value| match value {
        Bson::Document(document) => Ok(document),
        _ => Err(wrong(name, key, "an array of documents")),
    };
    values.into_iter().map(one).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is small")]
#[expect(clippy::cast_sign_loss, reason = "it is not negative")]
fn whole(name: &str, key: &str, value: &Bson) -> Result<u64> {
    let whole = match value {
        Bson::Int32(value) => u64::try_from(*value).ok(),
        Bson::Int64(value) => u64::try_from(*value).ok(),
        Bson::Double(value) if value.fract() == 0.0 && (0.0..9e15).contains(value) => Some(*value as u64),
        _ => None,
    };
    whole.ok_or_else(|| wrong(name, key, "a whole number, zero or more"))
}

/// `{"year": -1, "title": 1}`.
pub(crate) fn sort_keys(sort: &Document) -> Result<Vec<SortKey>> {
    let key = |(path, way): (&String, &Bson)| {
        let direction = match way {
            Bson::Int32(1) | Bson::Int64(1) => Direction::Ascending,
            Bson::Int32(-1) | Bson::Int64(-1) => Direction::Descending,
            Bson::Double(way) if *way == 1.0 => Direction::Ascending,
            Bson::Double(way) if *way == -1.0 => Direction::Descending,
            _ => {
                let text = format!("illegal sort of `{path}`: it has to be 1 or -1");
                return Err(Error::new(ErrorKind::MongoDbError, text));
            }
        };
        Ok(SortKey { path: path.as_str().into(), direction })
    };
    sort.iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn parsed(name: &str, mut argument: Document) -> Result<Request> {
        argument.extend(doc! { "database": "d", "collection": "c" });
        Request::parse(name, vec![Bson::Document(argument)])
    }

    #[test]
    fn both_spellings_are_read_and_nulls_are_nothing() {
        let find =
            parsed("find", doc! {"query": {"a": 1}, "project": {"a": 1}, "sort": {"a": -1.0}, "limit": 5.0});
        let find = find.unwrap();
        assert_eq!((find.query, find.projection), (doc! {"a": 1}, Some(doc! {"a": 1})));
        assert_eq!((find.limit, find.sort.len()), (Some(5), 1));
        let changed =
            parsed("findOneAndUpdate", doc! {"filter": {"a": 1}, "update": {"b": 1}, "sort": Bson::Null});
        assert_eq!(changed.unwrap().query, doc! {"a": 1});
        assert_eq!(parsed("find", doc! {"limit": 0}).unwrap().limit, None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, argument, kind, named) in [
            ("mapReduce", doc! {}, ErrorKind::MongoDbError, "mapReduce"),
            ("find", doc! {"collation": {}}, ErrorKind::MongoDbError, "collation"),
            ("find", doc! {"query": 1}, ErrorKind::InvalidParameter, "query"),
            ("find", doc! {"limit": -1}, ErrorKind::InvalidParameter, "limit"),
            ("find", doc! {"sort": {"a": 2}}, ErrorKind::MongoDbError, "`a`"),
            ("insertOne", doc! {}, ErrorKind::MissingParameter, "document"),
            ("updateOne", doc! {"query": {}}, ErrorKind::MissingParameter, "update"),
            ("insertMany", doc! {"documents": [1]}, ErrorKind::InvalidParameter, "documents"),
        ] {
            let error = parsed(name, argument).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.hint().contains(named), "{error}");
        }
    }
}
