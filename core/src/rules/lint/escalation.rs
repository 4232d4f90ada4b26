//! Custom user data that users may write themselves and that rules depend on.
//!
//! A role that asks for something fixed of its user (a server key, an id, a word in custom user data), or that asks a
//! function, is left out: there a privilege comes before the write.

use std::collections::BTreeMap;

use bson::Bson;

use super::super::expr::{Expression, Known, Operand};
use super::super::role::{Grants, Role};
use super::places::{each_operand, of_filters, of_role};
use super::truth::{Judge, Moment, conjuncts, value};
use super::{Report, Scope, Subject, UserData};
use crate::id::CollectionId;

/// Warns of paths of custom user data that decide on rights and that a role lets users write.
pub(super) fn find(subjects: &[Subject<'_>], data: UserData<'_>, report: &mut Report) {
    let Some(subject) = governing(subjects, data.collection) else { return };
    let mut depended = depended(subjects);
    // Neither can be made another's.
    depended.retain(|path, _| path != "_id" && path != data.user_id_field);
    for (at, role, grants) in subject.open_roles() {
        for (path, place) in depended.iter().filter(|_| !is_privileged(role, grants)) {
            if may_write(subject, role, grants, path) {
                let part = if path.is_empty() { String::new() } else { format!("`{path}` of ") };
                let message = format!(
                    "role `{}` lets users write {part}custom user data on which rules depend ({place}): they could \
                     give themselves rights; deny writing it, for instance by `fields`",
                    role.name
                );
                report.warn(subject.file, &at, message);
            }
        }
    }
}

/// The rules that hold for the collection.
fn governing<'a>(subjects: &[Subject<'a>], collection: &CollectionId) -> Option<Subject<'a>> {
    let with_roles = |scope: Scope<'_>| {
        let mut found = subjects.iter().filter(|subject| subject.scope == scope);
        found.find(|subject| subject.rules.has_roles()).copied()
    };
    with_roles(Scope::Collection(collection)).or_else(|| {
        let schema = subjects.iter().find(|subject| subject.scope == Scope::Collection(collection));
        let default = with_roles(Scope::Service(&collection.service))?;
        Some(Subject { schema: schema.and_then(|subject| subject.schema), ..default })
    })
}

/// The paths of custom user data that rules name, each with one place; the empty path is the whole of them.
fn depended(subjects: &[Subject<'_>]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for subject in subjects {
        let roles = subject.open_roles().flat_map(|(at, role, grants)| {
            let whose = format!("role `{}`", role.name);
            of_role(role, grants, &at).into_iter().map(move |placed| (whose.clone(), placed))
        });
        let filters = of_filters(*subject).into_iter();
        let filters = filters.map(|(name, placed)| (format!("filter `{name}`"), placed));
        for (whose, placed) in roles.chain(filters) {
            each_operand(placed.expression, &mut |operand| {
                if let Some(path) = custom_path(operand) {
                    let place = || match subject.file {
                        "" => whose.clone(),
                        file => format!("{whose}, {file}#{}", placed.pointer),
                    };
                    found.entry(path.to_owned()).or_insert_with(place);
                }
            });
        }
    }
    found
}

fn custom_path(operand: &Operand) -> Option<&str> {
    match operand {
        Operand::Known(Known::User, path) => match path.strip_prefix("custom_data")? {
            "" => Some(""),
            rest => rest.strip_prefix('.'),
        },
        _ => None,
    }
}

/// Whether the role lets its users write the field, by an update or by an insert.
fn may_write(subject: Subject<'_>, role: &Role, grants: &Grants, path: &str) -> bool {
    let may = |moment| {
        let judge = Judge::at(subject.schema, moment);
        judge.may(Some(&role.apply_when), true) && judge.may_write_at(grants, path)
    };
    let inserts = Judge::at(subject.schema, Moment::Insert).may(grants.insert.as_ref(), true);
    may(Moment::Update) || inserts && may(Moment::Insert)
}

