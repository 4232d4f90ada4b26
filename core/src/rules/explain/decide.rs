//! Puts a question to the rules, and says what each part answered.

use bson::RawDocument;

use super::super::bind::Facts;
use super::super::book::{Circumstances, RuleBook};
use super::super::bound::BoundRules;
use super::super::condition::Scene;
use super::super::expr::Expression;
use super::super::grants::{BoundRole, deciding};
use super::super::role::{CollectionRules, Grants, Role};
use super::super::write::refused_fields;
use super::fields::{Right, cut, rules_of};
use super::trace::{Trace, trace};
use super::{
    Action, CheckExplained, Explanation, FilterExplained, Question, RoleExplained, RoleOutcome, Source,
};
use crate::id::CollectionId;
use crate::rules::Access;

impl RuleBook {
    /// Answers the question, as far as functions have answered.
    pub(crate) fn explain(
        &self,
        circumstances: Circumstances<'_>,
        collection: &CollectionId,
        question: &Question<'_>,
    ) -> Explanation {
        let access = self.access_under(circumstances, collection);
        let mut told = Explanation {
            collection: collection.to_string(),
            action: question.action,
            rules: Source::None,
            filters: Vec::new(),
            roles: Vec::new(),
            role: None,
            checks: Vec::new(),
            allowed: None,
            denied_by: None,
            query: None,
            visible: None,
            cut: Vec::new(),
            documents: Vec::new(),
        };
        if circumstances.actor.is_system() {
            told.rules = Source::System;
        } else if let Some((rules, more)) = self.rules_of(collection) {
            told.rules = if self.has_roles(collection) { Source::Own } else { Source::Default };
            let explainer = Explainer { access: &access, facts: self.facts(circumstances), question };
            explainer.roles(&mut told, rules, more);
        } else {
            told.denied_by = Some("no rule covers the collection".to_owned());
        }
        told.outcome(&access, question);
        told
    }
}

/// What the roles are asked with.
struct Explainer<'a> {
    access: &'a Access,
    facts: Facts<'a>,
    question: &'a Question<'a>,
}

impl<'a> Explainer<'a> {
    fn roles(&self, told: &mut Explanation, rules: &CollectionRules, more: Option<&CollectionRules>) {
        let stored = self.picking_scene();
        let filters = rules.filters.iter().chain(more.into_iter().flat_map(|more| &more.filters));
        told.filters = filters
            .map(|filter| FilterExplained {
                name: filter.name.clone(),
                apply_when: trace(&filter.apply_when, self.facts, None),
                query: trace(&filter.query, self.facts, stored),
            })
            .collect();
        let mut decided = false;
        for role in &rules.roles {
            let apply_when = trace(&role.apply_when, self.facts, stored);
            let outcome = match apply_when.holds {
                _ if decided => RoleOutcome::NotReached,
                Some(true) => RoleOutcome::Decides,
                Some(false) => RoleOutcome::DoesNotApply,
                None => RoleOutcome::MayDecide,
            };
            if outcome == RoleOutcome::Decides {
                decided = true;
                told.role = Some(role.name.to_string());
                if let Some(bound) = self.access.bound() {
                    self.checks(told, role, bound);
                }
            }
            let (name, closed) = (role.name.to_string(), role.grants.is_none());
            told.roles.push(RoleExplained { name, outcome, closed, apply_when });
        }
        if !decided && self.question.document.is_some() {
            told.denied_by = Some("no role applies".to_owned());
        }
    }

