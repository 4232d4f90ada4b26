//! `hideAccounts`: answers that tell nobody whether an address has an account, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use backstitch::app::AppConfig;
use backstitch::auth::PasswordCost;
use backstitch::auth::config::{Confirmation, EmailPasswordConfig, PasswordReset, ProviderKind};
use backstitch::engine::{App, Engine};
use backstitch::env::{Env, Mail, MailKind, Mailer, Timer};
use backstitch::error::{Error, ErrorKind, Result};
use backstitch::functions::FunctionCall;
use backstitch::id::AppId;
use backstitch::limits::Limits;
use backstitch::secret::Secret;
use backstitch::store::Store;
use backstitch_tests::{Client, CountingStore, Reply, every_store};
use bson::{Bson, doc};
use serde_json::{Value, json};

const APP: &str = "hidden-abcde";
const CHEAP: PasswordCost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };
const PASSWORD: &str = "correct horse";

#[derive(Clone, Default)]
struct Mailbox {
    mails: Arc<Mutex<Vec<Mail>>>,
    broken: Arc<AtomicBool>,
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: Mail) -> Result<()> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Error::internal("no mail today"));
        }
        self.mails.lock().unwrap().push(mail);
        Ok(())
    }
}

impl Mailbox {
    /// Kind and address of each mail since the last call.
    fn take(&self) -> Vec<(MailKind, String)> {
        self.mails.lock().unwrap().drain(..).map(|mail| (mail.kind, mail.to)).collect()
    }

    fn newest_token(&self) -> (Secret, String) {
        let mails = self.mails.lock().unwrap();
        let token = mails.last().expect("a mail").token.clone().expect("a token");
        (token.token, token.token_id)
    }
}

/// Notes how long is waited, and waits for nothing.
#[derive(Clone, Default)]
struct Waits(Arc<Mutex<Vec<Duration>>>);

#[async_trait]
impl Timer for Waits {
    async fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
    }
}

struct World {
    engine: Engine,
    store: CountingStore,
    mailbox: Mailbox,
    waits: Waits,
}

fn by_mail() -> EmailPasswordConfig {
    let page = |name: &str| format!("https://app.example/{name}");
    EmailPasswordConfig {
        confirmation: Confirmation::Email { url: page("confirm"), subject: None },
        reset: PasswordReset::Email { url: page("reset"), subject: None },
    }
}

impl World {
    async fn new(store: Arc<dyn Store>, passwords: EmailPasswordConfig, hidden: bool) -> Self {
        let (mailbox, waits) = (Mailbox::default(), Waits::default());
        let store = CountingStore::new(store);
        let env = Env { mailer: Arc::new(mailbox.clone()), timer: Arc::new(waits.clone()), ..Env::system() };
        let config = AppConfig::new("hidden").with_id(AppId::new(APP));
        let config = config.provider(ProviderKind::EmailPassword(passwords));
        let config = if hidden { config.hide_accounts() } else { config };
        // Says no to whom it dislikes.
        let decides = async |call: FunctionCall| {
            let about = call.arguments.first().and_then(Bson::as_document).cloned().unwrap_or_default();
            let fails = about.get_str("username").is_ok_and(|name| name.starts_with("eve"));
            Ok(Bson::from(doc! { "status": if fails { "fail" } else { "pending" } }))
        };
        let builder = Engine::builder().store(Arc::new(store.clone())).env(env).password_cost(CHEAP);
        let builder = builder.function("decides", decides).public_url("https://api.example").app(config);
        World { engine: builder.build().await.unwrap(), store, mailbox, waits }
    }

    fn app(&self) -> &App {
        self.engine.app(APP).unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        let path = format!("/app/{{app}}/auth/providers/local-userpass/{path}");
        Client::new(&self.engine, APP).send("POST", &path, None, Some(body)).await
    }

    async fn register(&self, email: &str) -> Reply {
        self.post("register", json!({ "email": email, "password": PASSWORD })).await
    }

    /// Everything that a client can see, how often the store was asked, and the longest wait.
    async fn seen(&self, path: &str, body: Value) -> (u16, String, String, usize, Option<Duration>) {
        self.store.take_others();
        self.waits.0.lock().unwrap().clear();
        let reply = self.post(path, body).await;
        let longest = self.waits.0.lock().unwrap().iter().max().copied();
        let body = String::from_utf8(reply.body.to_vec()).unwrap();
        (reply.status, format!("{:?}", reply.headers), body, self.store.take_others(), longest)
    }

