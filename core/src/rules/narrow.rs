//! A user's filter AND the rules.
//!
//! 1. Only documents that may be read, and of which some field may be read, match.
//! 2. A path that can be read on no document is refused; so is sorting by one that is hidden on some.
//! 3. A path that is hidden on a document counts as missing there.
//! 4. The collection's filters narrow what is found, and what their projections leave out is not readable.

use bson::RawDocumentBuf;

use super::bound::BoundRules;
use super::condition::Condition;
use super::expr::Image;
use super::grants::{BoundRole, over_roles};
use super::projection::Projection;
use super::scope::Denied;
use crate::filter::{FieldPath, Filter, SortKey, Test, matches};

/// The condition under which a document is found, if the role that decides on it also admits the request.
pub(crate) fn narrowed(
    rules: &BoundRules,
    (filter, sort): (&Filter, &[SortKey]),
    admits: impl Fn(&BoundRole) -> Condition,
) -> Result<Condition, Denied> {
    let row = over_roles(&rules.roles, |role| Condition::all([admits(role), role.reads.clone()]));
    let row = Condition::all([row, rules.filters.query.clone()]);
    if row == Condition::Never {
        // A caller who sees nothing learns nothing, not even which fields there are.
        return Ok(Condition::Never);
    }
    if rules.filters.is_mixed {
        return Err(Denied::MixedProjections);
    }
    for key in sort {
        if path_readable(rules, key.path.as_str())? != Condition::Always {
            return Err(Denied::FieldNotReadable(key.path.to_string()));
        }
    }
    Ok(Condition::all([row, asked(rules, filter)?]))
}

fn asked(rules: &BoundRules, filter: &Filter) -> Result<Condition, Denied> {
    let each = |parts: &[Filter]| parts.iter().map(|part| asked(rules, part)).collect::<Result<Vec<_>, _>>();
    Ok(match filter {
        Filter::Always => Condition::Always,
        Filter::Never => Condition::Never,
        Filter::And(parts) => Condition::all(each(parts)?),
        Filter::Or(parts) => Condition::any(each(parts)?),
        Filter::Not(inner) => asked(rules, inner)?.negate(),
        Filter::Field(path, test) => leaf(rules, path, test)?,
    })
}

fn leaf(rules: &BoundRules, path: &FieldPath, test: &Test) -> Result<Condition, Denied> {
    let mut paths = Vec::new();
    paths_of(path.as_str(), test, &mut paths);
    let mut seen = Vec::new();
    for path in &paths {
        seen.push(path_readable(rules, path)?);
    }
    let filter = Filter::Field(path.clone(), test.clone());
    let of_missing = Condition::constant(matches(&filter, &RawDocumentBuf::new()));
    let seen = Condition::all(seen);
    let found = Condition::all([seen.clone(), Condition::stored(Image::Root, filter)]);
    Ok(if seen == Condition::Always {
        found
    } else {
        Condition::any([found, Condition::all([seen.negate(), of_missing])])
    })
}

/// The paths that a test looks at: of an element filter those inside, if it has any.
fn paths_of(path: &str, test: &Test, paths: &mut Vec<String>) {
    let before = paths.len();
    match test {
        Test::Compare(..)
        | Test::In(_)
        | Test::Exists
        | Test::AnyElement(_)
        | Test::Matches(_)
        | Test::Type(_)
        | Test::Size(_)
        | Test::Remainder { .. } => {}
        Test::ElemMatch(inner) => paths_inside(path, inner, paths),
    }
    if paths.len() == before {
        paths.push(path.to_owned());
    }
}

fn paths_inside(parent: &str, filter: &Filter, paths: &mut Vec<String>) {
    match filter {
        Filter::Always | Filter::Never => {}
        Filter::And(parts) | Filter::Or(parts) => {
            for part in parts {
                paths_inside(parent, part, paths);
            }
        }
        Filter::Not(inner) => paths_inside(parent, inner, paths),
        Filter::Field(path, test) => paths_of(&format!("{parent}.{path}"), test, paths),
    }
}

/// When a path may be read, given that the document may: `Always` where every role that can read a
/// document can read the path.
fn path_readable(rules: &BoundRules, path: &str) -> Result<Condition, Denied> {
    let roles = &rules.roles;
    if rules.filters.projection.as_ref().map(Projection::tree).is_some_and(|fetched| !fetched.fetches(path)) {
        return Err(Denied::FieldNotReadable(path.to_owned()));
    }
    let reading = || roles.iter().filter(|role| role.reads != Condition::Never);
    if reading().all(|role| role.reads_path(path) == Condition::Always) {
        return Ok(Condition::Always);
    }
    let readable = over_roles(roles, |role| Condition::all([role.reads.clone(), role.reads_path(path)]));
    if readable == Condition::Never { Err(Denied::FieldNotReadable(path.to_owned())) } else { Ok(readable) }
}
