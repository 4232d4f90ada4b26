//! An engine with an app to attack, and a second app beside it.

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use backstitch::actor::Actor;
use backstitch::app::AppConfig;
use backstitch::auth::PasswordCost;
use backstitch::auth::config::{
    Audience, Confirmation, CustomTokenConfig, EmailPasswordConfig, PasswordReset, ProviderKind,
    TokenAlgorithm, TokenKeySource,
};
use backstitch::builder::{BuildError, EngineBuilder};
use backstitch::engine::{App, Engine};
use backstitch::env::test::{InlineExecutor, ManualClock, SeededRandom};
use backstitch::env::{Clock as _, Env, Mail, MailKind, Mailer};
use backstitch::error::Result;
use backstitch::id::AppId;
use backstitch::secret::Secret;
use backstitch::store::{Store, User};
use backstitch_storage_memory::MemoryStore;
use backstitch_storage_sqlite::{SqliteConfig, SqliteStore};
use backstitch_tests::{Browser, Client, IdentityService, Reply};
use bytes::Bytes;
use http::Request;
use serde_json::Value;
use tempfile::TempDir;

/// When every attack begins, in seconds since 1970.
pub const START: i64 = 1_800_000_000;
/// The app that is attacked.
pub const APP: &str = "club-abcde";
/// An app beside it, on the same store with the same keys.
pub const OTHER: &str = "other-abcde";
/// The key of the app's custom-token provider.
pub const TOKEN_SECRET: &str = "0123456789abcdef0123456789abcdef";
/// The password of everybody.
pub const PASSWORD: &str = "correct horse";

/// What was mailed.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<Vec<Mail>>>);

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: Mail) -> Result<()> {
        self.0.lock().unwrap().push(mail);
        Ok(())
    }
}

impl Mailbox {
    /// Token and token id of the newest mail of a kind.
    pub fn newest(&self, kind: MailKind) -> (Secret, String) {
        let mails = self.0.lock().unwrap();
        let mail = mails.iter().rev().find(|mail| mail.kind == kind).expect("a mail");
        let token = mail.token.clone().expect("a token");
        (token.token, token.token_id)
    }

    /// The newest mail.
    pub fn last(&self) -> Mail {
        self.0.lock().unwrap().last().cloned().expect("a mail")
    }

    /// How many mails were sent.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// An engine under attack.
pub struct World {
    /// Under attack.
    pub engine: Engine,
    scene: Scene,
    /// Holds the file of the store.
    _folder: Option<TempDir>,
}

/// What stands around the engine; the attacks reach it through the world.
pub struct Scene {
    /// Where it keeps everything.
    pub store: Arc<dyn Store>,
    /// Stands still until moved.
    pub clock: Arc<ManualClock>,
    /// One sequence for all engines, so that no two of them make the same id.
    random: Arc<SeededRandom>,
    /// The other services; they lie where a test tells them to.
    pub service: IdentityService,
    /// What was mailed.
    pub mailbox: Mailbox,
}

impl World {
    pub async fn on_memory() -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let store = Arc::new(MemoryStore::with_clock(clock.clone()));
        Self::on(store, clock, None).await
    }

    pub async fn on_sqlite() -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let folder = tempfile::tempdir().unwrap();
        let config =
            SqliteConfig::new(folder.path().join("attack.db"), Env::system().executor, clock.clone());
        Self::on(Arc::new(SqliteStore::open(config).unwrap()), clock, Some(folder)).await
    }

    async fn on(store: Arc<dyn Store>, clock: Arc<ManualClock>, folder: Option<TempDir>) -> Self {
        let (service, mailbox) = (IdentityService::default(), Mailbox::default());
        let scene = Scene { store, clock, random: Arc::new(SeededRandom::new(1)), service, mailbox };
        let engine = scene.engine_with(club(), |builder| builder).await;
        Self { engine, scene, _folder: folder }
    }
}

impl Deref for World {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        &self.scene
    }
}

