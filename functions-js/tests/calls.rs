//! What an exported function finds around it, and what its caller gets.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use backstitch::functions::FunctionRuntime;
use backstitch::id::AppId;
use backstitch_functions_js::Settings;
use bson::oid::ObjectId;
use bson::{Bson, doc};
use common::{App, run, source};

#[tokio::test]
async fn a_source_exports_its_function_in_any_of_the_usual_ways() {
    for code in [
        "exports = function(a, b) { return a + b; };",
        "exports = async (a, b) => a + b;",
        "module.exports = async function(a, b) { return await a + b }",
        "exports.default = (a, b) => a + b",
        "'use strict'\nconst add = (a, b) => a + b;\nexports = add // no newline at the end",
        "exports = function(a, b) { return Promise.resolve(a).then(a => a + b); };",
        "add = function(a, b) { return a + b }; exports = add;",
    ] {
        assert_eq!(run(code, vec![2.into(), 3.into()]).await, Bson::Int32(5), "{code}");
    }
    let app = App::new(Settings::default(), &[("none", "const a = 1;"), ("void", "exports = () => {};")]);
    assert_eq!(app.fails("none", Vec::new()).await, "the source exports no function");
    assert_eq!(app.ok("void", Vec::new()).await, Bson::Null);
}

#[tokio::test]
async fn a_source_is_parsed_at_once_and_run_only_when_called() {
    let app = App::new(Settings::default(), &[("late", "throw new Error('ran'); exports = () => 1;")]);
    assert_eq!(app.fails("late", Vec::new()).await, "ran");
    for (code, line) in [
        ("exports = function() {\n  return 1 +;\n};", 2),
        ("exports = function( {", 1),
        ("\n\nexports = () => { const a = 1; const a = 2; }", 3),
    ] {
        let error = app.runtime.function(&AppId::new("a"), &source("bad", code)).err().unwrap();
        assert!(error.starts_with(&format!("line {line}: ")), "{error}");
    }
    // One that breaks out of the function around it runs nowhere that matters, and not for ever.
    let out = source("out", "}); while (true) {} (function () {");
    assert!(app.runtime.function(&AppId::new("a"), &out).is_err());
    let out = source("out", "}); context.values.get('a'); (function () {");
    assert!(app.runtime.function(&AppId::new("a"), &out).is_err());
}

#[tokio::test]
async fn what_is_thrown_is_told_with_its_message() {
    let app = App::new(
        Settings::default(),
        &[
            ("error", "exports = () => { throw new Error('no such order'); };"),
            ("later", "exports = async () => { await null; throw new TypeError('not so'); };"),
            ("text", "exports = () => { throw 'plain'; };"),
            ("object", "exports = () => { throw { code: 5 }; };"),
            ("undefined", "exports = () => nothing.there;"),
            (
                "nasty",
                "exports = () => { const e = new Error(''); Object.defineProperty(e, 'message', \
              { get() { throw 1 } }); throw e; };",
            ),
            ("stuck", "exports = () => new Promise(() => {});"),
            ("import", "exports = async () => (await import('fs')).default;"),
            ("module", "const axios = require('axios'); exports = () => axios.get('http://a.example');"),
        ],
    );
    for (name, told) in [
        ("error", "no such order"),
        ("later", "not so"),
        ("text", "plain"),
        ("object", "{\"code\":5}"),
        ("undefined", "nothing is not defined"),
        ("nasty", "the function failed"),
        ("stuck", "the function waits for a promise that nothing will settle"),
        ("import", "Error resolving module 'fs' from 'functions/import.js'"),
        ("module", "the module `axios` is not there: functions have no modules here"),
    ] {
        assert_eq!(app.fails(name, Vec::new()).await, told);
    }
}

#[tokio::test]
async fn the_context_tells_who_calls_and_what_the_app_is() {
    let code = "exports = () => [
        context.user.id, context.user.data.email, context.user.custom_data.role, context.user.type,
        context.user.identities[0].provider_type, context.environment.tag, context.environment.values.host,
        context.values.get('limit').rows, typeof context.values.get('other'), context.request.httpMethod,
        context.app.clientAppId, context.runningAsSystem(), typeof setTimeout, typeof fetch, typeof process,
    ];";
    let told = run(code, Vec::new()).await;
    let expected: Vec<Bson> = vec![
        "5f8f8c44b54764421b7156d9".into(),
        "ann@example.com".into(),
        "editor".into(),
        "normal".into(),
        "local-userpass".into(),
        "testing".into(),
        "db.example".into(),
        7.into(),
        "undefined".into(),
        "POST".into(),
        "app-abc".into(),
        false.into(),
        "undefined".into(),
        "undefined".into(),
        "undefined".into(),
    ];
    assert_eq!(told, Bson::Array(expected));
}