    async fn confirmed(&self, email: &str) {
        assert_eq!(self.register(email).await.status, 201);
        let (token, id) = self.mailbox.newest_token();
        self.app().confirm(&token, &id).await.unwrap();
    }
}

/// Runs a story on each store.
fn on_each_store<F: Future<Output = ()>>(story: impl Fn(Arc<dyn Store>) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        for store in every_store(folder.path()).await {
            story(store).await;
        }
    });
}

#[test]
fn registering_a_taken_address_looks_like_a_new_one_and_its_owner_is_mailed() {
    on_each_store(async |store| {
        let world = World::new(store, by_mail(), true).await;
        world.confirmed("ada@x.test").await;
        world.register("pending@x.test").await;
        world.mailbox.take();
        let body = |email: &str| json!({ "email": email, "password": "battery staple" });

        let new = world.seen("register", body("new@x.test")).await;
        assert_eq!((new.0, new.2.as_str(), new.4), (201, "", Some(Limits::default().hidden_answer)));
        assert_eq!(world.mailbox.take(), [(MailKind::Confirm, "new@x.test".to_owned())]);
        for taken in ["ada@x.test", "pending@x.test"] {
            assert_eq!(world.seen("register", body(taken)).await, new, "{taken}");
            let (token, id) = world.mailbox.newest_token();
            assert_eq!(world.mailbox.take(), [(MailKind::AlreadyRegistered, taken.to_owned())]);
            let confirm = json!({ "token": token.expose(), "tokenId": id });
            assert_eq!(world.post("confirm", confirm).await.status, 400, "it is no confirmation");
        }
        let log_in = async |email: &str, password: &str| {
            let credential = doc! { "username": email, "password": password };
            world.app().log_in("local-userpass", credential).await.is_ok()
        };
        assert!(log_in("ada@x.test", PASSWORD).await, "the account is as it was");
        assert!(!log_in("ada@x.test", "battery staple").await, "and nobody else has it");
        let short = json!({ "email": "ada@x.test", "password": "x" });
        assert_eq!(world.post("register", short).await.status, 400, "a bad password is one for everybody");
    });
}

#[test]
fn a_resend_and_a_reset_look_alike_for_every_address_and_only_owners_are_mailed() {
    on_each_store(async |store| {
        let world = World::new(store, by_mail(), true).await;
        world.confirmed("ada@x.test").await;
        world.register("pending@x.test").await;
        world.mailbox.take();
        let body = |email: &str| json!({ "email": email });

        let resent = world.seen("confirm/send", body("pending@x.test")).await;
        assert_eq!((resent.0, resent.4), (200, Some(Limits::default().hidden_answer)));
        assert_eq!(world.mailbox.take(), [(MailKind::Confirm, "pending@x.test".to_owned())]);
        assert_eq!(world.seen("confirm/send", body("nobody@x.test")).await, resent);
        assert_eq!(world.seen("confirm/send", body("ada@x.test")).await, resent, "confirmed already");
        assert_eq!(world.mailbox.take(), []);

        let reset = world.seen("reset/send", body("ada@x.test")).await;
        assert_eq!((reset.0, reset.4), (200, Some(Limits::default().hidden_answer)));
        assert_eq!(world.mailbox.take(), [(MailKind::Reset, "ada@x.test".to_owned())]);
        assert_eq!(world.seen("reset/send", body("nobody@x.test")).await, reset);
        assert_eq!(world.mailbox.take(), []);
    });
}

#[test]
fn a_mailer_that_fails_tells_nothing() {
    on_each_store(async |store| {
        let world = World::new(store, by_mail(), true).await;
        world.confirmed("ada@x.test").await;
        world.register("pending@x.test").await;
        world.mailbox.broken.store(true, Ordering::SeqCst);
        let alike = |reply: Reply| (reply.status, reply.body);
        let new = alike(world.register("new@x.test").await);
        assert_eq!(new.0, 503);
        assert_eq!(alike(world.register("ada@x.test").await), new);
        for (path, known) in [("confirm/send", "pending@x.test"), ("reset/send", "ada@x.test")] {
            let known = alike(world.post(path, json!({ "email": known })).await);
            assert_eq!(known.0, 200, "{path}");
            assert_eq!(alike(world.post(path, json!({ "email": "nobody@x.test" })).await), known, "{path}");
        }
    });
}

