//! Puts a test's question to the rules.

use backstitch::actor::Actor;
use backstitch::engine::App;
use backstitch::filter::{Filter, equal, matches};
use backstitch::id::CollectionId;
use backstitch::report::Report;
use backstitch::rules::{Action, Explanation, Query, Question, parse_query};
use bson::{Bson, Document};
use serde_json::Value;

use super::file::RuleTest;
use crate::Failure;
use crate::offline::{document, raw};

/// What the rules say of one document; of the query alone where no document matches.
pub(super) struct Answer {
    /// The document's `_id`.
    pub(super) id: Option<Bson>,
    pub(super) explanation: Explanation,
}

/// Asks about every document that the test is about.
pub(super) async fn ask(
    app: &App,
    (actor, collection): (&Actor, &CollectionId),
    test: &RuleTest,
    (documents, at): (&[Document], &str),
) -> Result<Vec<Answer>, Failure> {
    let wrong = |what: &str| Failure::usage(format!("{at}: {what}"));
    let action = Action::named(&test.action).ok_or_else(|| wrong("there is no such action"))?;
    let explain = async |question: Question<'_>| {
        app.explain(actor, collection, &question).await.map_err(|error| wrong(&error.to_string()))
    };
    let mut answers = Vec::new();
    match action {
        Action::Read | Action::Search => {
            let query = Query { filter: filter(test, at)?, ..Query::default() };
            for stored in documents {
                let bytes = raw(stored, at)?;
                // What the query does not ask for says nothing of the rules.
                if matches(&query.filter, &bytes) {
                    let question = Question { query: query.clone(), ..Question::new(action) };
                    let explanation = explain(question.about(&bytes)).await?;
                    answers.push(Answer { id: stored.get("_id").cloned(), explanation });
                }
            }
            if answers.is_empty() {
                let explanation = explain(Question { query, ..Question::new(action) }).await?;
                answers.push(Answer { id: None, explanation });
            }
        }
        Action::Insert => {
            let new = test.document.as_ref().ok_or_else(|| wrong("an insert has a `document`"))?;
            let new = document(new, at)?;
            let explanation = explain(Question::new(action).about(&raw(&new, at)?)).await?;
            answers.push(Answer { id: new.get("_id").cloned(), explanation });
        }
        Action::Update | Action::Delete => {
            let id = test.id.as_ref().ok_or_else(|| wrong("an update and a delete have an `id`"))?;
            let stored = stored(documents, id).ok_or_else(|| wrong("there is no document of this `id`"))?;
            let before = raw(stored, at)?;
            let after = raw(&changed(stored, test, at)?, at)?;
            let question = match action {
                Action::Update => Question::new(action).about(&after).from(&before),
                _ => Question::new(action).about(&before),
            };
            answers.push(Answer { id: stored.get("_id").cloned(), explanation: explain(question).await? });
        }
    }
    Ok(answers)
}

fn filter(test: &RuleTest, at: &str) -> Result<Filter, Failure> {
    let Some(query) = &test.query else { return Ok(Filter::Always) };
    let mut report = Report::default();
    parse_query(query, at, &mut report).ok_or_else(|| Failure::usage(&report))
}

/// A value in extended JSON.
pub(super) fn value(json: &Value) -> Option<Bson> {
    Bson::try_from(json.clone()).ok()
}

fn stored<'d>(documents: &'d [Document], id: &Value) -> Option<&'d Document> {
    let id = value(id)?;
    documents.iter().find(|document| document.get("_id").is_some_and(|other| equal(other, &id)))
}

/// What an update makes of a document.
fn changed(stored: &Document, test: &RuleTest, at: &str) -> Result<Document, Failure> {
    let mut after = stored.clone();
    if let Some(set) = &test.set {
        for (path, value) in document(set, at)? {
            let wrong = || Failure::usage(format!("{at}: nothing can be set at `{path}`"));
            let (parents, name) =
                path.rsplit_once('.').map_or((None, path.as_str()), |(all, name)| (Some(all), name));
            let parent = parents.into_iter().flat_map(|parents| parents.split('.'));
            let parent = parent.into_iter().try_fold(&mut after, |document, name| {
                document.entry(name.to_owned()).or_insert_with(|| Document::new().into()).as_document_mut()
            });
            parent.ok_or_else(wrong)?.insert(name, value);
        }
    }
    for path in &test.unset {
        let (parents, name) =
            path.rsplit_once('.').map_or((None, path.as_str()), |(all, name)| (Some(all), name));
        let parent = parents.into_iter().flat_map(|parents| parents.split('.'));
        let parent =
            parent.into_iter().try_fold(&mut after, |document, name| document.get_document_mut(name).ok());
        if let Some(parent) = parent {
            parent.remove(name);
        }
    }
    Ok(after)
}
