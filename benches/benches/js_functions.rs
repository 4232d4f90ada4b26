//! What a function costs as JavaScript: against the native callback that does the same, one call and a hundred for the
//! documents of a level.

#![allow(clippy::expect_used, missing_docs, reason = "a bench fails by panicking")]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use backstitch::actor::Actor;
use backstitch::env::Env;
use backstitch::functions::{
    BatchCall, CallContext, Function, FunctionCall, FunctionFailure, FunctionRuntime, FunctionSource,
    Functions,
};
use backstitch::id::AppId;
use backstitch_benches::{criterion, print_ratios};
use backstitch_functions_js::{JsFunctions, Settings};
use bson::{Bson, Document, doc};
use tokio::runtime::Runtime;

/// A resolver as exports have them: a text out of an object's members.
const LABEL: &str = "exports = async function label(input, source) {
  const names = source.authors.map((author) => author.name).join(', ');
  return { label: `${source.title} (${source.year}) by ${names}`, id: source._id, old: source.year < 2000 };
};";

const ADD: &str = "exports = (a, b) => a + b;";

fn label(source: &Document) -> Option<Bson> {
    let authors = source.get_array("authors").ok()?.iter().filter_map(Bson::as_document);
    let names: Vec<&str> = authors.filter_map(|author| author.get_str("name").ok()).collect();
    let (title, year) = (source.get_str("title").ok()?, source.get_i32("year").ok()?);
    let label = format!("{title} ({year}) by {}", names.join(", "));
    Some(doc! { "label": label, "id": source.get("_id")?.clone(), "old": year < 2000 }.into())
}

fn functions() -> Functions {
    let env = Env::system();
    let runtime = JsFunctions::new(Settings::default(), &env);
    let mut named: HashMap<String, Arc<dyn Function>> = HashMap::new();
    for (name, code) in [("js_add", ADD), ("js_label", LABEL)] {
        let source = FunctionSource {
            name: name.to_owned(),
            code: Some(code.to_owned()),
            ..FunctionSource::default()
        };
        let function = runtime.function(&AppId::new("bench"), &source).expect("it can be parsed");
        named.insert(name.to_owned(), function);
    }
    let add = async |call: FunctionCall| match call.arguments.as_slice() {
        [Bson::Int32(a), Bson::Int32(b)] => Ok(Bson::Int32(a + b)),
        _ => Err(FunctionFailure::new("two numbers, please")),
    };
    named.insert("native_add".to_owned(), Arc::new(add));
    let label = async |call: FunctionCall| {
        let source = call.arguments.get(1).and_then(Bson::as_document);
        source.and_then(label).ok_or_else(|| FunctionFailure::new("a document, please"))
    };
    named.insert("native_label".to_owned(), Arc::new(label));
    Functions::new(named, env, Duration::from_secs(60))
}

fn documents(count: i32) -> Vec<Document> {
    let authors = |n: i32| doc! { "name": format!("author {n}"), "born": 1900 + n, "city": "somewhere" };
    let one = |n: i32| {
        doc! {
            "_id": bson::oid::ObjectId::from_bytes([7; 12]), "title": format!("book {n}"), "year": 1950 + n,
            "authors": [authors(n), authors(n + 1)], "pages": 300, "tags": ["a", "b", "c"], "price": 9.5,
        }
    };
    (0..count).map(one).collect()
}

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion = criterion();
    let functions = functions();
    let actor = Actor::system(AppId::new("bench"));
    let mut group = criterion.benchmark_group("js_functions");
    for kind in ["js", "native"] {
        let call = |name: &str, arguments: Vec<Bson>| {
            let call = FunctionCall::new(actor.clone(), arguments);
            runtime.block_on(functions.call(name, call)).expect("it answers")
        };
        let name = format!("{kind}_add");
        group.bench_function(name.as_str(), |bencher| {
            bencher.iter(|| black_box(call(&name, vec![2.into(), 3.into()])));
        });
        let name = format!("{kind}_label");
        let source: Bson = documents(1).remove(0).into();
        group.bench_function(name.as_str(), |bencher| {
            bencher.iter(|| black_box(call(&name, vec![Bson::Null, source.clone()])));
        });
        let sources = documents(100);
        group.bench_function(format!("{kind}_label_100"), |bencher| {
            bencher.iter(|| {
                let context = CallContext::detached(actor.clone());
                let sources = sources.clone();
                let call =
                    BatchCall { actor: actor.clone(), input: Some(Bson::Null), sources, peer: None, context };
                let values = runtime.block_on(functions.call_for_each(&name, call, 8)).expect("it answers");
                assert!(values.iter().all(Result::is_ok));
                values.len()
            });
        });
    }
    group.finish();
    criterion.final_summary();
    print_ratios(&[
        ("js_functions/js_add", "js_functions/native_add"),
        ("js_functions/js_label", "js_functions/native_label"),
        ("js_functions/js_label_100", "js_functions/native_label_100"),
    ]);
}