#[test]
fn a_function_that_says_no_tells_nothing() {
    on_each_store(async |store| {
        let name = || "decides".to_owned();
        let passwords = EmailPasswordConfig {
            confirmation: Confirmation::Function { name: name() },
            reset: PasswordReset::Function { name: name() },
        };
        let world = World::new(store, passwords, true).await;
        world.register("ada@x.test").await;
        world.app().users().create("eve@x.test", &Secret::new(PASSWORD)).await.unwrap();
        let new = world.seen("register", json!({ "email": "new@x.test", "password": PASSWORD })).await;
        assert_eq!(new.0, 201);
        for other in ["ada@x.test", "eve2@x.test"] {
            let reply = world.register(other).await;
            assert_eq!((reply.status, reply.body.len()), (201, 0), "{other}");
        }
        assert_eq!(world.app().users().pending(None, 10).await.unwrap().len(), 2, "eve2 did not get in");
        assert_eq!(world.mailbox.take(), [(MailKind::AlreadyRegistered, "ada@x.test".to_owned())]);
        for path in ["confirm/call", "reset/call"] {
            for email in ["ada@x.test", "eve@x.test", "nobody@x.test"] {
                let reply = world.post(path, json!({ "email": email, "password": "battery staple" })).await;
                assert_eq!((reply.status, reply.body.len()), (200, 0), "{path} {email}");
            }
        }
    });
}

#[test]
fn a_change_to_a_taken_address_looks_like_one_to_a_free_one() {
    on_each_store(async |store| {
        let world = World::new(store, by_mail(), true).await;
        world.confirmed("ada@x.test").await;
        world.confirmed("bob@x.test").await;
        world.mailbox.take();
        let credential = doc! { "username": "ada@x.test", "password": PASSWORD };
        let tokens = world.app().log_in("local-userpass", credential).await.unwrap();
        let head = http::Request::get("/").header("authorization", format!("Bearer {}", tokens.access_token));
        let ada = world.app().authenticate(&head.body(()).unwrap().into_parts().0).await.unwrap();
        for (address, kind) in
            [("free@x.test", MailKind::EmailChange), ("bob@x.test", MailKind::AlreadyRegistered)]
        {
            world.app().request_email_change(&ada, address, "https://app.example/moved").await.unwrap();
            assert_eq!(world.mailbox.take(), [(kind, address.to_owned())]);
        }
    });
}

#[test]
fn nobody_floods_an_owner_by_registering_or_moving_to_a_taken_address() {
    on_each_store(async |store| {
        let automatic = EmailPasswordConfig { confirmation: Confirmation::Automatic, ..by_mail() };
        let world = World::new(store, automatic, true).await;
        assert_eq!(world.register("ada@x.test").await.status, 201);
        for _ in 0..9 {
            assert_eq!(world.register("ada@x.test").await.status, 201);
        }
        assert_eq!(world.mailbox.take().len(), 9, "each told the owner");
        assert_eq!(world.register("ada@x.test").await.status, 429);

        let bob = Client::new(&world.engine, APP).person("bob@x.test").await;
        let head = http::Request::get("/").header("authorization", format!("Bearer {}", bob.access.unwrap()));
        let actor = world.app().authenticate(&head.body(()).unwrap().into_parts().0).await.unwrap();
        let moved = world.app().request_email_change(&actor, "ada@x.test", "https://app.example/moved").await;
        assert_eq!(moved.unwrap_err().kind(), ErrorKind::TooManyRequests);
        assert_eq!(world.mailbox.take(), []);
    });
}

#[test]
fn without_the_setting_answers_are_the_originals() {
    on_each_store(async |store| {
        let world = World::new(store, by_mail(), false).await;
        world.confirmed("ada@x.test").await;
        world.mailbox.take();
        assert_eq!(world.register("ada@x.test").await.status, 409);
        assert_eq!(world.post("confirm/send", json!({ "email": "ada@x.test" })).await.status, 400);
        for path in ["confirm/send", "reset/send"] {
            assert_eq!(world.post(path, json!({ "email": "nobody@x.test" })).await.status, 404, "{path}");
        }
        assert_eq!(world.mailbox.take(), []);
        assert!(world.waits.0.lock().unwrap().is_empty(), "nobody waits");
    });
}

#[tokio::test]
async fn automatic_confirmation_tells_by_log_in_and_building_says_so() {
    let store = Arc::new(backstitch_storage_memory::MemoryStore::new());
    let world = World::new(store, EmailPasswordConfig::automatic(), true).await;
    let report = world.app().report().to_string();
    assert!(report.contains("backstitch.json#/hideAccounts"), "{report}");
    assert_eq!(world.register("ada@x.test").await.status, 201);
    assert_eq!(world.register("ada@x.test").await.status, 201);
    assert_eq!(world.mailbox.take(), [(MailKind::AlreadyRegistered, "ada@x.test".to_owned())]);
}
