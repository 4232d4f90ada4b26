//! Values on their way through a function.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use backstitch_functions_js::Settings;
use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{Binary, Bson, DateTime, Regex, Timestamp, doc};
use common::{App, run};

#[tokio::test]
async fn every_value_passes_through_unchanged() {
    let regex = |pattern: &str, options: &str| {
        Bson::RegularExpression(Regex {
            pattern: pattern.to_owned().try_into().unwrap(),
            options: options.to_owned().try_into().unwrap(),
        })
    };
    let values: Vec<Bson> = vec![
        Bson::Null,
        true.into(),
        Bson::Int32(-7),
        Bson::Int32(i32::MAX),
        Bson::Int64(5),
        Bson::Int64(i64::MAX),
        Bson::Int64(i64::MIN),
        Bson::Double(1.5),
        Bson::Double(-0.0),
        Bson::Double(3e9),
        Bson::Double(f64::INFINITY),
        "".into(),
        "a\0b ü 🎈".into(),
        ObjectId::from_bytes([7; 12]).into(),
        DateTime::from_millis(1_600_000_000_123).into(),
        DateTime::from_millis(-1).into(),
        DateTime::from_millis(i64::MAX).into(),
        Bson::Decimal128("1.20E-5".parse().unwrap()),
        Bson::Decimal128("NaN".parse().unwrap()),
        Binary { subtype: BinarySubtype::Uuid, bytes: (0..16).collect() }.into(),
        Binary { subtype: BinarySubtype::Generic, bytes: Vec::new() }.into(),
        Binary { subtype: BinarySubtype::UserDefined(200), bytes: vec![255; 1000] }.into(),
        regex("^a/b+$", "i"),
        regex("(?i)a", "x"),
        regex("", ""),
        Timestamp { time: 5, increment: u32::MAX }.into(),
        Bson::Symbol("s".to_owned()),
        Bson::JavaScriptCode("f()".to_owned()),
        Bson::MinKey,
        Bson::MaxKey,
        doc! { "z": 1, "a": { "b": [1, [2, {}]] }, "__proto__": 1, "toString": 2, "": 3, "ü": 4 }.into(),
    ];
    let app = App::new(Settings::default(), &[("same", "exports = (value) => value;")]);
    for value in values {
        assert_eq!(app.ok("same", vec![value.clone()]).await, value);
        let within = Bson::from(doc! { "a": [value] });
        assert_eq!(app.ok("same", vec![within.clone()]).await, within);
    }
}

#[tokio::test]
async fn what_a_script_makes_becomes_the_value_that_it_means() {
    for (made, value) in [
        ("1", Bson::Int32(1)),
        ("1.0", Bson::Int32(1)),
        ("2 ** 31", Bson::Double(2_147_483_648.0)),
        ("0 / 0", Bson::Double(f64::NAN)),
        ("5n", Bson::Int64(5)),
        ("undefined", Bson::Null),
        ("() => 1", Bson::Null),
        ("[undefined, () => 1]", Bson::Array(vec![Bson::Null, Bson::Null])),
        ("{ a: undefined, f() {}, [Symbol('s')]: 1, b: 2 }", doc! { "a": null, "b": 2 }.into()),
        ("new Date(5)", DateTime::from_millis(5).into()),
        ("new Number(5)", Bson::Int32(5)),
        (
            "/a\\/b/gi",
            Bson::RegularExpression(Regex {
                pattern: "a\\/b".to_owned().try_into().unwrap(),
                options: "i".to_owned().try_into().unwrap(),
            }),
        ),
        (
            "BSON.ObjectId('5f8f8c44b54764421b7156d9')",
            ObjectId::parse_str("5f8f8c44b54764421b7156d9").unwrap().into(),
        ),
        ("new BSON.ObjectId('5f8f8c44b54764421b7156d9').toString()", "5f8f8c44b54764421b7156d9".into()),
        ("BSON.Long.fromString('9223372036854775807')", Bson::Int64(i64::MAX)),
        ("BSON.Long(1, 1)", Bson::Int64(4_294_967_297)),
        ("BSON.Long(6).multiply(7).add(BSON.Long(1)) + 1", Bson::Int32(44)),
        ("new BSON.Int32('42')", Bson::Int32(42)),
        ("BSON.Double(2)", Bson::Double(2.0)),
        ("BSON.Decimal128.fromString('1.10')", Bson::Decimal128("1.10".parse().unwrap())),
        ("String(BSON.Decimal128('1.10'))", "1.10".into()),
        (
            "BSON.Binary.fromHex('0aff', 0)",
            Binary { subtype: BinarySubtype::Generic, bytes: vec![10, 255] }.into(),
        ),
        ("BSON.Binary.fromBase64('aGk=').text()", "hi".into()),
        ("BSON.Binary.fromHex('6869').toBase64()", "aGk=".into()),
        ("new Uint8Array([1, 2])", Binary { subtype: BinarySubtype::Generic, bytes: vec![1, 2] }.into()),
        ("BSON.Timestamp({ t: 1, i: 2 })", Timestamp { time: 1, increment: 2 }.into()),
        ("new BSON.MinKey()", Bson::MinKey),
        ("BSON.Symbol('s')", Bson::Symbol("s".to_owned())),
        (
            "EJSON.parse('{\"a\":{\"$oid\":\"5f8f8c44b54764421b7156d9\"},\"n\":{\"$numberLong\":\"9\"}}').n",
            Bson::Int64(9),
        ),
        (
            "EJSON.stringify({ z: 1, d: new Date(0), l: BSON.Long(5) })",
            "{\"z\":1,\"d\":{\"$date\":\"1970-01-01T00:00:00Z\"},\"l\":5}".into(),
        ),
        (
            "EJSON.stringify({ l: BSON.Long(5) }, { relaxed: false })",
            "{\"l\":{\"$numberLong\":\"5\"}}".into(),
        ),
        ("EJSON.stringify([1], null, 2)", "[\n  1\n]".into()),
        (
            "JSON.stringify({ id: BSON.ObjectId('5f8f8c44b54764421b7156d9') })",
            "{\"id\":\"5f8f8c44b54764421b7156d9\"}".into(),
        ),
        ("'half \\ud800'", "half \u{fffd}".into()),
        ("new (class A { constructor() { this.x = 1 } })()", doc! { "x": 1 }.into()),
        ("Object.create(null, { a: { value: 1, enumerable: true } })", doc! { "a": 1 }.into()),
    ] {
        let given = run(&format!("exports = () => ({made});"), Vec::new()).await;
        if value.as_f64().is_some_and(f64::is_nan) {
            assert!(given.as_f64().unwrap().is_nan());
        } else {
            assert_eq!(given, value, "{made}");
        }
    }
}