    /// The scene that picks the role; `None` without a document.
    fn picking_scene(&self) -> Option<Scene<'a>> {
        let Question { action, document, before, .. } = *self.question;
        match action {
            Action::Read | Action::Search | Action::Delete => document.map(|document| self.stored(document)),
            Action::Insert => document.map(|new| Scene::of(new, (None, new), self.facts.answers)),
            Action::Update => before.map(|before| self.stored(before)),
        }
    }

    fn stored(&self, document: &'a RawDocument) -> Scene<'a> {
        Scene::stored(document, self.facts.answers)
    }

    /// What the role that decides is asked.
    fn checks(&self, told: &mut Explanation, role: &Role, bound: &BoundRules) {
        let Some(grants) = &role.grants else {
            told.denied_by = Some(format!("role `{}` is closed", role.name));
            return;
        };
        let Question { action, document, before, .. } = *self.question;
        let answers = self.facts.answers;
        let picked = self.picking_scene();
        let bound_role = picked.and_then(|scene| deciding(&bound.roles, scene));
        if action != Action::Insert {
            self.reading(told, grants, picked);
            if let (Some(scene), Some(role)) = (picked, bound_role) {
                told.denied_by = not_read(bound, role, (grants, self.facts), (scene, action));
                self.hidden_fields(told, grants, scene);
            }
        }
        let scenes: Vec<(&'static str, Option<Scene<'a>>)> = match (action, before, document) {
            (Action::Read | Action::Search, ..) => return,
            (Action::Update, Some(before), Some(after)) => [("before", before), ("after", after)]
                .map(|(name, root)| (name, Some(Scene::of(root, (Some(before), after), answers))))
                .into(),
            (Action::Insert, ..) => vec![("new", picked)],
            _ => vec![("stored", picked)],
        };
        let fails = self.writing(told, grants, &scenes);
        let denied = fails.or_else(|| match (grants.write.is_none(), bound_role) {
            (true, Some(role)) => self.fields(told, grants, role, &scenes),
            _ => None,
        });
        told.denied_by = told.denied_by.take().or(denied);
    }

    /// The rules of the fields that are not shown.
    fn hidden_fields(&self, told: &mut Explanation, grants: &Grants, stored: Scene<'_>) {
        if matches!(self.question.action, Action::Read | Action::Search) {
            for path in cut(self.access.visibility(stored.root), stored.root) {
                self.field(told, grants, &path, (&[Right::Read, Right::Write], &[("stored", Some(stored))]));
            }
        }
    }

    /// The parts that reading asks.
    fn reading(&self, told: &mut Explanation, grants: &Grants, scene: Option<Scene<'_>>) {
        let search = grants.search.as_ref().filter(|_| self.question.action == Action::Search);
        let gates = grants.read_gate.as_ref().map(|read| (read, grants.write_gate.as_ref()));
        let parts = [
            ("search", search),
            ("document_filters.read", gates.map(|(read, _)| read)),
            ("document_filters.write", gates.and_then(|(_, write)| write)),
            ("read", grants.read.as_ref()),
            ("write", grants.write.as_ref()),
        ];
        for (part, expression) in parts {
            self.check(told, (part, "stored"), expression, scene);
        }
    }

    /// The parts that writing asks of the document as a whole, and the first that fails.
    fn writing(
        &self,
        told: &mut Explanation,
        grants: &Grants,
        scenes: &[(&'static str, Option<Scene<'_>>)],
    ) -> Option<String> {
        let own = match self.question.action {
            Action::Insert => ("insert", grants.insert.as_ref()),
            Action::Delete => ("delete", grants.delete.as_ref()),
            Action::Read | Action::Search | Action::Update => ("", None),
        };
        let parts =
            [own, ("document_filters.write", grants.write_gate.as_ref()), ("write", grants.write.as_ref())];
        let mut first = None;
        for (part, expression) in parts {
            for (image, scene) in scenes {
                if self.check(told, (part, image), expression, *scene) == Some(false) {
                    first.get_or_insert_with(|| denial(part, image));
                }
            }
        }
        first
    }

    /// The fields whose change is refused.
    fn fields(
        &self,
        told: &mut Explanation,
        grants: &Grants,
        role: &BoundRole,
        scenes: &[(&'static str, Option<Scene<'_>>)],
    ) -> Option<String> {
        let Question { action, document, before, .. } = *self.question;
        let (before, after) = match action {
            Action::Delete => (document, None),
            _ => (before.filter(|_| action == Action::Update), document),
        };
        let judged: Vec<Scene<'_>> = scenes.iter().filter_map(|(_, scene)| *scene).collect();
        let refused = refused_fields(role, (before, after), &judged);
        for path in &refused {
            self.field(told, grants, path, (&[Right::Write], scenes));
        }
        if refused.is_empty() {
            return None;
        }
        Some(format!("fields that may not be written: {}", refused.join(", ")))
    }

    /// The rules of a field that is refused or cut.
    fn field(
        &self,
        told: &mut Explanation,
        grants: &Grants,
        path: &str,
        (rights, scenes): (&[Right], &[(&'static str, Option<Scene<'_>>)]),
    ) {
        for (part, expression) in rules_of(grants, path, rights) {
            let expression = expression.map(|expression| expression.of_field(path));
            let expression = expression.as_ref();
            if expression.is_none() {
                told.add(CheckExplained { part, image: "any".to_owned(), trace: Trace::not_given() });
                continue;
            }
            for (image, scene) in scenes {
                self.check(told, (&part, image), expression, *scene);
            }
        }
    }

    fn check(
        &self,
        told: &mut Explanation,
        (part, image): (&str, &'static str),
        expression: Option<&Expression>,
        scene: Option<Scene<'_>>,
    ) -> Option<bool> {
        let trace = trace(expression?, self.facts, scene);
        let holds = trace.holds;
        told.add(CheckExplained { part: part.to_owned(), image: image.to_owned(), trace });
        holds
    }
}

fn denial(part: &str, image: &str) -> String {
    match image {
        "new" => format!("`{part}` does not hold on the new document"),
        "before" | "after" => format!("`{part}` does not hold on the document {image} the change"),
        _ => format!("`{part}` does not hold"),
    }
}

/// Why a stored document may not be read.
fn not_read(
    bound: &BoundRules,
    role: &BoundRole,
    (grants, facts): (&Grants, Facts<'_>),
    (scene, action): (Scene<'_>, Action),
) -> Option<String> {
    let holds = |expression: &Option<Expression>| {
        expression
            .as_ref()
            .is_some_and(|expression| trace(expression, facts, Some(scene)).holds == Some(true))
    };
    if !bound.filters.query.holds(scene) {
        return Some("a filter of the collection leaves the document out".to_owned());
    }
    if action == Action::Search && !role.search.holds(scene) {
        return Some("`search` does not hold".to_owned());
    }
    if role.reads.holds(scene) {
        return None;
    }
    Some(if grants.read_gate.is_some() && !holds(&grants.read_gate) && !holds(&grants.write_gate) {
        "`document_filters.read` does not hold".to_owned()
    } else if grants.read.is_some() {
        "neither `read` nor `write` holds".to_owned()
    } else {
        "no field of the document may be read".to_owned()
    })
}
