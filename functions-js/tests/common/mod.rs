//! An app of JavaScript functions, and what they ask for.

#![allow(dead_code, reason = "every test file uses a part")]
#![allow(missing_docs, reason = "of tests")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use backstitch::actor::Actor;
use backstitch::env::Env;
use backstitch::error::{Error, ErrorKind, Result};
use backstitch::functions::{
    CallContext, Function, FunctionCall, FunctionHost, FunctionRuntime, FunctionSource, Functions,
};
use backstitch::id::AppId;
use backstitch_functions_js::{JsFunctions, Settings};
use bson::{Bson, Document, doc};
use bytes::Bytes;

/// An app that answers service calls from a table and notes what it was asked.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) functions: OnceLock<Functions>,
    /// Operation → answer.
    pub(crate) answers: HashMap<&'static str, Bson>,
    pub(crate) asked: Mutex<Vec<(String, String, Vec<Bson>)>>,
    pub(crate) sent: Mutex<Vec<http::Request<Bytes>>>,
    /// How many `wait` calls are under way, and were at most.
    pub(crate) under_way: Mutex<(usize, usize)>,
}

#[async_trait]
impl FunctionHost for Fake {
    async fn call_service(
        &self,
        _: &CallContext,
        service: &str,
        name: &str,
        given: Vec<Bson>,
    ) -> Result<Bson> {
        self.asked.lock().unwrap().push((service.to_owned(), name.to_owned(), given));
        if service == "slow" {
            {
                let mut under_way = self.under_way.lock().unwrap();
                under_way.0 += 1;
                under_way.1 = under_way.1.max(under_way.0);
            }
            // Until five are asked for at the same time.
            while self.under_way.lock().unwrap().1 < 5 {
                tokio::task::yield_now().await;
            }
            self.under_way.lock().unwrap().0 -= 1;
        }
        if service == "never" {
            std::future::pending::<()>().await;
        }
        self.answers
            .get(name)
            .cloned()
            .ok_or_else(|| Error::new(ErrorKind::MongoDbError, format!("no answer to `{name}`")))
    }

    async fn call_function(&self, context: &CallContext, name: &str, arguments: Vec<Bson>) -> Result<Bson> {
        let actor = context.actor().clone();
        let call =
            FunctionCall { arguments, context: context.clone(), ..FunctionCall::new(actor, Vec::new()) };
        self.functions.get().unwrap().call(name, call).await
    }

    async fn fetch(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        if request.uri().host() == Some("secret.example") {
            return Err(Error::new(ErrorKind::HttpError, "that server may not be asked"));
        }
        self.sent.lock().unwrap().push(request);
        let answer = http::Response::builder().status(200).header("content-type", "application/json");
        Ok(answer.body(Bytes::from_static(b"{\"ok\":true}")).unwrap())
    }

    async fn user(&self, _: &str) -> Result<Actor> {
        Err(Error::new(ErrorKind::UserNotFound, "user not found"))
    }

    fn value(&self, name: &str) -> Result<Option<Bson>> {
        Ok((name == "limit").then(|| Bson::from(doc! { "rows": 7 })))
    }

    fn environment(&self) -> Document {
        doc! { "tag": "testing", "values": { "host": "db.example" } }
    }

    fn app(&self) -> Document {
        doc! { "id": "6", "clientAppId": "app-abc", "name": "app" }
    }
}

/// An app of these sources.
pub(crate) struct App {
    pub(crate) host: Arc<Fake>,
    pub(crate) functions: Functions,
    pub(crate) runtime: JsFunctions,
}

pub(crate) fn source(name: &str, code: &str) -> FunctionSource {
    FunctionSource {
        name: name.to_owned(),
        file: format!("functions/{name}.js"),
        code: Some(code.to_owned()),
        ..FunctionSource::default()
    }
}

impl App {
    pub(crate) fn new(settings: Settings, sources: &[(&str, &str)]) -> Self {
        Self::answering(settings, sources, &[])
    }

    pub(crate) fn answering(
        settings: Settings,
        sources: &[(&str, &str)],
        answers: &[(&'static str, Bson)],
    ) -> Self {
        let env = Env::system();
        let runtime = JsFunctions::new(settings, &env);
        let mut named: HashMap<String, Arc<dyn Function>> = HashMap::new();
        for (name, code) in sources {
            let function = runtime.function(&AppId::new("a"), &source(name, code));
            named.insert((*name).to_owned(), function.unwrap_or_else(|error| panic!("{name}: {error}")));
        }
        let functions = Functions::new(named, env, Duration::from_secs(20));
        let host = Arc::new(Fake { answers: answers.iter().cloned().collect(), ..Fake::default() });
        host.functions.set(functions.clone()).unwrap();
        Self { host, functions, runtime }
    }

    /// Calls a function as a user.
    pub(crate) async fn call(&self, name: &str, arguments: Vec<Bson>) -> Result<Bson> {
        let user = doc! {
            "id": "5f8f8c44b54764421b7156d9", "type": "normal", "data": { "email": "ann@example.com" },
            "custom_data": { "role": "editor" }, "identities": [{ "provider_type": "local-userpass" }],
        };
        let actor = Actor::imagined(AppId::new("a"), user);
        let host: Arc<dyn FunctionHost> = Arc::clone(&self.host) as _;
        let request = doc! { "httpMethod": "POST", "remoteIPAddress": "192.0.2.1" };
        let context = CallContext::new(host, actor.clone()).in_request(Arc::new(request));
        self.functions.call(name, FunctionCall { context, ..FunctionCall::new(actor, arguments) }).await
    }

    pub(crate) async fn ok(&self, name: &str, arguments: Vec<Bson>) -> Bson {
        self.call(name, arguments).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// What it fails with.
    pub(crate) async fn fails(&self, name: &str, arguments: Vec<Bson>) -> String {
        match self.call(name, arguments).await {
            Ok(value) => panic!("{name} gave {value}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::FunctionExecutionError);
                error.hint().to_owned()
            }
        }
    }
}

/// What one source gives.
pub(crate) async fn run(code: &str, arguments: Vec<Bson>) -> Bson {
    App::new(Settings::default().workers(1), &[("f", code)]).ok("f", arguments).await
}
