//! One question, and whether it is answered alike three ways.

use backstitch::filter::{Comparison, Direction, Filter, SortKey, matches};
use backstitch::report::Report;
use backstitch::rules::{Access, CollectionRules, Denied, Query, RuleBook};
use backstitch::store::{ReadExt, Snapshot};
use backstitch_tests::naive_rules::{Condition, Question};
use bson::{Bson, Document, RawDocumentBuf};
use serde_json::Value;

use crate::oracle::Oracle;
use crate::pool::Pool;

/// A question of one user about one collection under some rules.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) rules: Value,
    pub(crate) user: usize,
    pub(crate) collection: usize,
    pub(crate) ask: Ask,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Find(Question),
    Insert(Document),
    Update(Document, Document),
    Delete(Document),
}

/// What a find shows: the places of the documents in order, and what is seen of each.
pub(crate) type Shown = Vec<(usize, Document)>;

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Shows(Shown),
    /// The path may not be used.
    Refused(String),
    /// The projections of the filters contradict each other.
    Mixed,
    Allows(bool),
}

/// Where the answers are looked for.
pub(crate) struct Bench<'a> {
    pub(crate) pool: &'a Pool,
    /// Memory and, where both are compared, SQLite.
    pub(crate) snapshots: Vec<Box<dyn Snapshot>>,
}

impl Case {
    /// The engine's access.
    pub(crate) fn access(&self, pool: &Pool) -> Access {
        let mut book = RuleBook::new(pool.values.clone()).with_environment(pool.environment.clone());
        let collection = &pool.collections[self.collection].id;
        let report = &mut Report::default();
        let rules = CollectionRules::parse_within(&self.rules, "rules.json", &pool.limits, report);
        book.insert(collection.clone(), rules);
        book.access(&pool.users[self.user].1, collection)
    }

    /// How the engine answers, on each store.
    pub(crate) async fn engine(&self, bench: &Bench<'_>) -> Vec<Answer> {
        let access = self.access(bench.pool);
        let one = match &self.ask {
            Ask::Find(question) => match access.find(query(question)) {
                Err(Denied::FieldNotReadable(path)) => Answer::Refused(path),
                Err(Denied::MixedProjections) => Answer::Mixed,
                Err(other) => panic!("a find was refused as {other:?}"),
                Ok(scoped) => {
                    let mut answers = Vec::new();
                    for snapshot in &bench.snapshots {
                        let mut cursor = snapshot.find(&scoped).await.unwrap();
                        let found = cursor.collect_scoped(&scoped).await.unwrap();
                        answers.push(Answer::Shows(found.iter().map(|raw| shown(&access, raw)).collect()));
                    }
                    return answers;
                }
            },
            Ask::Insert(document) => Answer::Allows(access.insert(raw(document)).is_ok()),
            Ask::Update(before, after) => Answer::Allows(
                self.exists(&access, before) && access.replace(&raw(before), raw(after)).is_ok(),
            ),
            Ask::Delete(document) => {
                Answer::Allows(self.exists(&access, document) && access.delete(&raw(document)).is_ok())
            }
        };
        vec![one]
    }

    /// Whether filters leave the document there: a write is asked for only of what has been found. That a write of
    /// what the roles hide is denied, is the write's own to say.
    fn exists(&self, access: &Access, document: &Document) -> bool {
        let document = raw(document);
        self.rules["filters"].is_null()
            || access
                .find(Query::default())
                .is_ok_and(|scoped| matches(scoped.filter(), &document) && scoped.accepts(&document))
    }

    /// The engine's answers and the oracle's where they differ, as text.
    pub(crate) async fn difference(&self, bench: &Bench<'_>) -> Option<String> {
        let answers = self.engine(bench).await;
        if let [memory, sqlite] = answers.as_slice()
            && memory != sqlite
        {
            return Some(told(("memory", memory), ("sqlite", sqlite)));
        }
        Oracle::of(self, bench.pool).contradiction(&answers[0])
    }
}

/// Two answers, as far as they differ.
pub(crate) fn told(one: (&str, &Answer), other: (&str, &Answer)) -> String {
    let places = |shown: &Shown| shown.iter().map(|(place, _)| *place).collect::<Vec<_>>();
    let ((one, left), (other, right)) = (one, other);
    match (left, right) {
        (Answer::Shows(left), Answer::Shows(right)) if places(left) == places(right) => {
            let pairs = left.iter().zip(right).filter(|(left, right)| left != right);
            pairs.map(|(l, r)| format!("{}: {one} {}\n    {other} {}\n", l.0, l.1, r.1)).collect()
        }
        (Answer::Shows(left), Answer::Shows(right)) => {
            format!("{one}: {:?}\n{other}: {:?}", places(left), places(right))
        }
        _ => format!("{one}: {left:?}\n{other}: {right:?}"),
    }
}

fn shown(access: &Access, raw: &RawDocumentBuf) -> (usize, Document) {
    let place = raw.get_i32("_id").unwrap();
    (usize::try_from(place).unwrap(), access.visibility(raw).readable_part(raw))
}

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap()
}

fn query(question: &Question) -> Query {
    let key = |(path, descending): &(String, bool)| SortKey {
        path: path.as_str().into(),
        direction: if *descending { Direction::Descending } else { Direction::Ascending },
    };
    Query {
        filter: filter(&question.condition),
        sort: question.sort.iter().map(key).collect(),
        limit: question.limit.map(|limit| limit as u64),
    }
}

fn filter(condition: &Condition) -> Filter {
    let compare =
        |path: &String, comparison, value: &Bson| Filter::compare(path.as_str(), comparison, value.clone());
    match condition {
        Condition::Eq(path, value) => compare(path, Comparison::Eq, value),
        Condition::Ne(path, value) => compare(path, Comparison::Eq, value).negate(),
        Condition::Gt(path, value) => compare(path, Comparison::Gt, value),
        Condition::Gte(path, value) => compare(path, Comparison::Gte, value),
        Condition::Lt(path, value) => compare(path, Comparison::Lt, value),
        Condition::Lte(path, value) => compare(path, Comparison::Lte, value),
        Condition::In(path, values) => Filter::is_in(path.as_str(), values.clone()),
        Condition::Nin(path, values) => Filter::is_in(path.as_str(), values.clone()).negate(),
        Condition::Exists(path, true) => Filter::exists(path.as_str()),
        Condition::Exists(path, false) => Filter::exists(path.as_str()).negate(),
        Condition::And(parts) => Filter::And(parts.iter().map(filter).collect()),
        Condition::Or(parts) => Filter::Or(parts.iter().map(filter).collect()),
        Condition::Not(part) => filter(part).negate(),
    }
}
