use std::collections::HashMap;

use bson::{Bson, DateTime, Document, bson, doc};

use super::{Caller, Pipeline, Running};
use crate::filter::Filter;

fn stages(stages: Bson) -> Vec<Bson> {
    stages.as_array().unwrap().clone()
}

fn run(pipeline: Bson, documents: &[Document]) -> Result<Vec<Document>, String> {
    let people = vec![doc! {"_id": 1, "name": "Ada"}, doc! {"_id": 2, "name": "Bob"}];
    let foreign = HashMap::from([("people".to_owned(), people)]);
    let running = Running { now: DateTime::from_millis(0), foreign: &foreign, steps: 10_000 };
    let pipeline = Pipeline::parse(&stages(pipeline), Caller::System);
    pipeline
        .and_then(|pipeline| pipeline.run(documents.to_vec(), &running))
        .map_err(|error| error.hint().to_owned())
}

fn orders() -> Vec<Document> {
    vec![
        doc! {"_id": 1, "by": 1, "item": "tea", "n": 2, "tags": ["a", "b"]},
        doc! {"_id": 2, "by": 2, "item": "milk", "n": 1, "tags": []},
        doc! {"_id": 3, "by": 1, "item": "tea", "n": 5},
    ]
}

#[test]
fn stages_one_by_one() {
    for (pipeline, expected) in [
        (
            bson!([{"$match": {"n": {"$gt": 1}}}, {"$project": {"n": 1, "_id": 0}}]),
            vec![doc! {"n": 2}, doc! {"n": 5}],
        ),
        (
            bson!([{"$sort": {"n": -1}}, {"$skip": 1}, {"$limit": 1}, {"$project": {"item": 1}}]),
            vec![doc! {"_id": 1, "item": "tea"}],
        ),
        (
            bson!([{"$match": {"_id": 2}}, {"$set": {"m": {"$add": ["$n", 1]}}}, {"$unset": ["tags", "by"]}]),
            vec![doc! {"_id": 2, "item": "milk", "n": 1, "m": 2}],
        ),
        (
            bson!([{"$group": {"_id": "$item", "total": {"$sum": "$n"}, "count": {"$sum": 1}, "ids": {"$push": "$_id"}}}]),
            vec![
                doc! {"_id": "tea", "total": 7, "count": 2, "ids": [1, 3]},
                doc! {"_id": "milk", "total": 1, "count": 1, "ids": [2]},
            ],
        ),
        (
            bson!([{"$group": {"_id": Bson::Null, "least": {"$min": "$n"}, "mean": {"$avg": "$n"}, "first": {"$first": "$item"}, "set": {"$addToSet": "$item"}}}]),
            vec![
                doc! {"_id": Bson::Null, "least": 1, "mean": 8.0 / 3.0, "first": "tea", "set": ["milk", "tea"]},
            ],
        ),
        (
            bson!([{"$unwind": "$tags"}, {"$project": {"tags": 1}}]),
            vec![doc! {"_id": 1, "tags": "a"}, doc! {"_id": 1, "tags": "b"}],
        ),
        (
            bson!([{"$unwind": {"path": "$tags", "includeArrayIndex": "i", "preserveNullAndEmptyArrays": true}}, {"$project": {"tags": 1, "i": 1, "_id": 0}}]),
            vec![
                doc! {"tags": "a", "i": 0_i64},
                doc! {"tags": "b", "i": 1_i64},
                doc! {"i": Bson::Null},
                doc! {"i": Bson::Null},
            ],
        ),
        (bson!([{"$match": {"item": "tea"}}, {"$count": "teas"}]), vec![doc! {"teas": 2}]),
        (bson!([{"$match": {"item": "gin"}}, {"$count": "gins"}]), vec![]),
        (
            bson!([{"$sortByCount": "$item"}]),
            vec![doc! {"_id": "tea", "count": 2}, doc! {"_id": "milk", "count": 1}],
        ),
        (bson!([{"$limit": 1}, {"$replaceRoot": {"newRoot": {"x": "$n"}}}]), vec![doc! {"x": 2}]),
        (
            bson!([{"$limit": 1}, {"$lookup": {"from": "people", "localField": "by", "foreignField": "_id", "as": "who"}}, {"$project": {"who": 1, "_id": 0}}]),
            vec![doc! {"who": [{"_id": 1, "name": "Ada"}]}],
        ),
        (
            bson!([{"$limit": 1}, {"$lookup": {"from": "people", "let": {"id": "$by"}, "as": "who", "pipeline": [
                {"$addFields": {"same": {"$eq": ["$_id", "$$id"]}}}, {"$match": {"same": false}}, {"$project": {"name": 1, "_id": 0}}
            ]}}, {"$project": {"who": 1, "_id": 0}}]),
            vec![doc! {"who": [{"name": "Bob"}]}],
        ),
    ] {
        assert_eq!(run(pipeline.clone(), &orders()), Ok(expected), "{pipeline}");
    }
}

