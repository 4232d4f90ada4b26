//! Partial evaluation: an expression with the actor known becomes a condition on the document.
//!
//! 1. An expansion of the actor or the app that is absent or null equals a literal null, and nothing
//!    else: a user without `tenant` does not match the documents without `tenant`.
//! 2. Absent and inconvertible members of a list are left out.
//! 3. A document path on the right and a known value on the left change sides.

use std::sync::Arc;

use bson::{Bson, Document};

use super::answers::{Answers, RuleCall};
use super::condition::{Condition, Scene};
use super::each;
use super::expr::{Expression, Image, Known, Operand, Relation};
use super::lazily::Lazily;
use super::relate;
use crate::actor::Actor;
use crate::filter::{Comparison, Filter};

/// What is known before any document is.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) values: &'a Document,
    pub(crate) environment: &'a Document,
    pub(crate) request: &'a Lazily<'a>,
    /// What functions have answered.
    pub(crate) answers: &'a Answers,
}

/// An operand once the facts are in.
enum Bound {
    Value(Bson),
    /// An expansion that leads nowhere, or to null.
    Absent,
    /// A conversion that failed.
    Nothing,
    /// It depends on the document.
    Open(Operand),
}

/// The condition that is left of the expression.
pub(crate) fn bind(expression: &Expression, facts: Facts<'_>) -> Condition {
    each::asked(left_of(expression, facts))
}

fn left_of(expression: &Expression, facts: Facts<'_>) -> Condition {
    match expression {
        Expression::Constant(value) => Condition::constant(*value),
        Expression::All(parts) => Condition::all(parts.iter().map(|part| left_of(part, facts))),
        Expression::Any(parts) => Condition::any(parts.iter().map(|part| left_of(part, facts))),
        Expression::Not(inner) => left_of(inner, facts).negate(),
        Expression::Exists(operand) => exists(operand, facts),
        Expression::Asks(filter) => Condition::stored(Image::Root, filter.clone()),
        // An absent member of the list must not make `%all` easier.
        Expression::Relates(left, Relation::All, Operand::List(items)) if !items.is_empty() => {
            let equal = Relation::Compare(Comparison::Eq);
            Condition::all(items.iter().map(|item| relates(bound(left, facts), equal, bound(item, facts))))
        }
        Expression::Relates(left, relation, right) => {
            relates(bound(left, facts), *relation, bound(right, facts))
        }
    }
}

fn exists(operand: &Operand, facts: Facts<'_>) -> Condition {
    match operand {
        Operand::Literal(_)
        | Operand::List(_)
        | Operand::Document(_)
        | Operand::Convert(..)
        | Operand::Call(..) => Condition::Always,
        Operand::Known(known, path) => {
            Condition::constant(relate::lookup(facts.document(*known), path).is_some())
        }
        Operand::Stored(image, path) if path.is_empty() => Condition::Present(*image),
        Operand::Stored(image, path) => Condition::Matches(*image, Filter::exists(path.as_str())),
    }
}

fn relates(left: Bound, relation: Relation, right: Bound) -> Condition {
    match (left, right) {
        (Bound::Nothing, _) | (_, Bound::Nothing) | (Bound::Absent, Bound::Absent | Bound::Open(_)) => {
            Condition::Never
        }
        (Bound::Value(left), Bound::Value(right)) => {
            Condition::constant(relate::holds(&left, relation, &right))
        }
        (Bound::Absent, Bound::Value(right)) => Condition::constant(relate::absent_holds(relation, &right)),
        (Bound::Value(Bson::Null), Bound::Absent) => {
            let equal = [Relation::Compare(Comparison::Eq), Relation::Exactly(Comparison::Eq)];
            Condition::constant(equal.contains(&relation))
        }
        (Bound::Value(_) | Bound::Open(_), Bound::Absent) => Condition::Never,
        (Bound::Open(Operand::Stored(image, path)), Bound::Value(value)) => {
            Condition::stored(image, relate::leaf(&path.into(), relation, &value))
        }
        (Bound::Open(left), Bound::Value(value)) => Condition::Pair(left, relation, Operand::Literal(value)),
        (Bound::Value(value), Bound::Open(Operand::Stored(image, path))) => match relate::flipped(relation) {
            Some(flipped) => Condition::stored(image, relate::leaf(&path.into(), flipped, &value)),
            None => Condition::Pair(Operand::Literal(value), relation, Operand::Stored(image, path)),
        },
        (Bound::Value(value), Bound::Open(right)) => {
            Condition::Pair(Operand::Literal(value), relation, right)
        }
        (Bound::Open(left), Bound::Open(right)) => Condition::Pair(left, relation, right),
    }
}

