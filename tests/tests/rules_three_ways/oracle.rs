//! What the rules as written say to a question.

use backstitch_tests::naive_rules::{Question, Rules, Sight, World};
use bson::Document;
use serde_json::Value;

use crate::case::{Answer, Ask, Case, told};
use crate::pool::Pool;

/// The rules of a case, read naively, and what its user sees by them of every document.
pub(crate) struct Oracle<'a> {
    case: &'a Case,
    world: &'a World,
    rules: Rules<'a>,
    documents: &'a [Document],
    /// One for each document; none where no document is read.
    sights: Vec<Sight>,
}

impl<'a> Oracle<'a> {
    pub(crate) fn of(case: &'a Case, pool: &'a Pool) -> Self {
        let world = &pool.users[case.user].0;
        let rules = Rules::new(&case.rules, world);
        let documents = pool.collections[case.collection].documents.as_slice();
        let is_find = matches!(case.ask, Ask::Find(_));
        let sights = documents.iter().filter(|_| is_find).map(|one| rules.sight(one, false)).collect();
        Self { case, world, rules, documents, sights }
    }

    /// Why the engine's answer cannot be right.
    pub(crate) fn contradiction(&self, answer: &Answer) -> Option<String> {
        match (&self.case.ask, answer) {
            // Who sees nothing anyway may be told of it or not.
            (Ask::Find(_), Answer::Mixed) if self.rules.refuses_every_read() => None,
            (Ask::Find(question), Answer::Refused(path)) => self.may_be_used(question, path),
            (Ask::Find(question), Answer::Shows(_)) => {
                self.must_be_refused(question).or_else(|| self.otherwise(answer))
            }
            _ => self.otherwise(answer),
        }
    }

    fn otherwise(&self, answer: &Answer) -> Option<String> {
        let own = self.answer();
        (*answer != own).then(|| told(("engine", answer), ("oracle", &own)))
    }

    /// The answer, where no path has to be refused.
    fn answer(&self) -> Answer {
        match &self.case.ask {
            Ask::Find(_) if self.rules.refuses_every_read() => {
                if self.sees_without_projections() {
                    Answer::Mixed
                } else {
                    Answer::Shows(Vec::new())
                }
            }
            Ask::Find(question) => Answer::Shows(question.answer(&self.rules, self.documents, &self.sights)),
            Ask::Insert(document) => Answer::Allows(self.rules.may_insert(document)),
            Ask::Update(before, after) => Answer::Allows(self.rules.may_update(before, after)),
            Ask::Delete(document) => Answer::Allows(self.rules.may_delete(document)),
        }
    }

    fn sees_without_projections(&self) -> bool {
        let mut rules = self.case.rules.clone();
        for filter in rules["filters"].as_array_mut().into_iter().flatten() {
            filter["projection"] = Value::Null;
            filter["project"] = Value::Null;
        }
        let rules = Rules::new(&rules, self.world);
        self.documents.iter().any(|one| rules.sight(one, false) != Sight::Nothing)
    }

    fn seen(&self) -> impl Iterator<Item = &Document> {
        let both = self.documents.iter().zip(&self.sights);
        both.filter(|(_, sight)| **sight != Sight::Nothing).map(|(document, _)| document)
    }

    /// Decision 40: a filter may be refused only where no document that the user sees shows the path, and a sort
    /// not where the rules settle that all show it.
    fn may_be_used(&self, question: &Question, path: &str) -> Option<String> {
        let by_filter = question.condition.paths().contains(&path)
            && !self.seen().any(|one| self.rules.reads_path(one, path));
        let by_sort =
            question.sort.iter().any(|(sorted, _)| sorted == path) && !self.rules.always_reads(path);
        (!by_filter && !by_sort).then(|| format!("`{path}` is refused, and may be used"))
    }

    /// Decision 40 from the other side: a filter has to be refused where the rules settle that the path is never
    /// shown, and a sort where one document that the user sees hides it; both only if the user sees any.
    fn must_be_refused(&self, question: &Question) -> Option<String> {
        self.seen().next()?;
        let never = question.condition.paths().into_iter().find(|path| self.rules.never_reads(path));
        let sorted = question.sort.iter().map(|(path, _)| path.as_str());
        let hidden = sorted.into_iter().find(|path| self.seen().any(|one| !self.rules.reads_path(one, path)));
        never.or(hidden).map(|path| format!("`{path}` is used, and has to be refused"))
    }
}