#[test]
fn projections_include_exclude_and_compute() {
    let stored = || vec![doc! {"_id": 1, "a": {"x": 1, "y": 2}, "l": [{"x": 1, "y": 2}, 5], "n": 3}];
    for (shape, expected) in [
        (doc! {"a.x": 1}, doc! {"_id": 1, "a": {"x": 1}}),
        (doc! {"a": {"x": 1}, "_id": 0}, doc! {"a": {"x": 1}}),
        (doc! {"a.x": 0, "l": 0}, doc! {"_id": 1, "a": {"y": 2}, "n": 3}),
        (doc! {"l.x": 1, "_id": false}, doc! {"l": [{"x": 1}]}),
        (doc! {"l.x": 0, "a": 0, "n": 0}, doc! {"_id": 1, "l": [{"y": 2}, 5]}),
        (doc! {"_id": 0}, doc! {"a": {"x": 1, "y": 2}, "l": [{"x": 1, "y": 2}, 5], "n": 3}),
        (doc! {"_id": 1}, doc! {"_id": 1}),
        (
            doc! {"n": {"$add": ["$n", 1]}, "m": "$n", "a.z": {"$literal": 1}},
            doc! {"_id": 1, "a": {"z": 1}, "n": 4, "m": 3},
        ),
    ] {
        assert_eq!(run(bson!([{"$project": shape.clone()}]), &stored()), Ok(vec![expected]), "{shape}");
    }
    for shape in
        [doc! {}, doc! {"a": 1, "n": 0}, doc! {"a": 1, "a.x": 1}, doc! {"a": 0, "b": "$n"}, doc! {"a..x": 1}]
    {
        assert!(run(bson!([{"$project": shape.clone()}]), &stored()).is_err(), "{shape}");
    }
}

#[test]
fn what_is_not_known_or_closed_is_named() {
    for (pipeline, caller, named) in [
        (bson!([{"$frob": 1}]), Caller::System, "$frob"),
        (bson!([{"$facet": {}}]), Caller::System, "$facet"),
        (bson!([{"$lookup": {}}]), Caller::User, "$lookup"),
        (bson!([{"$out": "x"}]), Caller::User, "$out"),
        (bson!([{"$out": "x"}]), Caller::System, "$out"),
        (bson!([{"$match": {"$where": 1}}]), Caller::User, "$where"),
        (bson!([{"$match": {}, "$limit": 1}]), Caller::User, "one field"),
        (bson!([{"$limit": 0}]), Caller::User, "limit"),
        (bson!([{"$group": {"x": 1}}]), Caller::User, "_id"),
        (bson!([{"$group": {"_id": 1, "x": {"$frob": 1}}}]), Caller::User, "$frob"),
        (bson!([{"$unwind": "tags"}]), Caller::User, "$unwind"),
        (bson!([{"$unwind": {"path": "$a", "x": 1}}]), Caller::User, "'x'"),
        (bson!([{"$project": {"a": {"$frob": 1}}}]), Caller::User, "$frob"),
    ] {
        let problem = Pipeline::parse(&stages(pipeline.clone()), caller).unwrap_err();
        assert!(problem.hint().contains(named), "{pipeline}: {problem}");
    }
}

#[test]
fn the_store_is_asked_for_what_comes_first() {
    let given = bson!([{"$match": {"a": 1}}, {"$match": {"b": 2}}, {"$sort": {"a": 1}}, {"$limit": 3}, {"$limit": 9}]);
    let mut pipeline = Pipeline::parse(&stages(given), Caller::User).unwrap();
    let mut unsorted = pipeline.clone();
    let leading = pipeline.take_leading(true);
    assert_eq!(leading.filter, Filter::eq("a", 1).and(Filter::eq("b", 2)));
    assert_eq!((leading.sort.len(), leading.limit, pipeline.stages.len()), (1, Some(3), 1));
    let leading = unsorted.take_leading(false);
    assert_eq!((leading.sort.len(), leading.limit, unsorted.stages.len()), (0, None, 3));
}

#[test]
fn values_that_are_too_deep_or_too_large_end_the_pipeline() {
    let deep = bson!([{"$set": {"l": {"$reduce": {"input": {"$range": [0, 5000]}, "initialValue": [], "in": ["$$value"]}}}}]);
    assert!(run(deep, &[doc! {"_id": 1}]).is_err());
    let doubling = vec![bson!({"$set": {"a": ["$$ROOT", "$$ROOT"]}}); 40];
    assert!(run(Bson::Array(doubling), &[doc! {"_id": 1}]).is_err());
    let path = vec!["a"; 5000].join(".");
    for stage in [
        doc! {"$project": {path.clone(): 1}},
        doc! {"$unset": path.clone()},
        doc! {"$unwind": format!("${path}")},
    ] {
        assert!(Pipeline::parse(&[Bson::Document(stage)], Caller::User).is_err());
    }
    assert!(Pipeline::parse(&vec![bson!({"$limit": 1}); 2000], Caller::User).is_err());
}

#[test]
fn what_grows_without_end_is_ended() {
    let unwinds: Vec<Bson> = (0..5)
        .map(|_| bson!({"$set": {"l": {"$range": [0, 100]}}}))
        .flat_map(|set| [set, bson!({"$unwind": "$l"})])
        .collect();
    assert!(run(Bson::Array(unwinds), &[doc! {"_id": 1}]).unwrap_err().contains("pipeline_steps"));
}
