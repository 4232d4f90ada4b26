//! Accounts between log-ins: one-time tokens, API keys, linking and unlinking, a new address.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use backstitch::app::AppConfig;
use backstitch::auth::PasswordCost;
use backstitch::auth::config::{Confirmation, EmailPasswordConfig, PasswordReset, ProviderKind};
use backstitch::engine::{App, Engine};
use backstitch::env::{DevMailbox, Env, MailKind};
use backstitch::error::ErrorKind;
use backstitch::id::{AppId, UserId};
use backstitch::secret::Secret;
use backstitch::store::Store;
use backstitch_tests::{Client, every_store};
use bson::doc;
use serde_json::json;

const APP: &str = "accounts-abcde";
const EMAIL: &str = "ada@example.test";
const CHEAP: PasswordCost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };

struct World {
    engine: Engine,
    mailbox: DevMailbox,
}

async fn world(store: Arc<dyn Store>) -> World {
    let mailbox = DevMailbox::default();
    let env = Env { mailer: Arc::new(mailbox.clone()), ..Env::system() };
    let page = |name: &str| format!("https://app.example/{name}");
    let passwords = EmailPasswordConfig {
        confirmation: Confirmation::Email { url: page("confirm"), subject: None },
        reset: PasswordReset::Email { url: page("reset"), subject: None },
    };
    let config = AppConfig::new("accounts")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::Anonymous)
        .provider(ProviderKind::ApiKey)
        .provider(ProviderKind::EmailPassword(passwords));
    let builder = Engine::builder().store(store).env(env).password_cost(CHEAP);
    let engine = builder.public_url("https://api.example").app(config).build().await.unwrap();
    World { engine, mailbox }
}

impl World {
    /// The token of the newest mail of that kind, with its id.
    fn token_of(&self, kind: MailKind) -> (Secret, String) {
        let mail = self.mailbox.newest(|mail| mail.kind == kind).expect("a mail");
        let token = mail.token.expect("a token");
        (token.token, token.token_id)
    }

    fn app(&self) -> &App {
        self.engine.app(APP).unwrap()
    }

    async fn person(&self) -> Client {
        self.app().register(EMAIL, &Secret::new("correct horse")).await.unwrap();
        let (token, id) = self.token_of(MailKind::Confirm);
        self.app().confirm(&token, &id).await.unwrap();
        self.log_in("correct horse").await
    }

    async fn log_in(&self, password: &str) -> Client {
        let credential = json!({ "username": EMAIL, "password": password });
        Client::new(&self.engine, APP).log_in("local-userpass", credential).await
    }
}

async fn profile(client: &Client) -> u16 {
    client.send("GET", "/auth/profile", client.access.as_deref(), None).await.status
}

/// Runs a story on each store.
async fn on_each_store(story: impl AsyncFn(World)) {
    let folder = tempfile::tempdir().unwrap();
    for store in every_store(folder.path()).await {
        story(world(store).await).await;
    }
}

#[tokio::test]
async fn a_key_logs_in_as_its_owner_until_it_is_disabled_and_cannot_make_keys() {
    on_each_store(async |world| {
        let ada = world.person().await;
        let keys = "/auth/api_keys";
        let made = ada.send("POST", keys, ada.refresh.as_deref(), Some(json!({ "name": "laptop" }))).await;
        assert_eq!(made.status, 201);
        let (id, key) = (made.json()["_id"].as_str().unwrap().to_owned(), made.json()["key"].clone());
        assert_eq!(key.as_str().unwrap().len(), 64);
        let twice = ada.send("POST", keys, ada.refresh.as_deref(), Some(json!({ "name": "laptop" }))).await;
        assert_eq!(twice.status, 409);
        let by_key = Client::new(&world.engine, APP).log_in("api-key", json!({ "key": key })).await;
        assert_eq!(by_key.user, ada.user);
        let more =
            by_key.send("POST", keys, by_key.refresh.as_deref(), Some(json!({ "name": "more" }))).await;
        assert_eq!(more.status, 403);
        let head = http::Request::get("/")
            .header("authorization", format!("Bearer {}", by_key.access.clone().unwrap()));
        let actor = world.app().authenticate(&head.body(()).unwrap().into_parts().0).await.unwrap();
        let (present, new) = (Secret::new("correct horse"), Secret::new("battery staple"));
        let changed = world.app().change_password(&actor, &present, &new).await.unwrap_err();
        assert_eq!(changed.kind(), ErrorKind::NotPermitted);
        let guest = Client::new(&world.engine, APP).guest().await;
        let others = format!("{keys}/{id}");
        assert_eq!(guest.send("GET", &others, guest.refresh.as_deref(), None).await.status, 403);
        let disable = format!("{keys}/{id}/disable");
        assert_eq!(ada.send("PUT", &disable, ada.refresh.as_deref(), None).await.status, 204);
        assert_eq!(profile(&by_key).await, 401, "its sessions end with it");
        assert_eq!(profile(&ada).await, 200);
        let refused = world.app().log_in("api-key", doc! { "key": key.as_str().unwrap() }).await.unwrap_err();
        assert_eq!((refused.kind(), refused.hint()), (ErrorKind::AuthError, "invalid API key"));
    })
    .await;
}

