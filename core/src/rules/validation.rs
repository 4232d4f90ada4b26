//! The `validate` expressions of a schema: rules about a value and the one before it.
//!
//! 1. They are asked of every new image, for everybody, the system too, which is no user.
//! 2. One is asked where there is a value, or was one: taking a value away does not evade it. Elements of an array are
//!    asked one by one, each with the element that stood in its place.
//! 3. One that is not understood does not hold.

use bson::{Bson, RawBsonRef, RawDocument, RawDocumentBuf, doc};

use super::answers::Answers;
use super::bind::{Facts, bind};
use super::condition::Scene;
use super::expr::{Expression, VALUE};
use super::parse::{Parser, Place};
use crate::limits::Limits;
use crate::report::Report;
use crate::schema::{CollectionSchema, ObjectSchema, Property, PropertyKind, RuleText, Violation};

/// The `validate` expressions of one schema.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SchemaRules(Vec<SchemaRule>);

#[derive(Clone, Debug, PartialEq)]
struct SchemaRule {
    path: Vec<Step>,
    expression: Expression,
}

/// A step from the document to a value.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    /// To each element.
    Items,
}

/// A value, and the one before it.
struct Change<'a> {
    path: String,
    before: Option<RawBsonRef<'a>>,
    after: Option<RawBsonRef<'a>>,
}

impl SchemaRules {
    /// Reads the expressions of a schema; `None` when it has none. What is not understood is reported.
    pub(crate) fn parse(
        schema: &CollectionSchema,
        file: &str,
        (limits, has): (&Limits, &dyn Fn(&str) -> bool),
        report: &mut Report,
    ) -> Option<Self> {
        let mut parser = Parser::new(file, report, limits.expression_depth);
        let mut found = Vec::new();
        let mut read = |path: &[Step], rule: &RuleText| {
            let expression =
                parser.within(Place::Value, |parser| parser.expression(&rule.json, &rule.pointer));
            let missing = expression.as_ref().and_then(|expression| expression.missing(has));
            if let Some(function) = &missing {
                parser.report.error(file, &rule.pointer, format!("there is no function `{function}`"));
            }
            let expression = expression.filter(|_| missing.is_none()).unwrap_or_else(|| {
                parser.report.error(file, &rule.pointer, "the value can never be written");
                Expression::Constant(false)
            });
            found.push(SchemaRule { path: path.to_vec(), expression });
        };
        walk_object(&schema.root, &mut Vec::new(), &mut read);
        (!found.is_empty()).then_some(Self(found))
    }

    /// The first value that its rule does not allow, as far as functions have answered.
    pub(crate) fn violation(
        &self,
        (before, after): (Option<&RawDocument>, &RawDocument),
        facts: Facts<'_>,
    ) -> Option<Violation> {
        self.0.iter().find_map(|rule| {
            let condition = bind(&rule.expression, facts);
            let changes = changes(&rule.path, before, after);
            let broken = changes
                .into_iter()
                .find(|change| !holds(&condition, change, (before, after), facts.answers))?;
            let message = "the rule of the schema does not allow the value".to_owned();
            Some(Violation { path: broken.path, keyword: "validate", message })
        })
    }
}

fn holds(
    condition: &super::condition::Condition,
    change: &Change<'_>,
    (before, after): (Option<&RawDocument>, &RawDocument),
    answers: &Answers,
) -> bool {
    let value = change.after.and_then(alone);
    let previous = change.before.and_then(alone);
    let scene = Scene::of(after, (before, after), answers);
    condition.holds(Scene { value: value.as_deref(), previous_value: previous.as_deref(), ..scene })
}

/// A value as the only field of a document.
fn alone(value: RawBsonRef<'_>) -> Option<RawDocumentBuf> {
    let value = Bson::try_from(value).ok()?;
    RawDocumentBuf::try_from(&doc! { VALUE: value }).ok()
}

/// The values at a path, of both images.
fn changes<'a>(path: &[Step], before: Option<&'a RawDocument>, after: &'a RawDocument) -> Vec<Change<'a>> {
    let document = |document: &'a RawDocument| RawBsonRef::Document(document);
    let start = Change { path: String::new(), before: before.map(document), after: Some(document(after)) };
    path.iter().fold(vec![start], |changes, step| {
        changes.into_iter().flat_map(|change| change.below(step)).collect()
    })
}

impl<'a> Change<'a> {
    fn below(self, step: &Step) -> Vec<Self> {
        match step {
            Step::Field(name) => {
                let field = |value: Option<RawBsonRef<'a>>| match value {
                    Some(RawBsonRef::Document(document)) => document.get(name).ok().flatten(),
                    _ => None,
                };
                let (before, after) = (field(self.before), field(self.after));
                if before.is_none() && after.is_none() {
                    return Vec::new();
                }
                vec![Self { path: joined(&self.path, name), before, after }]
            }
            Step::Items => {
                let items = |value: Option<RawBsonRef<'a>>| match value {
                    Some(RawBsonRef::Array(array)) => array.into_iter().map_while(Result::ok).collect(),
                    _ => Vec::new(),
                };
                let before = items(self.before);
                let after = items(self.after).into_iter().enumerate();
                after
                    .map(|(index, value)| Self {
                        path: joined(&self.path, &index.to_string()),
                        before: before.get(index).copied(),
                        after: Some(value),
                    })
                    .collect()
            }
        }
    }
}

fn joined(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

/// Visits the rules of an object and of what is in it.
fn walk_object(object: &ObjectSchema, path: &mut Vec<Step>, visit: &mut dyn FnMut(&[Step], &RuleText)) {
    object.rule.iter().for_each(|rule| visit(path, rule));
    for (name, property) in &object.properties {
        path.push(Step::Field(name.clone()));
        walk_property(property, path, visit);
        path.pop();
    }
}

fn walk_property(property: &Property, path: &mut Vec<Step>, visit: &mut dyn FnMut(&[Step], &RuleText)) {
    property.rule.iter().for_each(|rule| visit(path, rule));
    walk_kind(&property.kind, path, visit);
}

fn walk_kind(kind: &PropertyKind, path: &mut Vec<Step>, visit: &mut dyn FnMut(&[Step], &RuleText)) {
    match kind {
        PropertyKind::Scalar(_) | PropertyKind::Any => {}
        PropertyKind::Object(object) => walk_object(object, path, visit),
        PropertyKind::Array(items) => {
            path.push(Step::Items);
            walk_property(items, path, visit);
            path.pop();
        }
        PropertyKind::OneOf(kinds) => kinds.iter().for_each(|kind| walk_kind(kind, path, visit)),
    }
}
