use bson::{Bson, DateTime, Document, bson, doc};

use super::{Budget, Outcome, Parser, Scope};

fn evaluated(expression: &Bson, document: &Document) -> Outcome {
    let budget = Budget::new(100_000);
    let scope = Scope { root: document, now: DateTime::from_millis(1000), variables: &[], budget: &budget };
    Parser::default().expression(expression)?.evaluate(scope)
}

fn check(cases: impl IntoIterator<Item = (Bson, Bson)>) {
    let document = doc! {
        "n": 7, "s": "Grüße", "l": [3, 1, 2], "d": {"x": 1, "y": [{"z": 1}, {"z": 2}]}, "null": Bson::Null,
        "at": DateTime::from_millis(1_700_000_000_123_i64), "docs": [{"a": 1}, {"a": 2}, {}],
    };
    for (expression, expected) in cases {
        assert_eq!(evaluated(&expression, &document), Ok(Some(expected)), "{expression}");
    }
}

#[test]
fn paths_variables_and_literals() {
    check([
        (bson!("$n"), bson!(7)),
        (bson!("$d.y.z"), bson!([1, 2])),
        (bson!("$docs.a"), bson!([1, 2])),
        (bson!("$$ROOT.n"), bson!(7)),
        (bson!("$$NOW"), Bson::DateTime(DateTime::from_millis(1000))),
        (bson!({"$literal": "$n"}), bson!("$n")),
        (bson!({"a": "$n", "b": "$gone"}), bson!({"a": 7})),
        (bson!(["$n", "$gone"]), bson!([7, Bson::Null])),
    ]);
    assert_eq!(evaluated(&bson!("$gone"), &doc! {}), Ok(None));
    assert_eq!(evaluated(&bson!("$$REMOVE"), &doc! {}), Ok(None));
}

#[test]
fn arithmetic() {
    check([
        (bson!({"$add": ["$n", 1, 0.5]}), bson!(8.5)),
        (bson!({"$add": ["$at", 1000]}), Bson::DateTime(DateTime::from_millis(1_700_000_001_123))),
        (bson!({"$subtract": ["$at", "$at"]}), Bson::Int64(0)),
        (bson!({"$multiply": ["$n", 2]}), bson!(14)),
        (bson!({"$divide": ["$n", 2]}), bson!(3.5)),
        (bson!({"$mod": ["$n", 4]}), bson!(3)),
        (bson!({"$abs": -3}), bson!(3)),
        (bson!({"$round": [2.5]}), bson!(2.0)),
        (bson!({"$round": [2.567, 1]}), bson!(2.6)),
        (bson!({"$trunc": -2.7}), bson!(-2.0)),
        (bson!({"$pow": [2, 10]}), bson!(1024)),
        (bson!({"$sqrt": 9}), bson!(3.0)),
        (bson!({"$sum": "$l"}), bson!(6)),
        (bson!({"$avg": ["$n", 1]}), bson!(4.0)),
        (bson!({"$add": ["$n", "$null"]}), Bson::Null),
        (bson!({"$add": [i64::MAX, 1]}), bson!(9_223_372_036_854_775_807.0)),
    ]);
}

#[test]
fn comparisons_and_choices() {
    check([
        (bson!({"$eq": ["$n", 7.0]}), bson!(true)),
        (bson!({"$gt": ["a", 5]}), bson!(true)),
        (bson!({"$cmp": [1, 2]}), bson!(-1)),
        (bson!({"$not": ["$gone"]}), bson!(true)),
        (bson!({"$and": [true, 1, ""]}), bson!(true)),
        (bson!({"$or": [false, 0, "$null"]}), bson!(false)),
        (bson!({"$cond": ["$n", "yes", "no"]}), bson!("yes")),
        (bson!({"$cond": {"if": {"$lt": ["$n", 5]}, "then": 1, "else": 2}}), bson!(2)),
        (bson!({"$ifNull": ["$gone", "$null", "x"]}), bson!("x")),
        (bson!({"$switch": {"branches": [{"case": false, "then": 1}], "default": 2}}), bson!(2)),
        (bson!({"$max": "$l"}), bson!(3)),
        (bson!({"$min": ["$l", 9]}), bson!(9)),
        (bson!({"$let": {"vars": {"v": 3}, "in": {"$add": ["$$v", "$n"]}}}), bson!(10)),
    ]);
}

#[test]
fn arrays_sets_and_objects() {
    check([
        (bson!({"$size": "$l"}), bson!(3)),
        (bson!({"$arrayElemAt": ["$l", -1]}), bson!(2)),
        (bson!({"$first": "$l"}), bson!(3)),
        (bson!({"$slice": ["$l", 1, 5]}), bson!([1, 2])),
        (bson!({"$slice": ["$l", -2]}), bson!([1, 2])),
        (bson!({"$in": [1.0, "$l"]}), bson!(true)),
        (bson!({"$indexOfArray": ["$l", 9]}), bson!(-1)),
        (bson!({"$concatArrays": ["$l", [4]]}), bson!([3, 1, 2, 4])),
        (bson!({"$range": [0, 5, 2]}), bson!([0, 2, 4])),
        (bson!({"$reverseArray": "$l"}), bson!([2, 1, 3])),
        (bson!({"$filter": {"input": "$l", "as": "e", "cond": {"$gt": ["$$e", 1]}}}), bson!([3, 2])),
        (bson!({"$map": {"input": "$l", "in": {"$multiply": ["$$this", 2]}}}), bson!([6, 2, 4])),
        (
            bson!({"$reduce": {"input": "$l", "initialValue": 0, "in": {"$add": ["$$value", "$$this"]}}}),
            bson!(6),
        ),
        (bson!({"$setUnion": [[2, 1], [1.0]]}), bson!([1, 2])),
        (bson!({"$setIntersection": ["$l", [2, 9]]}), bson!([2])),
        (bson!({"$setDifference": ["$l", [2]]}), bson!([1, 3])),
        (bson!({"$setEquals": [[1, 2], [2, 1, 1]]}), bson!(true)),
        (bson!({"$anyElementTrue": [[false, 1]]}), bson!(true)),
        (bson!({"$mergeObjects": ["$d", {"x": 9}]}), bson!({"x": 9, "y": [{"z": 1}, {"z": 2}]})),
        (bson!({"$objectToArray": {"a": 1}}), bson!([{"k": "a", "v": 1}])),
        (bson!({"$arrayToObject": [[["a", 1]]]}), bson!({"a": 1})),
        (bson!({"$getField": {"field": "x", "input": "$d"}}), bson!(1)),
        (bson!({"$isArray": "$l"}), bson!(true)),
    ]);
}

