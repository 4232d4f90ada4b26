//! What comes out, by the access that requests are answered by.

use bson::{Bson, Document, RawDocument};

use super::fields::cut;
use super::{Action, CheckExplained, DocumentExplained, Explanation, QueryExplained, Question};
use crate::filter::{Filter, matches};
use crate::rules::{Access, Decider, Denied, Query};

impl Access {
    /// What becomes of a document that was found.
    pub(crate) fn explain_document(&self, id: Bson, document: &RawDocument) -> DocumentExplained {
        let role = match self.decider(document) {
            Decider::Role(name) => Some(name.to_owned()),
            Decider::Unruled | Decider::NoRole => None,
        };
        let cut = cut(self.visibility(document), document);
        DocumentExplained { id: id.into_relaxed_extjson(), role, cut }
    }
}

impl Explanation {
    pub(super) fn add(&mut self, check: CheckExplained) {
        if !self.checks.contains(&check) {
            self.checks.push(check);
        }
    }

    /// What comes out, by the access that requests are answered by.
    pub(super) fn outcome(&mut self, access: &Access, question: &Question<'_>) {
        let Question { action, document, before, ref query } = *question;
        let allowed = match (action, document, before) {
            (Action::Read | Action::Search, document, _) => self.read(access, question, document),
            (Action::Insert, Some(new), _) => Some(access.insert(new.to_owned()).is_ok()),
            (Action::Update, Some(after), Some(before)) => {
                Some(access.replace(before, after.to_owned()).is_ok())
            }
            (Action::Delete, Some(stored), _) => Some(access.delete(stored).is_ok()),
            _ => None,
        };
        if action != Action::Insert {
            self.asked(access, question);
        }
        // An update and a delete find the document first.
        let found = match (action, before.filter(|_| action == Action::Update).or(document)) {
            (Action::Update | Action::Delete, Some(stored)) => {
                is_found(access, action, query.clone(), stored)
            }
            _ => Ok(true),
        };
        self.allowed = allowed.map(|allowed| allowed && found == Ok(true));
        match self.allowed {
            Some(true) => self.denied_by = None,
            Some(false) => {
                let why = match action {
                    Action::Insert => "no field may be written, and there is none",
                    _ => "the query does not find the document",
                };
                self.denied_by.get_or_insert_with(|| why.to_owned());
            }
            None if self.denied_by.is_some() => self.allowed = Some(false),
            None => {}
        }
    }

    fn read(
        &mut self,
        access: &Access,
        question: &Question<'_>,
        document: Option<&RawDocument>,
    ) -> Option<bool> {
        let document = document?;
        let seen = is_found(access, question.action, question.query.clone(), document) == Ok(true);
        if seen {
            let visibility = access.visibility(document);
            let part: Document = visibility.readable_part(document);
            self.visible = Some(Bson::Document(part).into_relaxed_extjson());
            self.cut = cut(visibility, document);
        }
        Some(seen)
    }

    fn asked(&mut self, access: &Access, question: &Question<'_>) {
        let found = match question.action {
            Action::Search => access.search(question.query.clone()),
            _ => access.find(question.query.clone()),
        };
        self.query = Some(match found {
            Ok(query) => QueryExplained {
                pushed: query.filter().to_string(),
                per_document: !query.is_exact(),
                refused: None,
            },
            Err(denied) => {
                let refused = match denied {
                    Denied::FieldNotReadable(field) => {
                        format!("field `{field}` may not be read, so it cannot be asked for")
                    }
                    Denied::MixedProjections => "filters include and exclude fields at once".to_owned(),
                    Denied::Insert | Denied::Update | Denied::Delete => "not permitted".to_owned(),
                };
                self.denied_by = Some(refused.clone());
                QueryExplained {
                    pushed: Filter::Never.to_string(),
                    per_document: false,
                    refused: Some(refused),
                }
            }
        });
    }
}

fn is_found(access: &Access, action: Action, query: Query, document: &RawDocument) -> Result<bool, Denied> {
    let query = if action == Action::Search { access.search(query) } else { access.find(query) }?;
    Ok(matches(query.filter(), document) && query.accepts(document))
}
