//! The `filters` of a collection: what is asked of the store beside what a caller asks.
//!
//! 1. All filters whose `apply_when` holds apply, to reads and to what updates and deletes match; inserts match
//!    nothing.
//! 2. `apply_when` is asked before there is any document. `query` is a query of MongoDB's in which expansions may
//!    stand for values.
//! 3. One that is not understood closes the collection, for without it more would be seen than was meant.

use serde_json::Value;

use super::bind::{Facts, bind};
use super::condition::Condition;
use super::expr::Expression;
use super::parse::{Parser, Place, below};
use super::projection::{Mixed, Projection};

/// A filter as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RowFilter {
    pub(crate) name: String,
    pub(crate) apply_when: Expression,
    pub(crate) query: Expression,
    projection: Option<Projection>,
}

/// What the filters that apply come to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BoundFilters {
    /// What a document has to fulfil.
    pub(crate) query: Condition,
    /// Which fields are fetched; `None` for all.
    pub(crate) projection: Option<Projection>,
    /// Whether their projections contradict each other, so that nothing can be read.
    pub(crate) is_mixed: bool,
}

const KEYS: [&str; 7] = ["name", "apply_when", "query", "projection", "project", "id", "_id"];

impl RowFilter {
    /// Reads the filters; `None` when one of them is not understood, which the report says.
    pub(super) fn parse_all(parser: &mut Parser<'_>, json: Option<&Value>) -> Option<Vec<Self>> {
        let filters = match json {
            None | Some(Value::Null) => return Some(Vec::new()),
            Some(Value::Array(filters)) => filters,
            Some(_) => return parser.fail("/filters", "`filters` is no array"),
        };
        let parsed: Vec<_> = filters
            .iter()
            .enumerate()
            .map(|(index, json)| Self::parse(parser, json, &format!("/filters/{index}")))
            .collect();
        parsed.into_iter().collect()
    }

