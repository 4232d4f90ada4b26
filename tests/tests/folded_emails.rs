//! `foldEmails`: one account whatever the spelling of its address, and none that swallows another, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use backstitch::app::AppConfig;
use backstitch::auth::PasswordCost;
use backstitch::auth::config::{Confirmation, EmailPasswordConfig, PasswordReset, ProviderKind};
use backstitch::engine::{App, Engine};
use backstitch::env::{Env, Mail, MailKind, Mailer};
use backstitch::error::{ErrorKind, Result};
use backstitch::id::AppId;
use backstitch::secret::Secret;
use backstitch::store::Store;
use backstitch_tests::{Client, every_store};
use bson::doc;
use serde_json::json;

const APP: &str = "folded-abcde";
const CHEAP: PasswordCost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };
const PASSWORD: &str = "correct horse";

#[derive(Clone, Default)]
struct Mailbox(Arc<Mutex<Vec<Mail>>>);

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: Mail) -> Result<()> {
        self.0.lock().unwrap().push(mail);
        Ok(())
    }
}

impl Mailbox {
    fn newest(&self) -> Mail {
        self.0.lock().unwrap().last().expect("a mail").clone()
    }
}

struct World {
    engine: Engine,
    mailbox: Mailbox,
}

impl World {
    async fn new(store: &Arc<dyn Store>, folds: bool) -> Self {
        let mailbox = Mailbox::default();
        let env = Env { mailer: Arc::new(mailbox.clone()), ..Env::system() };
        let page = |name: &str| format!("https://app.example/{name}");
        let passwords = EmailPasswordConfig {
            confirmation: Confirmation::Email { url: page("confirm"), subject: None },
            reset: PasswordReset::Email { url: page("reset"), subject: None },
        };
        let config = AppConfig::new("folded").with_id(AppId::new(APP));
        let config = config.provider(ProviderKind::EmailPassword(passwords));
        let config = if folds { config.fold_emails() } else { config };
        let builder = Engine::builder().store(Arc::clone(store)).env(env).password_cost(CHEAP);
        let engine = builder.public_url("https://api.example").app(config).build().await.unwrap();
        World { engine, mailbox }
    }

    fn app(&self) -> &App {
        self.engine.app(APP).unwrap()
    }

    async fn register(&self, email: &str) -> Result<()> {
        self.app().register(email, &Secret::new(PASSWORD)).await
    }

    async fn confirm(&self) {
        let token = self.mailbox.newest().token.unwrap();
        self.app().confirm(&token.token, &token.token_id).await.unwrap();
    }

    /// Whose account it is.
    async fn log_in(&self, email: &str, password: &str) -> Result<String> {
        let credential = doc! { "username": email, "password": password };
        Ok(self.app().log_in("local-userpass", credential).await?.user_id)
    }

