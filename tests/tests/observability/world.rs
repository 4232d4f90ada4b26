//! An app with every way in, documents under rules and functions, whose requests are recorded.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use backstitch::app::{AppConfig, CollectionConfig, ValidationAction};
use backstitch::auth::PasswordCost;
use backstitch::auth::config::{
    Audience, Confirmation, CustomFunctionConfig, CustomTokenConfig, EmailPasswordConfig, PasswordReset,
    ProviderKind, TokenAlgorithm, TokenKeySource,
};
use backstitch::engine::Engine;
use backstitch::env::test::{ManualClock, SeededRandom};
use backstitch::env::{Env, Mail, MailKind, Mailer};
use backstitch::functions::{BatchCall, FunctionCall, FunctionFailure};
use backstitch::http::PeerAddress;
use backstitch::id::{AppId, CollectionId};
use backstitch::observe::{Detail, EventLog, RequestLog, RequestRecord};
use backstitch::rules::Access;
use backstitch::schema::{CustomResolver, Relationship, ResolverType};
use backstitch::secret::Secret;
use backstitch::store::{Store, TransactionOptions};
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use backstitch_tests::{Browser, Client, IdentityService, Reply, oauth_settings};
use bson::{Bson, Document, RawDocumentBuf};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::capture::Capture;

pub const APP: &str = "club-abcde";
pub const START: i64 = 1_800_000_000;
/// A service to log in at.
pub const CORP: &str = "https://login.corp.example";
/// The key of `custom-token`.
pub const TOKEN_SECRET: &str = "s3cret-key-of-the-token-service-0123456789";
/// What the function `fails` says.
pub const FAILURE: &str = "s3cret-that-a-function-fails-with";
pub const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

/// Mails that were sent.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<Vec<Mail>>>);

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: Mail) -> backstitch::error::Result<()> {
        self.0.lock().unwrap().push(mail);
        Ok(())
    }
}

impl Mailbox {
    /// Token and token id of the newest mail of a kind.
    pub fn newest(&self, kind: MailKind) -> (Secret, String) {
        let mails = self.0.lock().unwrap();
        let token = mails.iter().rev().find(|mail| mail.kind == kind).unwrap().token.clone().unwrap();
        (token.token, token.token_id)
    }
}

/// A log that keeps records, and makes events of them as the default does.
#[derive(Clone)]
pub struct Records {
    kept: Arc<Mutex<Vec<RequestRecord>>>,
    detail: Detail,
}

impl RequestLog for Records {
    fn detail(&self) -> Detail {
        assert_eq!(EventLog.detail(), Detail::Rules, "the subscriber wants everything");
        self.detail
    }

    fn record(&self, record: &RequestRecord) {
        self.kept.lock().unwrap().push(record.clone());
        EventLog.record(record);
    }
}

impl Records {
    pub fn of(detail: Detail) -> Self {
        Self { kept: Arc::default(), detail }
    }

    pub fn all(&self) -> Vec<RequestRecord> {
        self.kept.lock().unwrap().clone()
    }

    /// As they would be sent to wherever logs are kept.
    pub fn json(&self) -> Vec<Value> {
        self.all().iter().map(|record| serde_json::to_value(record).unwrap()).collect()
    }
}

pub struct World {
    pub capture: Capture,
    pub engine: Engine,
    pub store: Arc<dyn Store>,
    pub clock: Arc<ManualClock>,
    pub service: IdentityService,
    pub mailbox: Mailbox,
    pub records: Records,
    group: Arc<str>,
}

/// Runs a story on each store, with a log that wants so much.
pub fn on_each_store<F: Future<Output = ()>>(detail: Detail, story: impl Fn(World) -> F) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for is_on_disk in [false, true] {
        let clock = Arc::new(ManualClock::at(START));
        let store: Arc<dyn Store> = if is_on_disk {
            let config =
                SqliteConfig::new(folder.path().join("seen.db"), Env::system().executor, clock.clone());
            Arc::new(SqliteStore::open(config).unwrap())
        } else {
            Arc::new(MemoryStore::with_clock(clock.clone()))
        };
        runtime.block_on(async { story(World::on(store, clock, Records::of(detail)).await).await });
    }
}

