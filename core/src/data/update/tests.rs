use bson::{Bson, DateTime, Document, Timestamp, bson, doc};

use super::{Occasion, Update};
use crate::filter::Filter;

fn changed(
    before: Document,
    update: Document,
    (query, array_filters): (Document, &[Document]),
) -> Result<Document, String> {
    let filter = Filter::parse(&query).unwrap();
    let occasion = Occasion { filter: &filter, now: DateTime::from_millis(5000), inserting: false };
    let update = Update::parse(&Bson::Document(update), array_filters);
    update.and_then(|update| update.apply(&before, occasion)).map_err(|error| error.hint().to_owned())
}

fn plainly(before: Document, update: Document) -> Result<Document, String> {
    changed(before, update, (doc! {}, &[]))
}

#[test]
fn operators_on_fields() {
    for (before, update, after) in [
        (
            doc! {"_id": 1, "a": 1},
            doc! {"$set": {"z": 1, "b.c": 2}},
            doc! {"_id": 1, "a": 1, "b": {"c": 2}, "z": 1},
        ),
        (
            doc! {"a": 1, "b": {"c": 1, "d": 2}},
            doc! {"$unset": {"a": "", "b.c": 1, "x.y": 1}},
            doc! {"b": {"d": 2}},
        ),
        (doc! {"n": 1}, doc! {"$inc": {"n": 2, "m": 3}}, doc! {"n": 3, "m": 3}),
        (doc! {"n": 4}, doc! {"$mul": {"n": 2.5, "m": 3}}, doc! {"n": 10.0, "m": 0}),
        (
            doc! {"n": 4, "m": 4},
            doc! {"$min": {"n": 3}, "$max": {"m": 3, "o": 1}},
            doc! {"n": 3, "m": 4, "o": 1},
        ),
        (doc! {"a": 1, "c": 2}, doc! {"$rename": {"a": "b.x", "gone": "y"}}, doc! {"c": 2, "b": {"x": 1}}),
        (doc! {}, doc! {"$currentDate": {"a": true}}, doc! {"a": DateTime::from_millis(5000)}),
        (
            doc! {},
            doc! {"$currentDate": {"a": {"$type": "timestamp"}}},
            doc! {"a": Timestamp { time: 5, increment: 1 }},
        ),
        (doc! {"a": 1}, doc! {"$setOnInsert": {"a": 2}}, doc! {"a": 1}),
        (doc! {"_id": 1, "a": 1}, doc! {"b": 2}, doc! {"_id": 1, "b": 2}),
        (doc! {"a": [1, 2]}, doc! {"$set": {"a.3": 9}}, doc! {"a": [1, 2, Bson::Null, 9]}),
        (doc! {"a": [1, 2]}, doc! {"$unset": {"a.0": 1}}, doc! {"a": [Bson::Null, 2]}),
    ] {
        assert_eq!(plainly(before.clone(), update.clone()), Ok(after), "{update} on {before}");
    }
}

#[test]
fn operators_on_arrays() {
    let numbers = || doc! {"a": [3, 1, 2]};
    for (before, update, after) in [
        (numbers(), doc! {"$push": {"a": 4, "b": 1}}, doc! {"a": [3, 1, 2, 4], "b": [1]}),
        (numbers(), doc! {"$push": {"a": {"$each": [9, 8], "$position": 1}}}, doc! {"a": [3, 9, 8, 1, 2]}),
        (numbers(), doc! {"$push": {"a": {"$each": [9], "$position": -1}}}, doc! {"a": [3, 1, 9, 2]}),
        (numbers(), doc! {"$push": {"a": {"$each": [0], "$sort": 1, "$slice": 2}}}, doc! {"a": [0, 1]}),
        (numbers(), doc! {"$push": {"a": {"$each": [], "$slice": -1}}}, doc! {"a": [2]}),
        (
            doc! {"a": [{"x": 2}, {"x": 1}]},
            doc! {"$push": {"a": {"$each": [{"x": 3}], "$sort": {"x": -1}}}},
            doc! {"a": [{"x": 3}, {"x": 2}, {"x": 1}]},
        ),
        (numbers(), doc! {"$addToSet": {"a": 1.0}}, numbers()),
        (numbers(), doc! {"$addToSet": {"a": {"$each": [1, 7, 7]}}}, doc! {"a": [3, 1, 2, 7]}),
        (numbers(), doc! {"$pull": {"a": {"$gte": 2}}}, doc! {"a": [1]}),
        (numbers(), doc! {"$pull": {"a": 1, "gone": 1}}, doc! {"a": [3, 2]}),
        (numbers(), doc! {"$pullAll": {"a": [1, 3]}}, doc! {"a": [2]}),
        (numbers(), doc! {"$pop": {"a": 1}}, doc! {"a": [3, 1]}),
        (numbers(), doc! {"$pop": {"a": -1}}, doc! {"a": [1, 2]}),
        (
            doc! {"a": [{"x": 1, "y": 2}, {"x": 1}, 1]},
            doc! {"$pull": {"a": {"x": 1, "y": {"$exists": false}}}},
            doc! {"a": [{"x": 1, "y": 2}, 1]},
        ),
    ] {
        assert_eq!(plainly(before.clone(), update.clone()), Ok(after), "{update} on {before}");
    }
}