/// Whether writing asks for a privilege: something of the user that is fixed, or that a function knows.
fn is_privileged(role: &Role, grants: &Grants) -> bool {
    let asked = [Some(&role.apply_when), grants.write_gate.as_ref(), grants.write.as_ref()];
    let mut parts = Vec::new();
    asked.into_iter().flatten().for_each(|expression| conjuncts((true, expression), &mut parts));
    parts.iter().any(|(positive, part)| match part {
        Expression::Relates(Operand::Known(Known::User, path), _, right) => {
            let is_common = match value(right) {
                Some(Bson::Null | Bson::Boolean(false)) => true,
                Some(Bson::String(kind)) => path == "type" && kind == "normal",
                Some(_) => false,
                None => !matches!(right, Operand::Known(Known::Values | Known::Environment, _)),
            };
            *positive && (!is_common || part.calls())
        }
        other => other.calls(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::CollectionRules;

    /// What is told of these rules of the users' collection, where another collection's rules are those.
    fn told(users: Option<&Value>, others: &Value, default: Option<&Value>) -> Vec<String> {
        let mut report = Report::default();
        let mut parsed = |json: &Value| CollectionRules::parse(json, "", &mut report);
        let (none, service) = (json!({}), "s");
        let rules = [users.unwrap_or(&none), others, default.unwrap_or(&none)].map(&mut parsed);
        let [of_users, of_others, by_default] = &rules;
        let (users, others) = (id("users"), id("things"));
        let subject = |scope, rules, file| Subject { scope, rules, file, schema: None };
        let subjects = [
            subject(Scope::Collection(&users), of_users, "users.json"),
            subject(Scope::Collection(&others), of_others, "things.json"),
            subject(Scope::Service(service), by_default, "default_rule.json"),
        ];
        find(&subjects, UserData { collection: &users, user_id_field: "user_id" }, &mut report);
        assert!(!report.has_errors(), "{report}");
        report
            .problems()
            .iter()
            .map(|problem| format!("{}{}: {}", problem.file, problem.pointer, problem.message))
            .collect()
    }

    fn id(name: &str) -> CollectionId {
        CollectionId::new("app", "s", "db", name)
    }

    fn role(apply_when: &Value, parts: &Value) -> Value {
        let mut role = json!({"name": "own", "apply_when": apply_when});
        role.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        json!({"roles": [role]})
    }

    fn dependent() -> Value {
        json!({"roles": [{"name": "admin", "apply_when": {"%%user.custom_data.role": "admin"}, "read": true}]})
    }

    #[test]
    fn a_path_that_rules_depend_on_and_users_write_is_told() {
        let own = json!({"user_id": "%%user.id"});
        let yes = json!({"read": true, "write": true});
        for parts in [
            json!({"write": true}),
            json!({"write": own}),
            json!({"write": {"%%prevRoot": {"$exists": false}}}),
            json!({"additional_fields": yes}),
            json!({"fields": {"role": yes}}),
            json!({"fields": {"role": {"fields": {"x": yes}}}}),
            json!({"fields": {"name": {}}, "additional_fields": {"write": {"a": 1}}}),
        ] {
            let told = told(Some(&role(&own, &parts)), &dependent(), None);
            assert_eq!(told.len(), 1, "{parts}: {told:#?}");
            let words = "users.json/roles/0: role `own` lets users write `role` of custom user data on which rules depend \
                         (role `admin`, things.json#/roles/0/apply_when)";
            assert!(told[0].starts_with(words), "{told:#?}");
        }
    }

    #[test]
    fn what_users_may_not_write_is_not_told() {
        let own = json!({"user_id": "%%user.id"});
        let yes = json!({"read": true, "write": true});
        for parts in [
            json!({"read": true, "write": false}),
            json!({"fields": {"name": yes}, "additional_fields": {"read": true}}),
            json!({"fields": {"role": {"read": true}}, "additional_fields": yes}),
            json!({"document_filters": {"write": false}, "write": true}),
            json!({"write": {"%%prevRoot": {"$exists": false}}, "insert": false}),
            json!({"write": {"%%user.custom_data.role": "admin"}}),
        ] {
            assert_eq!(told(Some(&role(&own, &parts)), &dependent(), None), Vec::<String>::new(), "{parts}");
        }
        for privileged in [
            json!({"%%user.type": "server"}),
            json!({"%%user.custom_data.role": "admin"}),
            json!({"%%user.id": {"$in": "%%values.admins"}}),
            json!({"%%true": {"%function": {"name": "f"}}}),
            json!(false),
        ] {
            assert!(told(Some(&role(&privileged, &yes)), &dependent(), None).is_empty(), "{privileged}");
        }
        for common in [json!({"%%user.type": "normal"}), json!({"%%user.custom_data.banned": {"$ne": true}})]
        {
            assert!(!told(Some(&role(&common, &yes)), &dependent(), None).is_empty(), "{common}");
        }
        let identifying = json!({"roles": [{"name": "own", "apply_when": {"userId": {"%stringToOid": "%%user.custom_data._id"},
            "by": "%%user.custom_data.user_id"}, "read": true}]});
        assert!(told(Some(&role(&own, &yes)), &identifying, None).is_empty(), "what says whose they are");
        let free = json!({"roles": [{"name": "all", "apply_when": {"%%user.data.name": "x"}, "read": true}]});
        assert!(told(Some(&role(&own, &yes)), &free, None).is_empty(), "nothing depends on it");
    }

    #[test]
    fn default_rules_and_filters_count_too() {
        let yes = json!({"read": true, "write": true});
        let all = role(&json!({}), &yes);
        let by_filter = json!({"roles": [{"name": "all", "apply_when": {}, "read": true}],
            "filters": [{"name": "mine", "query": {"tenant": "%%user.custom_data.tenant"}}]});
        let found = told(None, &by_filter, Some(&all));
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(
            found[0].starts_with("default_rule.json/roles/0: role `own` lets users write `tenant` of"),
            "{found:#?}"
        );
        assert!(found[0].contains("filter `mine`, things.json#/filters/0/query"), "{found:#?}");
        let whole =
            json!({"roles": [{"name": "w", "apply_when": {"%%user.custom_data": {"a": 1}}, "read": true}]});
        let found = told(Some(&all), &whole, None);
        assert!(
            found.iter().any(|told| told.contains("lets users write custom user data on which")),
            "{found:#?}"
        );
    }
}