#[test]
fn strings() {
    check([
        (bson!({"$concat": ["$s", "!"]}), bson!("Grüße!")),
        (bson!({"$concat": ["$s", "$gone"]}), Bson::Null),
        (bson!({"$toUpper": "$s"}), bson!("GRÜSSE")),
        (bson!({"$substrCP": ["$s", 1, 2]}), bson!("rü")),
        (bson!({"$substr": ["hello", 1, -1]}), bson!("ello")),
        (bson!({"$strLenCP": "$s"}), bson!(5)),
        (bson!({"$strLenBytes": "$s"}), bson!(7)),
        (bson!({"$split": ["a,b", ","]}), bson!(["a", "b"])),
        (bson!({"$trim": {"input": "  x "}}), bson!("x")),
        (bson!({"$ltrim": {"input": "xxy", "chars": "x"}}), bson!("y")),
        (bson!({"$indexOfCP": ["$s", "ß"]}), bson!(3)),
        (bson!({"$regexMatch": {"input": "$s", "regex": "^gr", "options": "i"}}), bson!(true)),
        (
            bson!({"$regexFind": {"input": "a12", "regex": "([0-9])"}}),
            bson!({"match": "1", "idx": 1, "captures": ["1"]}),
        ),
        (bson!({"$replaceAll": {"input": "aa", "find": "a", "replacement": "b"}}), bson!("bb")),
        (bson!({"$strcasecmp": ["a", "B"]}), bson!(-1)),
    ]);
}

#[test]
fn types_and_dates() {
    let hour = bson!({"$hour": {"date": "$at", "timezone": "+02:00"}});
    check([
        (bson!({"$type": "$gone"}), bson!("missing")),
        (bson!({"$type": "$l"}), bson!("array")),
        (bson!({"$toString": "$n"}), bson!("7")),
        (bson!({"$toInt": "42"}), bson!(42)),
        (bson!({"$toDouble": "1.5"}), bson!(1.5)),
        (bson!({"$toLong": 1.9}), bson!(1_i64)),
        (bson!({"$toBool": "$n"}), bson!(true)),
        (bson!({"$convert": {"input": "x", "to": "int", "onError": 0}}), bson!(0)),
        (bson!({"$year": "$at"}), bson!(2023)),
        (bson!({"$month": "$at"}), bson!(11)),
        (bson!({"$dayOfWeek": "$at"}), bson!(3)),
        (hour, bson!(0)),
        (bson!({"$dateToString": {"date": "$at", "format": "%Y-%m-%d"}}), bson!("2023-11-14")),
        (bson!({"$dateToString": {"date": "$at"}}), bson!("2023-11-14T22:13:20.123Z")),
        (
            bson!({"$dateFromString": {"dateString": "1970-01-01T00:00:01Z"}}),
            Bson::DateTime(DateTime::from_millis(1000)),
        ),
    ]);
}

#[test]
fn what_is_wrong_is_named() {
    for (expression, named) in [
        (bson!({"$frob": 1}), "$frob"),
        (bson!({"$function": {}}), "$function"),
        (bson!({"$setIsSubset": [[], []]}), "$setIsSubset"),
        (bson!("$$who"), "who"),
        (bson!("$"), "'$'"),
        (bson!({"$add": 1, "x": 2}), "$add"),
        (bson!({"$divide": [1]}), "$divide"),
        (bson!({"$divide": [1, 0]}), "zero"),
        (bson!({"$add": ["a", 1]}), "$add"),
        (bson!({"$trim": {"input": "x", "y": 1}}), "'y'"),
        (bson!({"$range": [0, 9_000_000]}), "$range"),
        (bson!({"$toInt": "x"}), "$toInt"),
        (bson!({"$hour": {"date": DateTime::from_millis(0), "timezone": "Europe/Berlin"}}), "Europe/Berlin"),
    ] {
        let problem = evaluated(&expression, &doc! {}).unwrap_err();
        assert!(problem.contains(named), "{expression}: {problem}");
    }
    let endless = bson!({"$map": {"input": {"$range": [0, 1000]}, "in": {"$map": {"input": {"$range": [0, 1000]}, "in": 1}}}});
    assert!(evaluated(&endless, &doc! {}).unwrap_err().contains("pipeline_steps"));
    let nested = bson!({"$reduce": {"input": {"$range": [0, 1000]}, "initialValue": [], "in": ["$$value"]}});
    assert!(evaluated(&nested, &doc! {}).unwrap_err().contains("levels deep"));
    let deep = (0..200).fold(bson!(1), |inner, _| bson!({"$abs": inner}));
    assert!(evaluated(&deep, &doc! {}).is_err());
}