    async fn post(&self, path: &str, email: &str) -> u16 {
        let path = format!("/app/{{app}}/auth/providers/local-userpass/{path}");
        let body = json!({ "email": email });
        Client::new(&self.engine, APP).send("POST", &path, None, Some(body)).await.status
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
fn one_account_answers_to_every_spelling_everywhere() {
    on_each_store(async |store| {
        let world = World::new(&store, true).await;
        world.register(" Ada@Example.TEST").await.unwrap();
        assert_eq!(world.mailbox.newest().to, "ada@example.test");
        assert_eq!(world.post("confirm/send", "ADA@example.test").await, 200);
        world.confirm().await;
        let user = world.log_in("ada@example.test", PASSWORD).await.unwrap();
        assert_eq!(world.log_in("aDa@eXample.test ", PASSWORD).await.unwrap(), user);
        let taken = world.register("ADA@EXAMPLE.TEST").await.unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AccountNameInUse);
        let taken = world.app().users().create("AdA@example.test", &Secret::new(PASSWORD)).await;
        assert_eq!(taken.unwrap_err().kind(), ErrorKind::AccountNameInUse);

        assert_eq!(world.post("reset/send", "ADA@example.test").await, 200);
        let mail = world.mailbox.newest();
        assert_eq!((mail.kind, mail.to.as_str()), (MailKind::Reset, "ada@example.test"));
        let token = mail.token.unwrap();
        let body =
            json!({ "token": token.token.expose(), "tokenId": token.token_id, "password": "battery staple" });
        let path = "/app/{app}/auth/providers/local-userpass/reset";
        let done = Client::new(&world.engine, APP).send("POST", path, None, Some(body)).await;
        assert_eq!(done.status, 200);
        for (password, status) in [("battery staple", 200), (PASSWORD, 401)] {
            let headers = http::Request::post(format!("/api/client/v2.0/app/{APP}/graphql"))
                .header("content-type", "application/json")
                .header("email", "Ada@Example.test")
                .header("password", password)
                .body(bytes::Bytes::from(r#"{"query": "{ __typename }"}"#))
                .unwrap();
            assert_eq!(world.engine.handle(headers).await.status(), status);
        }
        world.app().users().set_password("ADA@Example.test", &Secret::new("new password")).await.unwrap();
        assert_eq!(world.log_in("ada@example.test", "new password").await.unwrap(), user);
    });
}

#[test]
fn an_account_moves_to_the_folded_address() {
    on_each_store(async |store| {
        let world = World::new(&store, true).await;
        world.register("ada@x.test").await.unwrap();
        world.confirm().await;
        world.app().users().create("bob@x.test", &Secret::new(PASSWORD)).await.unwrap();
        let credential = doc! { "username": "ada@x.test", "password": PASSWORD };
        let tokens = world.app().log_in("local-userpass", credential).await.unwrap();
        let head = http::Request::get("/").header("authorization", format!("Bearer {}", tokens.access_token));
        let ada = world.app().authenticate(&head.body(()).unwrap().into_parts().0).await.unwrap();
        let change = async |email: &str| {
            world.app().request_email_change(&ada, email, "https://app.example/moved").await
        };
        assert_eq!(change("BOB@x.test").await.unwrap_err().kind(), ErrorKind::AccountNameInUse);
        change("New@X.test").await.unwrap();
        let token = world.mailbox.newest().token.unwrap();
        world.app().confirm_email_change(&token.token, &token.token_id).await.unwrap();
        assert_eq!(world.log_in("NEW@x.test", PASSWORD).await.unwrap(), tokens.user_id);
    });
}

#[test]
fn accounts_from_before_keep_their_spelling_and_are_merged_with_nobody() {
    on_each_store(async |store| {
        let before = World::new(&store, false).await;
        for (email, password) in
            [("Ada@x.test", "of the capital"), ("ada@x.test", "of the small"), ("Bob@x.test", "of bob's")]
        {
            before.app().users().create(email, &Secret::new(password)).await.unwrap();
        }
        let capital = before.log_in("Ada@x.test", "of the capital").await.unwrap();
        let small = before.log_in("ada@x.test", "of the small").await.unwrap();

        let world = World::new(&store, true).await;
        assert_eq!(world.log_in("Ada@x.test", "of the capital").await.unwrap(), capital);
        assert_eq!(world.log_in("ada@x.test", "of the small").await.unwrap(), small);
        assert_eq!(world.log_in("ADA@x.test", "of the small").await.unwrap(), small);
        for (email, password) in [("Ada@x.test", "of the small"), ("ADA@x.test", "of the capital")] {
            assert_eq!(world.log_in(email, password).await.unwrap_err().kind(), ErrorKind::InvalidPassword);
        }
        assert_eq!(world.post("reset/send", "Ada@x.test").await, 200);
        assert_eq!(world.mailbox.newest().to, "Ada@x.test", "its owner alone can read it");
        assert_eq!(world.post("reset/send", "aDA@x.test").await, 200);
        assert_eq!(world.mailbox.newest().to, "ada@x.test");

        world.log_in("Bob@x.test", "of bob's").await.unwrap();
        assert!(world.log_in("bob@x.test", "of bob's").await.is_err());
        assert_eq!(world.register("Bob@x.test").await.unwrap_err().kind(), ErrorKind::AccountNameInUse);
        world.register("BOB@x.test").await.unwrap();
        assert_eq!(world.mailbox.newest().to, "bob@x.test", "a new account beside the old one");
        world.log_in("Bob@x.test", "of bob's").await.unwrap();
    });
}

#[test]
fn failures_under_all_spellings_are_counted_together() {
    on_each_store(async |store| {
        let world = World::new(&store, true).await;
        let spellings = ["ada@x.test", "Ada@x.test", "aDa@x.test", "ADA@X.TEST", " ada@x.test"];
        for spelling in spellings.iter().cycle().take(20) {
            let refused = world.log_in(spelling, "wrong horse").await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidPassword);
        }
        for spelling in spellings {
            let blocked = world.log_in(spelling, "wrong horse").await.unwrap_err();
            assert_eq!(blocked.kind(), ErrorKind::TooManyRequests, "{spelling}");
        }
    });
}

#[tokio::test]
async fn without_the_setting_spellings_are_different_accounts() {
    let store: Arc<dyn Store> = Arc::new(backstitch_storage_memory::MemoryStore::new());
    let world = World::new(&store, false).await;
    world.register("Ada@x.test").await.unwrap();
    world.register("ada@x.test").await.unwrap();
    assert_eq!(world.mailbox.newest().to, "ada@x.test");
    assert_eq!(world.post("reset/send", "ADA@x.test").await, 404);
}
