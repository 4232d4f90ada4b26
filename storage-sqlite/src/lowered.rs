//! The SQL that each operator becomes, with and without an index on its field.

use std::fmt::Write as _;

use backstitch::bson::{Bson, bson};
use backstitch::filter::{Comparison, Direction, Filter, SortKey, Test};
use backstitch::store::keyed::{Collection, Index, Plan, Range, lower};
use backstitch::store::{IndexKey, IndexSpec};

use crate::merge::merged_sql;
use crate::walk::{ranges_sql, stream_sql};

fn key(path: &str, direction: Direction) -> IndexKey {
    IndexKey { path: path.into(), direction }
}

fn sort(path: &str, direction: Direction) -> SortKey {
    SortKey { path: path.into(), direction }
}

/// `owner`, `year` falling, `tags` (some documents have several) and `city` with `name`.
fn collection() -> Collection {
    use Direction::{Ascending, Descending};
    let keys = [
        (vec![key("owner", Ascending)], false),
        (vec![key("year", Descending)], false),
        (vec![key("tags", Ascending)], true),
        (vec![key("city", Ascending), key("name", Ascending)], false),
    ];
    let indexes = keys.into_iter().zip(1..).map(|((keys, multikey), number)| Index {
        number,
        spec: IndexSpec { keys, unique: false },
        multikey,
    });
    Collection { number: 7, indexes: indexes.collect(), whole_ids: true }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn told(plan: &Plan) -> String {
    let mut text = String::new();
    let ranges = |text: &mut String, ranges: &[Range]| {
        for range in ranges {
            writeln!(text, "    from {} to {}", hex(&range.from), hex(&range.to)).unwrap();
        }
    };
    match plan {
        Plan::Nothing => text.push_str("  no SQL\n"),
        Plan::Scan => writeln!(text, "  {}", stream_sql(7, plan)).unwrap(),
        Plan::Ordered { range, .. } => {
            writeln!(text, "  {}", stream_sql(7, plan)).unwrap();
            ranges(&mut text, std::slice::from_ref(range));
        }
        Plan::Merged { keys } => {
            writeln!(text, "  {}", merged_sql(7, keys)).unwrap();
            keys.iter().for_each(|(_, key)| writeln!(text, "    key {}", hex(key)).unwrap());
        }
        Plan::Gather { branches, repeats } => {
            for branch in branches {
                let slots = branch.ranges.len().next_power_of_two();
                writeln!(text, "  {}", ranges_sql(7, branch.source, slots)).unwrap();
                ranges(&mut text, &branch.ranges);
            }
            if *repeats {
                text.push_str("    each document once\n");
            }
        }
    }
    text
}

fn snapshot(cases: Vec<(Filter, Vec<SortKey>)>) -> String {
    let mut text = String::new();
    for (filter, sort) in cases {
        write!(text, "{filter}").unwrap();
        for key in &sort {
            write!(text, ", by {} {:?}", key.path, key.direction).unwrap();
        }
        writeln!(text, "\n{}", told(&lower(&collection(), &filter.simplify(), &sort))).unwrap();
    }
    text
}

#[test]
fn each_operator_on_a_field_with_an_index() {
    use Comparison::{Eq, Gt, Gte, Lt, Lte};
    let mut cases = vec![Filter::eq("_id", 1), Filter::is_in("_id", vec![bson!(1), bson!(2), bson!(3)])];
    cases.extend([Eq, Gt, Gte, Lt, Lte].map(|comparison| Filter::compare("owner", comparison, "ada")));
    cases.extend([Gt, Gte, Lt, Lte].map(|comparison| Filter::compare("year", comparison, 1927)));
    cases.extend([
        Filter::eq("owner", Bson::Null),
        Filter::eq("owner", "ada").negate(),
        Filter::is_in("owner", vec![bson!("ada"), bson!("bob"), bson!("ada")]),
        Filter::is_in("owner", Vec::new()),
        Filter::is_in("owner", vec![bson!("ada")]).negate(),
        Filter::exists("owner"),
        Filter::exists("owner").negate(),
        // Two bounds close a range, but not where two elements may satisfy one each.
        Filter::compare("year", Gte, 1920).and(Filter::compare("year", Lt, 1930)),
        Filter::compare("tags", Gte, "a").and(Filter::compare("tags", Lt, "b")),
        // Arrays are indexed by their elements.
        Filter::eq("tags", bson!(["a", "b"])),
        Filter::Field("tags".into(), Test::ElemMatch(Box::new(Filter::eq("x", 1)))),
        Filter::eq("city", "Bern").and(Filter::compare("name", Gt, "Kino")),
        Filter::Always,
        Filter::Never,
    ]);
    insta::assert_snapshot!(snapshot(cases.into_iter().map(|filter| (filter, Vec::new())).collect()));
}

#[test]
fn each_operator_on_a_field_without_one() {
    use Comparison::{Eq, Gt, Gte, Lt, Lte};
    let mut cases: Vec<Filter> =
        [Eq, Gt, Gte, Lt, Lte].map(|comparison| Filter::compare("text", comparison, "x")).into();
    cases.extend([
        Filter::is_in("text", vec![bson!("x")]),
        Filter::exists("text"),
        Filter::Field("text".into(), Test::ElemMatch(Box::new(Filter::Always))),
        Filter::eq("text", "x").negate(),
    ]);
    let all: Vec<String> =
        cases.into_iter().map(|filter| told(&lower(&collection(), &filter.simplify(), &[]))).collect();
    assert!(all.iter().all(|plan| *plan == all[0]), "{all:#?}");
    insta::assert_snapshot!(all[0], @"  SELECT seq, body, x'' FROM docs_7 WHERE seq > ?1 ORDER BY seq");
}

#[test]
fn unions_and_orders() {
    use Direction::{Ascending, Descending};
    let either = |a, b| Filter::Or(vec![a, b]);
    let ada = || Filter::eq("owner", "ada");
    insta::assert_snapshot!(snapshot(vec![
        (either(ada(), Filter::eq("tags", "x")), vec![]),
        (either(ada(), Filter::eq("text", "x")), vec![]),
        (either(ada(), Filter::eq("text", "x")).and(Filter::eq("_id", 1)), vec![]),
        (Filter::Always, vec![sort("year", Descending)]),
        (Filter::Always, vec![sort("year", Ascending)]),
        (Filter::Always, vec![sort("tags", Ascending)]),
        (Filter::Always, vec![sort("_id", Descending)]),
        (Filter::eq("city", "Bern"), vec![sort("name", Ascending)]),
        (Filter::eq("city", "Bern"), vec![sort("name", Descending)]),
        (Filter::compare("year", Comparison::Gt, 1927), vec![sort("year", Ascending)]),
        (ada(), vec![sort("year", Ascending)]),
    ]));
}