fn bound(operand: &Operand, facts: Facts<'_>) -> Bound {
    match operand {
        Operand::Literal(value) => Bound::Value(value.clone()),
        Operand::Known(known, path) => match relate::lookup(facts.document(*known), path) {
            None | Some(Bson::Null | Bson::Undefined) => Bound::Absent,
            Some(value) => Bound::Value(value),
        },
        Operand::Stored(..) => Bound::Open(operand.clone()),
        Operand::List(items) => list(items, facts),
        Operand::Document(fields) => document(fields, facts),
        Operand::Convert(conversion, inner) => match bound(inner, facts) {
            Bound::Value(value) => conversion.apply(&value).map_or(Bound::Nothing, Bound::Value),
            Bound::Absent | Bound::Nothing => Bound::Nothing,
            Bound::Open(inner) => Bound::Open(Operand::Convert(*conversion, Box::new(inner))),
        },
        Operand::Call(function, arguments) => call(function, arguments, facts),
    }
}

/// A call that knows no document is made before any is fetched, so that its answer becomes part of the filter.
fn call(function: &Arc<str>, arguments: &[Operand], facts: Facts<'_>) -> Bound {
    let arguments: Vec<Operand> = arguments
        .iter()
        .map(|argument| match bound(argument, facts) {
            Bound::Value(value) => Operand::Literal(value),
            Bound::Absent | Bound::Nothing => Operand::Literal(Bson::Null),
            Bound::Open(operand) => operand,
        })
        .collect();
    let known = arguments.iter().map(|argument| match argument {
        Operand::Literal(value) => Some(value.clone()),
        _ => None,
    });
    if let Some(arguments) = known.collect()
        && let Some(answer) = facts.answers.of(RuleCall { function: Arc::clone(function), arguments })
    {
        return match answer {
            Bson::Null | Bson::Undefined => Bound::Nothing,
            value => Bound::Value(value),
        };
    }
    Bound::Open(Operand::Call(Arc::clone(function), arguments))
}

/// The operand with the facts in it, and whether it still depends on the document.
pub(super) fn rebound(operand: &Operand, facts: Facts<'_>) -> (Operand, bool) {
    match bound(operand, facts) {
        Bound::Value(value) => (Operand::Literal(value), false),
        Bound::Absent | Bound::Nothing => (Operand::Literal(Bson::Null), false),
        Bound::Open(open) => (open, true),
    }
}

fn list(items: &[Operand], facts: Facts<'_>) -> Bound {
    let mut kept = Vec::new();
    for item in items {
        match bound(item, facts) {
            Bound::Value(value) => kept.push(Operand::Literal(value)),
            Bound::Absent | Bound::Nothing => {}
            Bound::Open(operand) => kept.push(operand),
        }
    }
    closed(Operand::List(kept))
}

fn document(fields: &[(String, Operand)], facts: Facts<'_>) -> Bound {
    let mut kept = Vec::new();
    for (name, operand) in fields {
        let operand = match bound(operand, facts) {
            Bound::Value(value) => Operand::Literal(value),
            Bound::Absent | Bound::Nothing => return Bound::Nothing,
            Bound::Open(operand) => operand,
        };
        kept.push((name.clone(), operand));
    }
    closed(Operand::Document(kept))
}

/// A value, if nothing in it depends on the document.
fn closed(operand: Operand) -> Bound {
    if is_open(&operand) {
        return Bound::Open(operand);
    }
    let nowhere = bson::RawDocumentBuf::new();
    let values = relate::values(&operand, Scene::stored(&nowhere, &Answers::default()));
    values.into_iter().flatten().next().map_or(Bound::Nothing, Bound::Value)
}

fn is_open(operand: &Operand) -> bool {
    match operand {
        Operand::Literal(_) | Operand::Known(..) => false,
        Operand::Stored(..) | Operand::Call(..) => true,
        Operand::List(items) => items.iter().any(is_open),
        Operand::Document(fields) => fields.iter().any(|(_, operand)| is_open(operand)),
        Operand::Convert(_, inner) => is_open(inner),
    }
}

