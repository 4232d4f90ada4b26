//! Functions that mean harm: each is ended within its limits, and the next call is answered.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use backstitch_functions_js::Settings;
use bson::{Bson, doc};
use common::App;

const GOOD: (&str, &str) = ("good", "exports = () => 'fine';");

/// Each of these fails with such a message, and the next call is answered.
async fn each(settings: Settings, told: &str, sources: &[&str]) {
    for code in sources {
        let app = App::new(settings.clone(), &[("bad", code), GOOD]);
        let message = app.fails("bad", Vec::new()).await;
        assert!(message.contains(told), "{code}: {message}");
        assert_eq!(app.ok("good", Vec::new()).await, Bson::from("fine"), "{code}");
    }
}

#[tokio::test]
async fn a_function_that_computes_without_end_is_ended() {
    let settings = Settings::default().workers(1).computing(Duration::from_millis(200));
    each(
        settings,
        "the function computed for more than 0.2 s",
        &[
            "exports = () => { while (true) {} };",
            "exports = async () => { while (true) await null; };",
            "while (true) {}",
            "exports = () => { try { while (true) {} } finally { while (true) {} } };",
            "exports = () => /^(a+)+$/.test('a'.repeat(40) + 'b');",
            "exports = () => [].includes.call({ length: 2 ** 53 - 1 }, 1);",
            "exports = () => [].indexOf.call({ length: 2 ** 53 - 1 }, 1);",
            "exports = () => new Array(2 ** 32 - 1).lastIndexOf(1);",
            "exports = () => new Proxy({}, { get: () => 1, getPrototypeOf() { while (true) {} } });",
            "exports = () => { throw { get a() { while (true) {} } }; };",
            "exports = () => ({ get a() { while (true) {} } });",
            "exports = () => ({ then() { while (true) {} } });",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_function_that_wants_all_memory_is_ended() {
    let settings = Settings::default().workers(1).memory(8 << 20);
    each(
        settings.clone(),
        "memory",
        &[
            "exports = () => 'x'.repeat(2 ** 29).length;",
            "exports = () => new ArrayBuffer(10 ** 9).byteLength;",
            "exports = () => { const all = []; while (true) all.push(new Uint8Array(1e6)); };",
            "exports = () => { const all = []; while (true) all.push({ a: [1, 2] }); };",
            "exports = () => { const all = new Map(); for (let i = 0; ; i++) all.set(i, [i]); };",
        ],
    )
    .await;
    each(
        settings,
        "",
        &[
            "exports = () => { const again = () => Promise.resolve().then(again); return again(); };",
            "exports = () => { let s = 'x'; while (true) s += s; };",
            "exports = () => 'abc'.padEnd(10 ** 10).length;",
            "exports = () => new Uint8Array(10 ** 10).length;",
            "exports = () => JSON.stringify(new Array(2 ** 32 - 1)).length;",
            "exports = () => JSON.parse('['.repeat(1e6));",
            "exports = () => new RegExp('('.repeat(1e5));",
            "exports = () => eval('('.repeat(1e6));",
            "exports = () => Array.from({ length: 2 ** 53 - 1 });",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_function_that_calls_itself_without_end_is_ended() {
    each(
        Settings::default().workers(1),
        "Maximum call stack size exceeded",
        &[
            "exports = () => { const f = () => f() + 1; return f(); };",
            "exports = () => { const o = {}; o.toString = () => '' + o; return '' + o; };",
            "exports = () => { const a = { get a() { return this.a } }; return a; };",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_value_that_has_no_end_is_refused() {
    let settings = Settings::default().workers(1);
    each(
        settings.clone(),
        "a value has too many levels, or holds itself",
        &[
            "exports = () => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a; };",
            "exports = () => { const a = {}; a.a = a; return a; };",
        ],
    )
    .await;
    each(
        settings,
        "a value is larger than a function may hand on",
        &[
            "exports = () => { const big = 'x'.repeat(1e6); return new Array(1e5).fill(big); };",
            "exports = () => new Array(2 ** 32 - 1);",
            "exports = () => new Proxy([], { get: (t, k) => k === 'length' ? 2 ** 53 : null });",
            "exports = async () => { const c = context.services.get('m').db('d').collection('c');
                const big = 'x'.repeat(1e6); await Promise.all(Array.from({ length: 100 }, () => c.count({ big }))); };",
            "exports = () => { const big = 'x'.repeat(1e7); return context.functions.execute('good', big, big, big, big); };",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_function_that_breaks_what_it_finds_breaks_only_itself() {
    each(
        Settings::default().workers(1),
        "",
        &[
            "exports = () => { Error.prepareStackTrace = () => { throw 1 }; null.x; };",
            "exports = () => { console.log = null; BSON.ObjectId = null; context = null; return nothing; };",
            "exports = () => { Promise.prototype.then = null; Promise.resolve = null; throw 1; };",
            "exports = () => { String = null; Error.prototype.toString = null; throw new Error('x'); };",
            "exports = () => { for (const name of Object.getOwnPropertyNames(globalThis)) delete globalThis[name]; throw 1 };",
        ],
    )
    .await;
}

#[tokio::test]
async fn ten_thousand_promises_are_fine_and_ten_thousand_requests_are_not() {
    let promises =
        "exports = async () => (await Promise.all(Array.from({ length: 10000 }, async (_, i) => i))).length;";
    let requests = "exports = async () => { const c = context.services.get('never').db('d').collection('c');
        await Promise.all(Array.from({ length: 10000 }, () => c.count({}))); };";
    let caught = "exports = async () => { const c = context.services.get('m').db('d').collection('c'); let failed = 0;
        await Promise.all(Array.from({ length: 10000 }, () => c.count({}).catch(() => failed++))); return failed; };";
    let sources = [("promises", promises), ("requests", requests), ("caught", caught), GOOD];
    let settings = Settings::default().workers(1);
    let app = App::answering(settings, &sources, &[("count", Bson::Int64(1))]);
    assert_eq!(app.ok("promises", Vec::new()).await, Bson::Int32(10_000));
    assert_eq!(app.ok("caught", Vec::new()).await, Bson::Int32(9_000));
    // What was asked before the limit is never answered here; the caller gives up, and the thread is free again.
    let call = app.call("requests", Vec::new());
    assert!(tokio::time::timeout(Duration::from_millis(200), call).await.is_err());
    assert_eq!(app.ok("good", Vec::new()).await, Bson::from("fine"));
}

#[tokio::test]
async fn a_call_that_is_dropped_is_ended_wherever_it_is() {
    let sources = [
        ("computes", "exports = () => { while (true) {} };"),
        ("waits", "exports = () => context.services.get('never').db('d').collection('c').count({});"),
        ("nested", "exports = () => context.functions.execute('computes');"),
        GOOD,
    ];
    let app = App::new(Settings::default().workers(1), &sources);
    for name in ["computes", "waits", "nested", "computes", "computes"] {
        let call = app.call(name, Vec::new());
        assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err(), "{name}");
        assert_eq!(app.ok("good", Vec::new()).await, Bson::from("fine"), "{name}");
    }
}

#[tokio::test]
async fn other_calls_are_answered_while_one_computes_without_end() {
    let sources = [("bad", "exports = () => { while (true) {} };"), GOOD];
    let app = App::new(Settings::default().workers(2).computing(Duration::from_secs(2)), &sources);
    let bad = app.fails("bad", Vec::new());
    let good = async {
        for _ in 0..20 {
            assert_eq!(app.ok("good", Vec::new()).await, Bson::from("fine"));
        }
    };
    let (told, ()) = futures_util::future::join(bad, good).await;
    assert_eq!(told, "the function computed for more than 2 s");
}

#[tokio::test]
async fn prototype_games_change_nothing_that_the_host_sees() {
    let code = "exports = async (given) => {
        Object.prototype.database = 'admin';
        Object.prototype.run_as_system = true;
        Object.defineProperty(Object.prototype, 'collection', { set() {}, get: () => 'secrets', configurable: true });
        Array.prototype.push = () => { throw 1 };
        Array.prototype[Symbol.iterator] = function* () { yield 'evil' };
        Object.keys = () => ['evil'];
        String.prototype.replace = () => 'evil';
        context.user.id = 'admin';
        context.user = { id: 'root' };
        context.runningAsSystem = () => true;
        await context.services.get('mongodb-atlas').db('d').collection('c').findOne(given);
        return [given.__proto__, Object.getPrototypeOf(given) === Object.prototype, ({}).polluted === undefined];
    };";
    let app = App::answering(Settings::default(), &[("f", code)], &[("findOne", Bson::Null)]);
    let given = doc! { "__proto__": { "polluted": true }, "constructor": 1 };
    // Whatever becomes of the call, what reached the host is what the script could have written plainly.
    let _ = app.call("f", vec![given.clone().into()]).await;
    for (service, name, arguments) in app.host.asked.lock().unwrap().iter() {
        assert_eq!((service.as_str(), name.as_str()), ("mongodb-atlas", "findOne"));
        assert!(arguments.iter().all(|argument| argument.as_document().is_some()));
    }
    let own = "exports = (given) => [Object.keys(given), ({}).polluted === undefined, given];";
    let app = App::new(Settings::default(), &[("own", own)]);
    let told = app.ok("own", vec![given.clone().into()]).await;
    let names = Bson::Array(vec!["__proto__".into(), "constructor".into()]);
    assert_eq!(told, Bson::Array(vec![names, true.into(), given.into()]));
}

#[tokio::test]
async fn a_function_that_logs_without_end_is_cut_short() {
    let code =
        "exports = () => { for (let i = 0; i < 1e5; i++) console.log('x'.repeat(1000), { i }); return 1; };";
    let app = App::new(Settings::default().workers(1), &[("f", code)]);
    assert_eq!(app.ok("f", Vec::new()).await, Bson::Int32(1));
}

#[tokio::test]
async fn a_built_in_function_that_never_looks_up_costs_a_thread_and_no_other_call() {
    let long = "exports = () => 'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b');";
    let settings = Settings::default().workers(1).computing(Duration::from_millis(200));
    let app = App::new(settings, &[("long", long), GOOD]);
    for _ in 0..2 {
        assert_eq!(app.fails("long", Vec::new()).await, "the function computed for more than 0.2 s");
    }
    // Both of its threads are lost by now, for a while.
    let refused = "no function can be run: too many were given up that have not ended";
    assert_eq!(app.fails("good", Vec::new()).await, refused);
}