impl World {
    async fn on(store: Arc<dyn Store>, clock: Arc<ManualClock>, records: Records) -> Self {
        let capture = Capture::begin();
        let (service, mailbox) = (IdentityService::default(), Mailbox::default());
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
            http: Arc::new(service.clone()),
            mailer: Arc::new(mailbox.clone()),
            ..Env::system()
        };
        let config = club();
        let group = Arc::clone(&config.data_group);
        let engine = Engine::builder()
            .store(Arc::clone(&store))
            .env(env)
            .public_url("https://api.club.example")
            .password_cost(PasswordCost { memory_kib: 64, passes: 1, lanes: 1 })
            .request_log(records.clone())
            .app(config)
            .function("fails", async |_: FunctionCall| Err::<Bson, _>(FunctionFailure::new(FAILURE)))
            .function("echo", async |call: FunctionCall| {
                Ok::<_, FunctionFailure>(call.arguments.into_iter().next().unwrap_or(Bson::Null))
            })
            .batch_function("length", async |call: BatchCall| {
                let lengths = call.sources.iter().map(|note| note.get_str("text").unwrap_or_default().len());
                Ok(lengths.map(|length| Bson::Int32(length.try_into().unwrap())).collect())
            })
            .build()
            .await
            .unwrap();
        Self { capture, engine, store, clock, service, mailbox, records, group }
    }

    /// Sends a request below `/api/client/v2.0`, `{app}` standing for the app's id.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let uri = format!("/api/client/v2.0{}", path.replace("{app}", APP));
        let mut request = Request::builder().method(method).uri(uri).extension(PeerAddress(PEER));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let (head, body) = self.engine.handle(request).await.into_parts();
        let body = body.as_bytes().unwrap().clone();
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// Sends JSON, with a token if there is one.
    pub async fn send_json(&self, method: &str, path: &str, token: Option<&str>, body: Value) -> Reply {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, &headers, &body).await
    }

    pub fn client(&self) -> Client {
        Client::new(&self.engine, APP)
    }

    pub fn browser(&self) -> Browser {
        let (engine, service) = (self.engine.clone(), self.service.clone());
        Browser { engine, service, clock: self.clock.clone(), app: APP }
    }

    /// Stores documents past the rules.
    pub async fn store(&self, collection: &str, documents: impl IntoIterator<Item = Document>) {
        let access =
            Access::system(CollectionId::new(Arc::clone(&self.group), "mongodb-atlas", "app", collection));
        let insert =
            |document: Document| access.insert(RawDocumentBuf::try_from(&document).unwrap()).unwrap();
        let writes: Vec<_> = documents.into_iter().map(insert).collect();
        let mut transaction = self.store.begin(TransactionOptions::default()).await.unwrap();
        transaction.write(&writes).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

fn club() -> AppConfig {
    let page = |name: &str| format!("https://club.example/{name}");
    let passwords = EmailPasswordConfig {
        confirmation: Confirmation::Email { url: page("confirm"), subject: None },
        reset: PasswordReset::Email { url: page("reset"), subject: None },
    };
    let keys = TokenKeySource::Keys { algorithm: TokenAlgorithm::Hs256, keys: vec![TOKEN_SECRET.into()] };
    let tokens = CustomTokenConfig { keys, audience: Audience::default(), metadata: Vec::new() };
    let function = CustomFunctionConfig { function: "fails".to_owned() };
    let people = CollectionId::new(APP, "mongodb-atlas", "app", "people");
    let mut app = AppConfig::new("club")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::ApiKey)
        .provider(ProviderKind::EmailPassword(passwords))
        .provider(ProviderKind::CustomToken(tokens))
        .provider(ProviderKind::CustomFunction(function))
        .provider(ProviderKind::OAuth(Box::new(oauth_settings("oidc-corp", Some(CORP)))))
        .custom_user_data(people.clone(), "owner")
        .collection(CollectionConfig::new("people").schema(&person()).rules(json!({
            "roles": [{ "name": "everyone", "apply_when": {}, "read": true }]
        })))
        .collection(CollectionConfig::new("notes").schema(&note()).rules(note_rules()).relationship(
            Relationship { source: "author".into(), target: people, foreign: "_id".into(), is_list: false },
        ))
        .resolver(resolver("Query", "echo", "string").input(ResolverType::Scalar("string".to_owned())))
        .resolver(resolver("Query", "fails", "string"))
        .resolver(resolver("Note", "length", "int"));
    app.graphql.read_validation = ValidationAction::Warn;
    app
}

/// A field that the function of its name answers.
fn resolver(on_type: &str, field: &str, scalar: &str) -> CustomResolver {
    CustomResolver::new(on_type, field, field).payload(ResolverType::Scalar(scalar.to_owned()))
}

fn person() -> Value {
    json!({ "title": "Person", "properties": {
        "_id": { "bsonType": "int" }, "name": { "bsonType": "string" },
        "owner": { "bsonType": "string" }, "diagnosis": { "bsonType": "string" }
    }})
}

fn note() -> Value {
    json!({ "title": "Note", "properties": {
        "_id": { "bsonType": "int" }, "owner": { "bsonType": "string" }, "text": { "bsonType": "string" },
        "hidden": { "bsonType": "string" }, "author": { "bsonType": "int" }, "kind": { "bsonType": "string" }
    }})
}

/// An owner sees and changes all; others see what is shared, but for `hidden`; nobody else comes in.
fn note_rules() -> Value {
    json!({ "roles": [
        { "name": "owner", "apply_when": { "owner": "%%user.id" }, "read": true, "write": true },
        { "name": "reader", "apply_when": { "kind": "shared" },
          "fields": { "hidden": { "read": false } }, "additional_fields": { "read": true } }
    ]})
}
