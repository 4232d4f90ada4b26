//! One question, and whether it is answered alike three ways.

use backstitch::filter::{Comparison, Direction, Filter, SortKey, matches};
use backstitch::report::Report;
use backstitch::rules::{Access, CollectionRules, Denied, Query, RuleBook};
use backstitch::store::{ReadExt, Snapshot};
use backstitch_tests::naive_rules::{Condition, Question, Rules, Sight};
use bson::{Bson, Document, RawDocumentBuf};
use serde_json::Value;

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
    pub(crate) snapshots: [Box<dyn Snapshot>; 2],
}

impl Case {
    /// The engine's access.
    pub(crate) fn access(&self, pool: &Pool) -> Access {
        let mut book = RuleBook::new(pool.values.clone()).with_environment(pool.environment.clone());
        let collection = &pool.collections[self.collection].id;
        let rules = CollectionRules::parse(&self.rules, "rules.json", &mut Report::default());
        book.insert(collection.clone(), rules);
        book.access(&pool.users[self.user].1, collection)
    }

    /// How the engine answers: in memory and on SQLite.
    pub(crate) async fn engine(&self, bench: &Bench<'_>) -> [Answer; 2] {
        let access = self.access(bench.pool);
        let both = |allowed: bool| [Answer::Allows(allowed), Answer::Allows(allowed)];
        match &self.ask {
            Ask::Find(question) => match access.find(query(question)) {
                Err(Denied::FieldNotReadable(path)) => [Answer::Refused(path.clone()), Answer::Refused(path)],
                Err(Denied::MixedProjections) => [Answer::Mixed, Answer::Mixed],
                Err(other) => panic!("a find was refused as {other:?}"),
                Ok(scoped) => {
                    let mut answers = Vec::new();
                    for snapshot in &bench.snapshots {
                        let mut cursor = snapshot.find(&scoped).await.unwrap();
                        let found = cursor.collect_scoped(&scoped).await.unwrap();
                        answers.push(Answer::Shows(found.iter().map(|raw| shown(&access, raw)).collect()));
                    }
                    answers.try_into().unwrap()
                }
            },
            Ask::Insert(document) => both(access.insert(raw(document)).is_ok()),
            Ask::Update(before, after) => {
                both(self.exists(&access, before) && access.replace(&raw(before), raw(after)).is_ok())
            }
            Ask::Delete(document) => {
                both(self.exists(&access, document) && access.delete(&raw(document)).is_ok())
            }
        }
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

    /// How the oracle answers; it never refuses.
    pub(crate) fn naive(&self, pool: &Pool) -> Answer {
        let rules = Rules::new(&self.rules);
        let world = &pool.users[self.user].0;
        match &self.ask {
            Ask::Find(question) => {
                let documents = &pool.collections[self.collection].documents;
                if rules.refuses_every_read(world) {
                    // Who sees nothing anyway is told nothing.
                    let mut unprojected = self.rules.clone();
                    for filter in unprojected["filters"].as_array_mut().into_iter().flatten() {
                        filter["projection"].take();
                        filter["project"].take();
                    }
                    let unprojected = Rules::new(&unprojected);
                    let sees = |one| unprojected.sight(world, one, false) != Sight::Nothing;
                    return if documents.iter().any(sees) {
                        Answer::Mixed
                    } else {
                        Answer::Shows(Vec::new())
                    };
                }
                Answer::Shows(question.answer(&rules, world, documents))
            }
            Ask::Insert(document) => Answer::Allows(rules.may_insert(world, document)),
            Ask::Update(before, after) => Answer::Allows(rules.may_update(world, before, after)),
            Ask::Delete(document) => Answer::Allows(rules.may_delete(world, document)),
        }
    }

    /// The engine's answers and the oracle's where they differ, as text.
    pub(crate) async fn difference(&self, bench: &Bench<'_>) -> Option<String> {
        let [memory, sqlite] = self.engine(bench).await;
        if memory != sqlite {
            return Some(told(("memory", &memory), ("sqlite", &sqlite)));
        }
        if let Ask::Find(question) = &self.ask {
            if memory != Answer::Mixed
                && let Some(wrong) = self.wrong_about_paths(question, &memory, bench.pool)
            {
                return Some(wrong);
            }
            if matches!(memory, Answer::Refused(_)) || memory == Answer::Mixed && self.is_mixed(bench.pool) {
                return None;
            }
        }
        let naive = self.naive(bench.pool);
        (memory != naive).then(|| told(("engine", &memory), ("oracle", &naive)))
    }

    fn is_mixed(&self, pool: &Pool) -> bool {
        Rules::new(&self.rules).refuses_every_read(&pool.users[self.user].0)
    }

    /// Decision 40, as strictly as it can be asked.
    ///
    /// A filter may be refused only where no document of the collection shows the path to this user, and has to
    /// be where the rules settle that before a document is looked at and the user sees any document at all. A sort
    /// has to be refused where some document that the user sees hides the path, and may not be where the rules
    /// settle that all show it.
    fn wrong_about_paths(&self, question: &Question, answer: &Answer, pool: &Pool) -> Option<String> {
        let rules = Rules::new(&self.rules);
        let world = &pool.users[self.user].0;
        let documents = &pool.collections[self.collection].documents;
        let filtered = question.condition.paths();
        let sorted = question.sort.iter().map(|(path, _)| path.as_str());
        let seen: Vec<&Document> =
            documents.iter().filter(|one| rules.sight(world, one, false) != Sight::Nothing).collect();
        match answer {
            Answer::Refused(path) => {
                let shown = seen.iter().any(|one| rules.reads_path(world, one, path));
                let by_filter = filtered.contains(&path.as_str()) && !shown;
                let by_sort = sorted.clone().any(|it| it == path) && !rules.always_reads(world, path);
                let wrong = !by_filter && !by_sort;
                wrong.then(|| format!("`{path}` is refused, and may be used"))
            }
            _ => {
                let hides = |path: &str| seen.iter().any(|one| !rules.reads_path(world, one, path));
                let hidden = sorted.clone().find(|path| hides(path));
                let never = filtered.into_iter().find(|path| rules.never_reads(world, path));
                let found = hidden.or(never).filter(|_| !seen.is_empty());
                found.map(|path| format!("`{path}` is used, and has to be refused"))
            }
        }
    }
}

/// Two answers, as far as they differ.
fn told(one: (&str, &Answer), other: (&str, &Answer)) -> String {
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