    fn parse(parser: &mut Parser<'_>, json: &Value, pointer: &str) -> Option<Self> {
        let Value::Object(entries) = json else {
            return parser.fail(pointer, "filter is no JSON object");
        };
        super::role::warn_of_unknown(parser, entries, pointer, &KEYS);
        let name = entries.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let part = |parser: &mut Parser<'_>, key: &str, place| match entries.get(key) {
            // Without a condition it narrows always.
            None | Some(Value::Null) => Some(Expression::Constant(true)),
            Some(json) => parser.within(place, |parser| parser.expression(json, &below(pointer, key))),
        };
        let apply_when = part(parser, "apply_when", Place::Filter);
        let query = part(parser, "query", Place::Query);
        let projection = ["projection", "project"].into_iter().find_map(|key| Some((key, entries.get(key)?)));
        let projection = match projection {
            None | Some((_, Value::Null)) => Some(None),
            Some((key, json)) => Projection::parse(parser, json, &below(pointer, key)),
        };
        Some(Self { name, apply_when: apply_when?, query: query?, projection: projection? })
    }

    /// The filter of these that apply, as one.
    pub(super) fn bind_all<'f>(filters: impl Iterator<Item = &'f Self>, facts: Facts<'_>) -> BoundFilters {
        let mut bound = BoundFilters { query: Condition::Always, projection: None, is_mixed: false };
        for filter in filters {
            match bind(&filter.apply_when, facts) {
                Condition::Never => continue,
                Condition::Always => {}
                // Of a function that has not answered it is not known that the filter does not apply.
                _ => bound.query = Condition::Never,
            }
            bound.query = Condition::all([bound.query, bind(&filter.query, facts)]);
            bound.projection = match (bound.projection.take(), filter.projection.clone()) {
                (Some(one), Some(other)) => match one.merge(other) {
                    Ok(merged) => Some(merged),
                    Err(Mixed) => {
                        bound.is_mixed = true;
                        None
                    }
                },
                (one, other) => one.or(other),
            };
        }
        bound
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use serde_json::json;

    use crate::filter::{Direction, Filter, SortKey};
    use crate::report::Report;
    use crate::rules::tests::{ME, access_by, finds, raw, seen};
    use crate::rules::{Access, CollectionRules, Denied, Query};

    fn under(filters: serde_json::Value) -> Access {
        let all = json!([{"name": "all", "apply_when": {}, "read": true, "write": true}]);
        access_by(&json!({ "roles": all, "filters": filters }))
    }

    #[test]
    fn those_that_apply_narrow_what_is_found() {
        let access = under(json!([
            {"name": "mine", "apply_when": {"%%user.id": ME}, "query": {"owner": "%%user.id"}},
            {"name": "level", "apply_when": {"%%user.custom_data.level": 1}, "query": {"level": {"$lte": 1}}},
            {"name": "others", "apply_when": {"%%user.id": "x"}, "query": {"hidden": true}},
            {"name": "everybody", "query": {"$or": [{"a": 1}, {"a": {"$exists": false}}]}},
        ]));
        let found = |document: bson::Document| finds(&access, Filter::Always, &raw(&document)).unwrap();
        assert!(found(doc! {"owner": ME, "level": 1}));
        assert!(found(doc! {"owner": ME, "level": 1, "a": 1}));
        assert!(!found(doc! {"owner": ME, "level": 1, "a": 2}));
        assert!(!found(doc! {"owner": ME, "level": 2}));
        assert!(!found(doc! {"owner": "x", "level": 1}));
        assert!(!access.reads_everything());
        let (mine, foreign) = (raw(&doc! {"owner": ME, "level": 1}), raw(&doc! {"owner": "x", "level": 1}));
        assert!(access.delete(&mine).is_ok() && access.delete(&foreign).is_err());
        assert!(access.replace(&foreign, mine.clone()).is_err(), "what is not found is not changed");
        // They match nothing on insert.
        assert!(access.insert(raw(&doc! {"owner": "x"})).is_ok());
    }

    #[test]
    fn a_query_means_what_mongodb_means() {
        let access = under(json!([{"name": "f", "query": {"tags": ["a", "b"]}}]));
        let found = |document: bson::Document| finds(&access, Filter::Always, &raw(&document)).unwrap();
        assert!(found(doc! {"tags": ["a", "b"]}));
        assert!(!found(doc! {"tags": ["b", "a"]}));
        assert!(!found(doc! {"tags": "a"}), "an array on the right does not stand for its elements");
    }

    #[test]
    fn what_a_projection_leaves_out_is_not_readable() {
        let access = under(json!([
            {"name": "less", "projection": {"secret": 0, "box.in": 0}},
            {"name": "also", "project": {"other": false}},
        ]));
        let document = doc! {"_id": 1, "a": 1, "secret": 2, "other": 3, "box": {"in": 1, "out": 2}};
        let expected = doc! {"_id": 1, "a": 1, "box": {"out": 2}};
        let part = access.visibility(&raw(&document)).readable_part(&raw(&document));
        assert_eq!(part, expected);
        for (path, readable) in [
            ("a", true),
            ("secret", false),
            ("other", false),
            ("box", false),
            ("box.in", false),
            ("box.out", true),
        ] {
            let found = access.find(Query { filter: Filter::eq(path, 1), ..Query::default() });
            assert_eq!(found.is_ok(), readable, "{path}");
            let sort = vec![SortKey { path: path.into(), direction: Direction::Ascending }];
            assert_eq!(access.find(Query { sort, ..Query::default() }).is_ok(), readable, "{path}");
        }
        assert!(!access.reads_all_it_finds());
        assert!(
            access.replace(&raw(&document), raw(&doc! {"_id": 1, "secret": 3})).is_ok(),
            "writing is not reading"
        );
    }

    #[test]
    fn of_fields_that_are_not_fetched_nothing_is_seen() {
        let roles =
            json!([{"name": "some", "apply_when": {}, "fields": {"a": {"read": true}, "b": {"read": true}}}]);
        let filters = json!([{"name": "f", "projection": {"b": 1, "c": 1, "_id": 0}}]);
        let access = access_by(&json!({ "roles": roles, "filters": filters }));
        assert_eq!(seen(&access, &doc! {"_id": 1, "a": 1, "b": 2, "c": 3}), Some(doc! {"b": 2}));
        let nothing = json!([{"name": "f", "projection": {"c": 1}}]);
        let access = access_by(&json!({ "roles": roles, "filters": nothing }));
        assert_eq!(seen(&access, &doc! {"_id": 1, "a": 1, "b": 2, "c": 3}), None);
    }

    #[test]
    fn projections_that_contradict_each_other_fail_the_query() {
        let access =
            under(json!([{"name": "in", "projection": {"a": 1}}, {"name": "out", "projection": {"b": 0}}]));
        assert_eq!(access.find(Query::default()).err(), Some(Denied::MixedProjections));
        let apart = json!([{"name": "in", "projection": {"a": 1}},
            {"name": "out", "apply_when": {"%%user.id": "x"}, "projection": {"b": 0}}]);
        assert!(under(apart).find(Query::default()).is_ok());
    }

    #[test]
    fn a_query_may_ask_what_rules_cannot() {
        let access = under(json!([{"name": "q", "query": {
            "name": {"$regex": "^a", "$options": "i", "$ne": "Abe"}, "tags": {"$size": 1}, "n": {"$elemMatch": {"$gt": 1, "$lt": 3}},
        }}]));
        for (document, found) in [
            (doc! {"name": "Ada", "tags": [1], "n": [2]}, true),
            (doc! {"name": "Abe", "tags": [1], "n": [2]}, false),
            (doc! {"name": "Bob", "tags": [1], "n": [2]}, false),
            (doc! {"name": "Ada", "tags": [], "n": [2]}, false),
            (doc! {"name": "Ada", "tags": [1], "n": [1, 3]}, false),
        ] {
            assert_eq!(finds(&access, Filter::Always, &raw(&document)).unwrap(), found, "{document}");
        }
    }

    #[test]
    fn one_that_is_not_understood_closes_the_collection() {
        for (filter, pointer) in [
            (json!({"query": {"a": {"$near": "x"}}}), "/filters/0/query/a/$near"),
            (json!({"query": {"a": {"$regex": "("}}}), "/filters/0/query/a"),
            (json!({"query": {"a": {"$size": "%%user.id"}}}), "/filters/0/query/a/$size"),
            (json!({"apply_when": {"owner": "%%user.id"}}), "/filters/0/apply_when/owner"),
            (json!({"apply_when": {"%%root.a": 1}}), "/filters/0/apply_when/%%root.a"),
            (json!({"query": {"a": "%%prevRoot.a"}}), "/filters/0/query/a"),
            (json!({"projection": {"a": 1, "b": 0}}), "/filters/0/projection"),
            (json!(1), "/filters/0"),
        ] {
            let rules = json!({
                "roles": [{"name": "all", "apply_when": {}, "read": true, "write": true}],
                "filters": [filter],
            });
            let mut report = Report::default();
            CollectionRules::parse(&rules, "rules.json", &mut report);
            assert_eq!(report.problems()[0].pointer, pointer, "{report}");
            let access = access_by(&rules);
            assert_eq!(seen(&access, &doc! {"a": 1}), None, "{rules}");
            assert!(access.insert(raw(&doc! {"a": 1})).is_err());
        }
    }
}