#[tokio::test]
async fn values_that_cannot_be_are_refused() {
    let app = App::new(Settings::default(), &[("eval", "exports = (code) => eval(code);")]);
    for (code, told) in [
        ("BSON.ObjectId('xyz')", "an ObjectId is 24 hexadecimal digits, not `xyz`"),
        ("new Date(NaN)", "an invalid date cannot be stored"),
        ("BSON.Decimal128('one')", "`one` is no decimal number"),
        ("/a/.constructor('\\0')", "a regular expression may not hold a null character"),
        ("2n ** 64n", "a bigint has more than 64 bits"),
    ] {
        assert_eq!(app.fails("eval", vec![code.into()]).await, told);
    }
}

#[tokio::test]
async fn operations_are_asked_as_clients_ask_them() {
    let code = "exports = async () => {
        const c = context.services.get('mongodb-atlas').db('shop').collection('orders');
        const found = await c.find({ a: 1 }, { b: 1 }).sort({ a: -1 }).limit(2).skip(1).toArray();
        const plain = await c.find();
        const first = await c.find({}).next();
        await c.findOne({ a: 2 }, { b: 0 });
        const counts = [await c.count(), (await c.updateOne({ a: 1 }, { $set: { b: 2 } }, { upsert: true })).matchedCount,
            (await c.deleteMany({})).deletedCount];
        await c.findOneAndUpdate({ a: 1 }, { $inc: { n: 1 } }, { returnNewDocument: true, sort: { a: 1 }, projection: { n: 1 } });
        await c.findOneAndDelete({ a: 1 });
        await c.insertMany([{ a: undefined }]);
        await c.aggregate([{ $match: {} }]).toArray();
        const bulk = await c.bulkWrite([{ updateMany: { filter: { a: 1 }, update: { $set: { a: 2 } } } }, { deleteOne: { filter: {} } }]);
        return { found: found.length, plain: plain.length, first, counts, bulk: bulk.matchedCount };
    };";
    let rows = Bson::Array(vec![doc! { "n": 1 }.into(), doc! { "n": 2 }.into(), doc! { "n": 3 }.into()]);
    let updated = Bson::from(doc! { "matchedCount": 1_i64, "modifiedCount": 1_i64 });
    let deleted = Bson::from(doc! { "deletedCount": 3_i64 });
    let app = App::answering(
        Settings::default(),
        &[("f", code)],
        &[
            ("find", rows.clone()),
            ("aggregate", rows),
            ("findOne", Bson::Null),
            ("count", Bson::Int64(3)),
            ("updateOne", updated.clone()),
            ("updateMany", updated),
            ("deleteMany", deleted.clone()),
            ("deleteOne", deleted),
            ("findOneAndUpdate", Bson::Null),
            ("findOneAndDelete", Bson::Null),
            ("insertMany", doc! { "insertedIds": [1] }.into()),
        ],
    );
    let told = app.ok("f", Vec::new()).await;
    let expected = doc! { "found": 3, "plain": 3, "first": { "n": 1 }, "counts": [3, 1, 3], "bulk": 1 };
    assert_eq!(told, Bson::from(expected));
    let asked = app.host.asked.lock().unwrap();
    let (db, c) = ("shop", "orders");
    for (at, (name, argument)) in [
        ("find", doc! { "database": db, "collection": c, "query": { "a": 1 }, "project": { "b": 1 }, "sort": { "a": -1 }, "limit": 2, "skip": 1 }),
        ("find", doc! { "database": db, "collection": c, "query": {} }),
        ("find", doc! { "database": db, "collection": c, "query": {} }),
        ("findOne", doc! { "database": db, "collection": c, "query": { "a": 2 }, "project": { "b": 0 } }),
        ("count", doc! { "database": db, "collection": c, "query": {} }),
        ("updateOne", doc! { "database": db, "collection": c, "query": { "a": 1 }, "update": { "$set": { "b": 2 } }, "upsert": true }),
        ("deleteMany", doc! { "database": db, "collection": c, "query": {} }),
        ("findOneAndUpdate", doc! {
            "database": db, "collection": c, "filter": { "a": 1 }, "update": { "$inc": { "n": 1 } },
            "projection": { "n": 1 }, "sort": { "a": 1 }, "returnNewDocument": true,
        }),
        ("findOneAndDelete", doc! { "database": db, "collection": c, "filter": { "a": 1 } }),
        ("insertMany", doc! { "database": db, "collection": c, "documents": [{ "a": null }] }),
        ("aggregate", doc! { "database": db, "collection": c, "pipeline": [{ "$match": {} }] }),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(asked[at], ("mongodb-atlas".to_owned(), name.to_owned(), vec![argument.into()]));
    }
}