#[tokio::test]
async fn a_guest_links_an_address_unlinks_the_guest_and_keeps_the_last_way_in() {
    on_each_store(async |world| {
        world.app().users().create(EMAIL, &Secret::new("correct horse")).await.unwrap();
        let guest = Client::new(&world.engine, APP).guest().await;
        let link = "/app/{app}/auth/providers/local-userpass/login?link=true";
        let wrong = json!({ "username": EMAIL, "password": "wrong horse" });
        let refused = guest.send("POST", link, guest.access.as_deref(), Some(wrong)).await;
        assert_eq!((refused.status, refused.json()["error_code"].as_str()), (401, Some("InvalidPassword")));
        assert_ne!(refused.json()["error"], "unauthorized");
        let right = json!({ "username": EMAIL, "password": "correct horse" });
        let linked = guest.send("POST", link, guest.access.as_deref(), Some(right)).await;
        assert_eq!(linked.status, 200, "{linked:?}");
        assert_eq!(linked.json()["user_id"].as_str(), guest.user.as_deref());

        let head = http::Request::get("/")
            .header("authorization", format!("Bearer {}", guest.access.clone().unwrap()));
        let actor = world.app().authenticate(&head.body(()).unwrap().into_parts().0).await.unwrap();
        let identities =
            &world.app().users().get(actor.acting_user().unwrap().user.id).await.unwrap().identities;
        let (anonymous, email) = (&identities[0], &identities[1]);
        world.app().unlink(&actor, "anon-user", &anonymous.id).await.unwrap();
        let last = world.app().unlink(&actor, "local-userpass", &email.id).await.unwrap_err();
        assert_eq!(last.kind(), ErrorKind::InvalidParameter);
        assert_eq!(profile(&guest).await, 401, "the session that the guest opened ended");
        world.log_in("correct horse").await;
    })
    .await;
}

#[tokio::test]
async fn an_account_moves_to_an_address_that_its_owner_confirms() {
    on_each_store(async |world| {
        let ada = world.person().await;
        let head = http::Request::get("/")
            .header("authorization", format!("Bearer {}", ada.access.clone().unwrap()));
        let actor = world.app().authenticate(&head.body(()).unwrap().into_parts().0).await.unwrap();
        world
            .app()
            .request_email_change(&actor, "new@example.test", "https://app.example/moved")
            .await
            .unwrap();
        let (token, id) = world.token_of(MailKind::EmailChange);
        world.app().confirm_email_change(&token, &id).await.unwrap();
        assert!(world.app().confirm_email_change(&token, &id).await.is_err(), "once");
        assert_eq!(profile(&ada).await, 401);
        let new = json!({ "username": "new@example.test", "password": "correct horse" });
        let again = Client::new(&world.engine, APP).log_in("local-userpass", new).await;
        assert_eq!(again.user, ada.user);
        let old = doc! { "username": EMAIL, "password": "correct horse" };
        assert_eq!(
            world.app().log_in("local-userpass", old).await.unwrap_err().kind(),
            ErrorKind::InvalidPassword
        );
    })
    .await;
}

#[tokio::test]
async fn an_operator_disables_and_deletes_and_addresses_are_free_again() {
    on_each_store(async |world| {
        let ada = world.person().await;
        let id = UserId::parse(ada.user.as_deref().unwrap()).unwrap();
        let users = world.app().users();
        users.disable(id).await.unwrap();
        assert_eq!(profile(&ada).await, 401);
        let right = doc! { "username": EMAIL, "password": "correct horse" };
        let told = world.app().log_in("local-userpass", right).await.unwrap_err();
        assert_eq!(told.kind(), ErrorKind::UserDisabled);
        users.enable(id).await.unwrap();
        world.log_in("correct horse").await;
        users.delete(id).await.unwrap();
        users.create(EMAIL, &Secret::new("battery staple")).await.unwrap();
        assert_ne!(world.log_in("battery staple").await.user, ada.user);
    })
    .await;
}