#[tokio::test]
async fn functions_call_functions_even_with_a_single_worker() {
    let down = "exports = async (n) => n === 0 ? 0 : 1 + await context.functions.execute('down', n - 1);";
    let fan = "exports = async (n) => (await Promise.all(Array.from({ length: n }, (_, i) => \
               context.functions.execute('down', i % 3)))).reduce((a, b) => a + b);";
    let app = App::new(Settings::default().workers(1), &[("down", down), ("fan", fan)]);
    assert_eq!(app.ok("down", vec![10.into()]).await, Bson::Int32(10));
    assert_eq!(app.ok("fan", vec![30.into()]).await, Bson::Int32(30));
    assert_eq!(app.fails("down", vec![40.into()]).await, "more than 16 functions call one another");
    // Many of them at once, all of the same single thread a level.
    let all = futures_util::future::join_all((0..8).map(|n| app.ok("down", vec![n.into()]))).await;
    assert_eq!(all, (0..8).map(Bson::Int32).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_asked_together_is_done_together_and_what_is_not_awaited_is_done_too() {
    let together = "exports = async () => {
        const c = context.services.get('slow').db('d').collection('c');
        return (await Promise.all([1, 2, 3, 4, 5].map(() => c.count({})))).length;
    };";
    let forgotten = "exports = () => {
        const c = context.services.get('mongodb-atlas').db('d').collection('c');
        c.insertOne({ a: 1 }).then(() => c.insertOne({ a: 2 }));
        return 'early';
    };";
    let answers = [("count", Bson::Int64(4)), ("insertOne", Bson::from(doc! { "insertedId": 1 }))];
    let sources = [("together", together), ("forgotten", forgotten)];
    let app = App::answering(Settings::default(), &sources, &answers);
    assert_eq!(app.ok("together", Vec::new()).await, Bson::Int32(5));
    assert_eq!(app.host.under_way.lock().unwrap().1, 5);
    app.host.asked.lock().unwrap().clear();
    assert_eq!(app.ok("forgotten", Vec::new()).await, Bson::from("early"));
    assert_eq!(app.host.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn every_call_has_a_realm_of_its_own() {
    let code = "var seen = (globalThis.seen ?? 0) + 1; globalThis.seen = seen;
        Object.prototype.polluted = (Object.prototype.polluted ?? 0) + 1;
        Array.prototype.map = null; context.user.id = 'nobody'; JSON.stringify = null; Promise.prototype.then = null;
        exports = () => [seen, ({}).polluted];";
    let app = App::new(Settings::default().workers(1), &[("f", code)]);
    for _ in 0..3 {
        assert_eq!(app.ok("f", Vec::new()).await, Bson::Array(vec![1.into(), 1.into()]));
    }
}

#[tokio::test]
async fn http_goes_through_the_host() {
    let code = "exports = async () => {
        const answer = await context.http.post({
            url: 'http://api.example/v1?a=1', query: { b: ['x y'] }, headers: { 'X-One': ['1'] },
            username: 'u', password: 'p', body: { n: 5 }, encodeBodyAsJSON: true,
        });
        await context.services.get('myHttp').get({ scheme: 'https', host: 'b.example', path: 'p' });
        await context.http.post({ url: 'http://c.example', form: { a: 'b&c' } });
        let refused;
        try { await context.http.get({ url: 'http://secret.example' }) }
        catch (e) { refused = e.message + ' ' + e.error_code }
        return [answer.statusCode, EJSON.parse(answer.body.text()).ok, answer.headers['Content-Type'][0], refused];
    };";
    let app = App::new(Settings::default(), &[("f", code)]);
    let expected: Vec<Bson> = vec![
        200.into(),
        true.into(),
        "application/json".into(),
        "that server may not be asked HTTPError".into(),
    ];
    assert_eq!(app.ok("f", Vec::new()).await, Bson::Array(expected));
    let sent = app.host.sent.lock().unwrap();
    assert_eq!(sent[0].uri(), "http://api.example/v1?a=1&b=x%20y");
    assert_eq!(sent[0].headers()["authorization"], "Basic dTpw");
    assert_eq!(sent[0].headers()["content-type"], "application/json");
    assert_eq!((sent[0].method().as_str(), &sent[0].body()[..]), ("POST", &b"{\"n\":5}"[..]));
    assert_eq!(
        (sent[1].method().as_str(), sent[1].uri().to_string()),
        ("GET", "https://b.example/p".to_owned())
    );
    assert_eq!(&sent[2].body()[..], b"a=b%26c");
}

#[tokio::test]
async fn services_that_are_not_there_are_named() {
    let code = "exports = async () => {
        const told = [];
        for (const use of [
            () => context.services.get('twilio').send({}),
            () => context.services.get('aws').s3('eu').PutObject({}),
            () => context.services.get('mongodb-atlas').startSession(),
            () => context.services.get('m').db('d').collection('c').find({}, {}, { collation: {} }).toArray(),
            () => context.services.get('m').db('d').collection('c').deleteMany(),
            () => context.services.get('m').db('d').collection('c').findOne({}),
        ]) { try { await use(); told.push('done') } catch (e) { told.push(e.message) } }
        return told;
    };";
    let expected: Vec<Bson> = [
        "the service `twilio` has no `send` here",
        "the service `aws` has no `s3` here",
        "sessions and transactions are not supported",
        "the option `collation` of find is not supported",
        "deleteMany needs a query",
        "no answer to `findOne`",
    ]
    .map(Bson::from)
    .to_vec();
    assert_eq!(run(code, Vec::new()).await, Bson::Array(expected));
}

#[tokio::test]
async fn new_object_ids_differ_between_calls() {
    let app =
        App::new(Settings::default(), &[("f", "exports = () => [new BSON.ObjectId(), Math.random()];")]);
    let (a, b) = (app.ok("f", Vec::new()).await, app.ok("f", Vec::new()).await);
    let (a, b) = (a.as_array().unwrap().clone(), b.as_array().unwrap().clone());
    assert!(
        matches!((&a[0], &b[0]), (Bson::ObjectId(a), Bson::ObjectId(b)) if a != b && *a != ObjectId::from_bytes([0; 12]))
    );
    assert!(a[1] != b[1] && (0.0..1.0).contains(&a[1].as_f64().unwrap()));
}