#[test]
fn places_in_arrays() {
    let grades = || doc! {"g": [{"x": 1}, {"x": 5}, {"x": 9}], "n": [1, 5, 9]};
    let high = [doc! {"e.x": {"$gte": 5}}];
    let low = [doc! {"e": {"$lt": 9}}];
    for (update, query, filters, after) in [
        (
            doc! {"$set": {"g.$.y": 1}},
            doc! {"g.x": 5},
            &[][..],
            doc! {"g": [{"x": 1}, {"x": 5, "y": 1}, {"x": 9}], "n": [1, 5, 9]},
        ),
        (
            doc! {"$inc": {"n.$": 1}},
            doc! {"n": {"$gt": 4}},
            &[],
            doc! {"g": grades().remove("g").unwrap(), "n": [1, 6, 9]},
        ),
        (
            doc! {"$inc": {"n.$[]": 1}},
            doc! {},
            &[],
            doc! {"g": grades().remove("g").unwrap(), "n": [2, 6, 10]},
        ),
        (
            doc! {"$set": {"g.$[e].y": 1}},
            doc! {},
            &high,
            doc! {"g": [{"x": 1}, {"x": 5, "y": 1}, {"x": 9, "y": 1}], "n": [1, 5, 9]},
        ),
        (
            doc! {"$set": {"n.$[e]": 0}},
            doc! {},
            &low,
            doc! {"g": grades().remove("g").unwrap(), "n": [0, 0, 9]},
        ),
    ] {
        assert_eq!(changed(grades(), update.clone(), (query, filters)), Ok(after), "{update}");
    }
}

#[test]
fn what_cannot_be_done_is_named() {
    let before = || doc! {"_id": 1, "a": 1, "t": "x", "l": [1], "z": Bson::Null};
    for (update, named) in [
        (doc! {"$frob": {"a": 1}}, "$frob"),
        (doc! {"$bit": {"a": {"and": 1}}}, "$bit"),
        (doc! {"$set": {"a": 1}, "b": 1}, "b"),
        (doc! {"b": 1, "$set": {"a": 1}}, "$set"),
        (doc! {"$set": 1}, "$set"),
        (doc! {"$set": {"_id": 2}}, "_id"),
        (doc! {"$unset": {"_id": 1}}, "_id"),
        (doc! {"_id": 2}, "_id"),
        (doc! {"$set": {"a.b": 1}}, "a.b"),
        (doc! {"$set": {"l.b": 1}}, "l.b"),
        (doc! {"$set": {"a..b": 1}}, "empty"),
        (doc! {"$set": {"a": 1, "a.b": 1}}, "conflict"),
        (doc! {"$set": {"a": 1}, "$inc": {"a": 1}}, "conflict"),
        (doc! {"$rename": {"a": "b"}, "$set": {"b": 1}}, "conflict"),
        (doc! {"$inc": {"t": 1}}, "'t'"),
        (doc! {"$inc": {"z": 1}}, "'z'"),
        (doc! {"$inc": {"a": "1"}}, "$inc"),
        (doc! {"$push": {"a": 1}}, "'a'"),
        (doc! {"$push": {"l": {"$each": 1}}}, "$each"),
        (doc! {"$push": {"l": {"$each": [], "$frob": 1}}}, "$frob"),
        (doc! {"$pop": {"l": 2}}, "$pop"),
        (doc! {"$set": {"l.$": 1}}, "positional"),
        (doc! {"$set": {"l.$[e]": 1}}, "'e'"),
        (doc! {"$set": {"gone.$[]": 1}}, "gone"),
        (doc! {"$set": {"$x": 1}}, "$x"),
        (doc! {"$set": {"l.9999999": 1}}, "backfill"),
        (doc! {"$set": {vec!["a"; 5000].join("."): 1}}, "parts"),
    ] {
        let problem = plainly(before(), update.clone()).unwrap_err();
        assert!(problem.contains(named), "{update}: {problem}");
    }
    let unused = changed(before(), doc! {"$set": {"a": 1}}, (doc! {}, &[doc! {"e": 1}])).unwrap_err();
    assert!(unused.contains("'e'"), "{unused}");
}

#[test]
fn an_upsert_makes_what_the_query_demands() {
    let made = |query: Document, update: Document| {
        let filter = Filter::parse(&query).unwrap();
        let occasion = Occasion { filter: &filter, now: DateTime::from_millis(0), inserting: true };
        Update::parse(&Bson::Document(update), &[])
            .and_then(|update| update.insertion(&query, occasion))
            .map_err(|error| error.hint().to_owned())
    };
    for (query, update, document) in [
        (doc! {"a": 1, "b": {"$gt": 2}}, doc! {"$set": {"c": 3}}, doc! {"a": 1, "c": 3}),
        (doc! {"$and": [{"a.x": {"$eq": 1}}]}, doc! {"$setOnInsert": {"c": 3}}, doc! {"a": {"x": 1}, "c": 3}),
        (doc! {"_id": 7, "a": 1}, doc! {"b": 2}, doc! {"_id": 7, "b": 2}),
        (doc! {"a": 1}, doc! {"$set": {"a": 2}}, doc! {"a": 2}),
        (doc! {"a": {"$in": [1]}}, doc! {"$push": {"l": bson!({"x": 1})}}, doc! {"l": [{"x": 1}]}),
    ] {
        assert_eq!(made(query.clone(), update.clone()), Ok(document), "{query} {update}");
    }
    assert!(made(doc! {"$and": [{"a": 1}, {"a": 2}]}, doc! {"$set": {"c": 3}}).is_err());
}