impl Scene {
    /// The second that the clock shows.
    pub fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }

    /// Another engine on the same store, clock and mailbox, as a second process would be, for an app of choice.
    pub async fn engine_with(
        &self,
        app: AppConfig,
        change: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Engine {
        self.try_engine_with(app, change).await.unwrap()
    }

    /// The same, where the wiring may be refused.
    pub async fn try_engine_with(
        &self,
        app: AppConfig,
        change: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> std::result::Result<Engine, BuildError> {
        let builder = Engine::builder()
            .store(Arc::clone(&self.store))
            .env(self.env())
            .public_url("https://api.club.example")
            .password_cost(PasswordCost { memory_kib: 64, passes: 1, lanes: 1 })
            .app(app)
            .app(AppConfig::new("other").with_id(AppId::new(OTHER)).provider(ProviderKind::Anonymous));
        change(builder).build().await
    }

    /// The outside of every engine here, for those that differ in one thing.
    pub fn env(&self) -> Env {
        Env {
            clock: self.clock.clone(),
            random: self.random.clone(),
            executor: Arc::new(InlineExecutor),
            http: Arc::new(self.service.clone()),
            mailer: Arc::new(self.mailbox.clone()),
            ..Env::system()
        }
    }
}

impl World {
    /// The same world with another engine under attack.
    pub async fn serving(self, app: AppConfig, change: impl FnOnce(EngineBuilder) -> EngineBuilder) -> Self {
        Self { engine: self.engine_with(app, change).await, ..self }
    }

    /// A browser that can be sent to the other services.
    pub fn browser(&self) -> Browser {
        let (engine, service) = (self.engine.clone(), self.service.clone());
        Browser { engine, service, clock: self.clock.clone(), app: APP }
    }

    /// Who the client is, to act in process.
    pub async fn actor(&self, client: &Client) -> Actor {
        let bearer = format!("Bearer {}", client.access.as_deref().unwrap());
        let head = Request::get("/").header("authorization", bearer).body(()).unwrap().into_parts().0;
        self.app().authenticate(&head).await.unwrap()
    }

    /// The users of the app.
    pub async fn users(&self) -> Vec<User> {
        self.store.list_users(&AppId::new(APP), None, 1000).await.unwrap()
    }

    pub fn app(&self) -> &App {
        self.engine.app(APP).unwrap()
    }

    pub fn client(&self) -> Client {
        Client::new(&self.engine, APP)
    }

    /// Somebody who registered, has confirmed and is logged in.
    pub async fn person(&self, email: &str) -> Client {
        self.app().register(email, &Secret::new(PASSWORD)).await.unwrap();
        let (token, token_id) = self.mailbox.newest(MailKind::Confirm);
        self.app().confirm(&token, &token_id).await.unwrap();
        let credential = serde_json::json!({ "username": email, "password": PASSWORD });
        self.client().log_in("local-userpass", credential).await
    }

    /// Logs in with a credential of any shape.
    pub async fn log_in(&self, provider: &str, credential: Value) -> Reply {
        let path = format!("/app/{{app}}/auth/providers/{provider}/login");
        self.client().send("POST", &path, None, Some(credential)).await
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Bytes>) -> Reply {
        let (head, body) = self.engine.handle(request).await.into_parts();
        let body = body.as_bytes().unwrap().clone();
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    }
}

/// Guests, passwords with confirmation and reset by mail, API keys, and tokens of another service.
pub fn club() -> AppConfig {
    let page = |name: &str| format!("https://club.example/{name}");
    let passwords = EmailPasswordConfig {
        confirmation: Confirmation::Email { url: page("confirm"), subject: None },
        reset: PasswordReset::Email { url: page("reset"), subject: None },
    };
    let keys = TokenKeySource::Keys { algorithm: TokenAlgorithm::Hs256, keys: vec![TOKEN_SECRET.into()] };
    let tokens = CustomTokenConfig { keys, audience: Audience::default(), metadata: Vec::new() };
    let mut app = AppConfig::new("club")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::ApiKey)
        .provider(ProviderKind::EmailPassword(passwords))
        .provider(ProviderKind::CustomToken(tokens));
    app.allowed_request_origins = vec!["https://club.example".to_owned()];
    app
}