impl<'a> Facts<'a> {
    pub(super) fn document(self, known: Known) -> &'a Document {
        match known {
            Known::User => self.actor.document(),
            Known::Values => self.values,
            Known::Environment => self.environment,
            Known::Request => self.request.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::condition::Verdict;
    use super::super::parse::Parser;
    use super::*;
    use crate::filter::matches;
    use crate::id::AppId;
    use crate::report::Report;
    use bson::{RawDocumentBuf, doc, oid::ObjectId};
    use serde_json::{Value, json};

    const HEX: &str = "65a000000000000000000001";

    fn parsed(json: &Value) -> (Option<Expression>, Report) {
        let mut report = Report::default();
        let expression = Parser::new("rules.json", &mut report, 8).expression(json, "");
        (expression, report)
    }

    fn bound_to_user(json: &Value) -> Condition {
        let user = doc! {
            "id": HEX,
            "type": "normal",
            "data": {"email": "a@b.c"},
            "custom_data": {"teams": ["x", "y"], "level": 3, "nothing": null, "oid": HEX, "box": {"w": 1}},
            "identities": [{"provider_type": "anon-user"}, {"provider_type": "api-key"}],
        };
        let values = doc! {"admins": ["u1", HEX], "limit": 5};
        let (expression, report) = parsed(json);
        let environment = doc! {"tag": "qa", "values": {"open": true}};
        let request = || doc! {"httpMethod": "POST", "requestHeaders": {"X-Tenant": ["red", "blue"]}};
        let (request, answers) = (Lazily::new(&request), Answers::default());
        let facts = Facts {
            actor: &Actor::imagined(AppId::new("app"), user),
            values: &values,
            environment: &environment,
            request: &request,
            answers: &answers,
        };
        bind(&expression.unwrap_or_else(|| panic!("{json}: {report}")), facts)
    }

    fn check(json: Value, document: Document, expected: bool) {
        let raw = RawDocumentBuf::try_from(&document).unwrap();
        let condition = bound_to_user(&json);
        let answers = Answers::default();
        assert_eq!(condition.holds(Scene::stored(&raw, &answers)), expected, "{json} on {document}");
        let found = match condition.verdict(&answers) {
            Verdict::Always => true,
            Verdict::Never => false,
            Verdict::When(filter) => matches(&filter, &raw),
            Verdict::PerDocument(filter, check) => matches(&filter, &raw) && check.accepts(&raw),
        };
        assert_eq!(found, expected, "{json} on {document}, as a verdict");
    }

    #[test]
    fn every_operator_means_the_same_in_both_spellings() {
        let cases = [
            (json!({"%and": [{"a": 1}, {"b": 2}]}), doc! {"a": 1, "b": 2}, true),
            (json!({"%and": [{"a": 1}, {"b": 2}]}), doc! {"a": 1}, false),
            (json!({"%or": [{"a": 1}, {"b": 2}]}), doc! {"b": 2}, true),
            (json!({"%or": []}), doc! {}, false),
            (json!({"%nor": [{"a": 1}, {"b": 2}]}), doc! {"b": 2}, false),
            (json!({"%nor": [{"a": 1}]}), doc! {}, true),
            (json!({"%not": {"a": 1}}), doc! {"a": 1}, false),
            (json!({"%not": [{"a": 1}]}), doc! {}, true),
            (json!({"a": {"%exists": true}}), doc! {"a": null}, true),
            (json!({"a": {"%exists": false}}), doc! {}, true),
            (json!({"a": {"%exists": "%%true"}}), doc! {}, false),
            (json!({"a": {"%in": [1, 2]}}), doc! {"a": 2}, true),
            (json!({"a": {"%in": [1, 2]}}), doc! {"a": [5, 1]}, true),
            (json!({"a": {"%nin": [1, 2]}}), doc! {}, true),
            (json!({"a": {"%nin": [1, 2]}}), doc! {"a": 1}, false),
            (json!({"a": {"%eq": 1}}), doc! {"a": 1.0}, true),
            (json!({"a": {"%ne": 1}}), doc! {}, true),
            (json!({"a": {"%ne": 1}}), doc! {"a": 1}, false),
            (json!({"a": {"%gt": 1}}), doc! {"a": 1}, false),
            (json!({"a": {"%gte": 1}}), doc! {"a": 1}, true),
            (json!({"a": {"%lt": 1}}), doc! {"a": "0"}, false),
            (json!({"a": {"%lte": 1, "%gte": 0}}), doc! {"a": 1}, true),
            (json!({"a": {"%all": [1, 2]}}), doc! {"a": [2, 1, 0]}, true),
            (json!({"a": {"%all": [1, 2]}}), doc! {"a": [1]}, false),
            (json!({"a": {"%all": []}}), doc! {"a": [1]}, false),
            (json!({"a": {"%not": {"%gt": 1}}}), doc! {}, true),
        ];
        for (percent, document, expected) in cases {
            let dollar =
                percent.to_string().replace("\"%%", "\"@@").replace("\"%", "\"$").replace("@@", "%%");
            check(serde_json::from_str(&dollar).unwrap(), document.clone(), expected);
            check(percent, document, expected);
        }
    }

    #[test]
    fn constants_and_several_keys() {
        check(json!({}), doc! {}, true);
        check(json!(true), doc! {}, true);
        check(json!("%%false"), doc! {}, false);
        check(json!({"%%true": "%%true"}), doc! {}, true);
        check(json!({"%%true": false}), doc! {}, false);
        check(json!({"a": 1, "b": 2}), doc! {"a": 1}, false);
    }

    #[test]
    fn the_user_is_known_and_an_id_is_no_object_id() {
        let oid = ObjectId::parse_str(HEX).unwrap();
        check(json!({"owner": "%%user.id"}), doc! {"owner": HEX}, true);
        check(json!({"owner": "%%user.id%%"}), doc! {"owner": HEX}, true);
        check(json!({"owner": "%%user.id"}), doc! {"owner": oid}, false);
        check(json!({"owner": {"%stringToOid": "%%user.id"}}), doc! {"owner": oid}, true);
        check(json!({"%%user.id": {"%oidToString": "%%root.owner"}}), doc! {"owner": oid}, true);
        check(json!({"%%user.id": HEX}), doc! {}, true);
        check(json!({"%%user.type": "edge"}), doc! {}, false);
        check(json!({"%%user.data.api_key": "public"}), doc! {}, false);
        check(json!({"%%user.identities.provider_type": "api-key"}), doc! {}, true);
        check(json!({"%%user.custom_data.level": {"$gte": 3}}), doc! {}, true);
        check(json!({"%%user.id": {"$in": "%%values.admins"}}), doc! {}, true);
        check(json!({"size": {"$lt": "%%values.limit"}}), doc! {"size": 4}, true);
        check(json!({"%%user": {"%exists": true}}), doc! {}, true);
    }

    #[test]
    fn the_environment_and_the_request_are_known() {
        check(json!({"%%environment.tag": "qa"}), doc! {}, true);
        check(json!({"open": "%%environment.values.open"}), doc! {"open": true}, true);
        check(json!({"%%environment.values.none": {"%exists": true}}), doc! {}, false);
        check(json!({"%%request.httpMethod": {"$in": ["GET", "POST"]}}), doc! {}, true);
        check(json!({"tenant": "%%request.requestHeaders.X-Tenant"}), doc! {"tenant": "blue"}, true);
        check(json!({"%%request.remoteIPAddress": null}), doc! {}, true);
    }

    #[test]
    fn arrays_contain_in_both_directions() {
        check(json!({"owners": "%%user.id"}), doc! {"owners": ["u", HEX]}, true);
        check(json!({"team": "%%user.custom_data.teams"}), doc! {"team": "y"}, true);
        check(json!({"team": "%%user.custom_data.teams"}), doc! {"team": "z"}, false);
        check(json!({"team": "%%user.custom_data.teams"}), doc! {"team": ["x", "y"]}, true);
        check(json!({"%%user.custom_data.teams": "x"}), doc! {}, true);
        check(json!({"%%root.teams": "%%root.team"}), doc! {"teams": [1, 2], "team": 2}, true);
        check(json!({"%%root.team": "%%root.teams"}), doc! {"teams": [1, 2], "team": 2}, true);
    }

    #[test]
    fn only_a_literal_null_equals_what_is_not_there() {
        check(json!({"a": null}), doc! {}, true);
        check(json!({"%%user.custom_data.masterId": null}), doc! {}, true);
        check(json!({"%%user.custom_data.nothing": null}), doc! {}, true);
        check(json!({"%%user.custom_data.level": null}), doc! {}, false);
        check(json!({"tenant": "%%user.custom_data.tenant"}), doc! {}, false);
        check(json!({"tenant": "%%user.custom_data.nothing"}), doc! {"tenant": null}, false);
        check(json!({"%%user.custom_data.a": "%%user.custom_data.b"}), doc! {}, false);
        check(json!({"a": {"$in": "%%user.custom_data.missing"}}), doc! {}, false);
        check(json!({"a": {"$in": ["%%user.custom_data.missing"]}}), doc! {}, false);
        check(json!({"a": {"$in": ["%%user.id", null]}}), doc! {}, true);
        check(json!({"a": {"$all": ["%%user.custom_data.missing", "x"]}}), doc! {"a": ["x"]}, false);
        check(json!({"a": {"$all": ["%%user.id"]}}), doc! {"a": [HEX]}, true);
        check(json!({"a": {"%stringToOid": "%%user.custom_data.missing"}}), doc! {}, false);
        check(json!({"a": {"%stringToOid": "bad"}}), doc! {}, false);
        check(json!({"a": {"$in": [{"%stringToOid": "bad"}]}}), doc! {"a": null}, false);
    }

    #[test]
    fn fields_compare_with_fields() {
        check(json!({"%%root.a": "%%root.b"}), doc! {"a": 1, "b": 1}, true);
        check(json!({"%%root.a": "%%root.b"}), doc! {"a": 1, "b": 2}, false);
        check(json!({"owner": {"$in": "%%root.admins"}}), doc! {"owner": 1, "admins": [0, 1]}, true);
        check(json!({"owner": {"$nin": "%%root.admins"}}), doc! {"owner": 1, "admins": [0, 1]}, false);
        check(json!({"%%user.id": {"$in": "%%root.admins"}}), doc! {"admins": [HEX]}, true);
        check(json!({"%not": {"%%root.a": "%%root.b"}, "c": 1}), doc! {"a": 1, "b": 2, "c": 1}, true);
        check(json!({"%%prevRoot.a": "%%root.a"}), doc! {}, true);
    }

    #[test]
    fn a_document_without_operators_is_compared_as_a_whole_and_warned_of() {
        let json = json!({"sharing": {"mode": "public"}});
        check(json.clone(), doc! {"sharing": {"mode": "public"}}, true);
        check(json.clone(), doc! {"sharing": {"mode": "public", "by": 1}}, false);
        assert_eq!(parsed(&json).1.problems().len(), 1);
        check(json!({"%%user.custom_data.box": {"w": 1}}), doc! {}, true);
        check(json!({"account_type": {"enum": ["admin"]}}), doc! {"account_type": "admin"}, false);
        check(json!({"read": "%%user.id"}), doc! {"read": [HEX]}, true);
    }

    #[test]
    fn what_is_not_understood_is_no_expression_and_an_error_with_its_pointer() {
        let cases = [
            (json!({"%%true": {"%function": {"arguments": ["%%user"]}}}), "/%%true/%function"),
            (json!({"%%true": {"%function": {"name": "f", "arguments": 1}}}), "/%%true/%function/arguments"),
            (
                json!({"%%true": {"%function": {"name": "f", "arguments": ["%%x"]}}}),
                "/%%true/%function/arguments/0",
            ),
            (json!({"%function": {"name": "f"}}), "/%function"),
            (json!({"a": {"$regex": "x"}}), "/a/$regex"),
            (json!({"%%env.tag": "x"}), "/%%env.tag"),
            (json!({"%%prev": 1}), "/%%prev"),
            (json!({"%%args.a": 1}), "/%%args.a"),
            (json!({"%%partition": 1}), "/%%partition"),
            (json!({"%%this": 1}), "/%%this"),
            (json!({"%or": [{"a": 1}, {"%xor": []}]}), "/%or/1/%xor"),
            (json!({"a/b": {"$where": 1}}), "/a~1b/$where"),
            (json!({"a": {"$gt": 1, "b": 2}}), "/a/b"),
            (json!({"a": {"$in": 1}}), "/a/$in"),
            (json!({"a": {"b": {"$in": [1]}}}), "/a/b/$in"),
            (json!({"%%root": {"a": 1}}), "/%%root"),
            (json!("yes"), ""),
            (json!(null), ""),
        ];
        for (json, pointer) in cases {
            let (expression, report) = parsed(&json);
            assert_eq!(expression, None, "{json}");
            assert!(report.has_errors());
            assert_eq!(report.problems().last().unwrap().pointer, pointer, "{report}");
        }
        let mut deep = json!({"a": 1});
        for _ in 0..20 {
            deep = json!({"%not": deep});
        }
        assert_eq!(parsed(&deep).0, None);
    }

    #[test]
    fn what_a_filter_can_say_is_a_filter() {
        let exact = bound_to_user(&json!({"%or": [{"owner": "%%user.id"}, {"%%user.type": "server"}]}));
        assert!(
            matches!(exact.verdict(&Answers::default()), Verdict::When(filter) if filter == Filter::eq("owner", HEX))
        );
        let partly = bound_to_user(&json!({"owner": "%%user.id", "%%root.a": "%%root.b"}));
        assert!(
            matches!(partly.verdict(&Answers::default()), Verdict::PerDocument(f, _) if f == Filter::eq("owner", HEX))
        );
    }
}
