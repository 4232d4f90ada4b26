//! Accounts that come from another system, peppers, and the password policy, through the whole engine.

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
use backstitch::auth::config::{EmailPasswordConfig, PasswordPolicy, ProviderKind};
use backstitch::engine::Engine;
use backstitch::id::AppId;
use backstitch::secret::Secret;
use backstitch::store::{Registration, UserStore};
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::{Client, Reply};
use serde_json::json;

const APP: &str = "shop-abcde";
const BCRYPT: &str = "$2a$04$abcdefghijklmnopqrstuunQyUw6zg0jclhYTlg5/zHyfwGycQZ8W";

async fn engine(store: &Arc<MemoryStore>, peppers: &[&str], passwords: PasswordPolicy) -> Engine {
    let kind = ProviderKind::EmailPassword(EmailPasswordConfig::automatic());
    let mut app = AppConfig::new("shop").with_id(AppId::new(APP)).provider(kind);
    app.auth.passwords = passwords;
    let peppers = peppers.iter().map(|id| ((*id).to_owned(), Secret::new(id.repeat(32)))).collect();
    Engine::builder()
        .store(Arc::clone(store) as _)
        .public_url("http://app.example")
        .password_cost(PasswordCost { memory_kib: 64, passes: 1, lanes: 1 })
        .password_peppers(peppers)
        .app(app)
        .build()
        .await
        .unwrap()
}

async fn call(engine: &Engine, action: &str, name: &str, password: &str) -> Reply {
    let field = if action == "login" { "username" } else { "email" };
    let path = format!("/app/{{app}}/auth/providers/local-userpass/{action}");
    Client::new(engine, APP)
        .send("POST", &path, None, Some(json!({ field: name, "password": password })))
        .await
}

#[tokio::test]
async fn an_imported_hash_logs_in_once_and_is_then_one_of_ours_under_the_newest_pepper() {
    let store = Arc::new(MemoryStore::new());
    let app = AppId::new(APP);
    let imported = Registration {
        email: "ada@shop.test".to_owned(),
        identity_id: "6123456789abcdef01234567-abcdefghijklmnopqrstuvwx".to_owned(),
        password_hash: Secret::new(BCRYPT),
        confirmed: true,
        created_at: chrono::DateTime::UNIX_EPOCH,
    };
    store.insert_registration(&app, &imported).await.unwrap();
    let hash = async || {
        let kept = store.registration(&app, "ada@shop.test").await.unwrap().unwrap();
        kept.password_hash.expose().to_owned()
    };

    let first = engine(&store, &["a"], PasswordPolicy::default()).await;
    assert_eq!(call(&first, "login", "ada@shop.test", "user1passwore").await.status, 401);
    assert_eq!(hash().await, BCRYPT, "a wrong password changes nothing");
    assert_eq!(call(&first, "login", "ada@shop.test", "user1password").await.status, 200);
    assert!(hash().await.starts_with("$argon2id$v=19$m=64,t=1,p=1,keyid=YQ$"));

    let second = engine(&store, &["a", "b"], PasswordPolicy::default()).await;
    assert_eq!(call(&second, "login", "ada@shop.test", "user1password").await.status, 200);
    let kept = hash().await;
    assert!(kept.contains(",keyid=Yg$"), "{kept}");
    assert_eq!(call(&second, "login", "ada@shop.test", "user1password").await.status, 200);
    assert_eq!(hash().await, kept, "a hash that is up to date stays");
}

#[tokio::test]
async fn the_policy_is_told_when_a_password_is_set_and_never_at_log_in() {
    let store = Arc::new(MemoryStore::new());
    let lax = engine(&store, &[], PasswordPolicy::default()).await;
    assert_eq!(call(&lax, "register", "ada@shop.test", "password").await.status, 201);

    let strict = engine(&store, &[], PasswordPolicy { min: 8, forbid_common: true }).await;
    for (password, text) in [
        ("short", "password must be between 8 and 128 characters"),
        ("dragon2026", "password is too common: it is among those that are guessed first"),
        ("lovelace", "password must not be made of the e-mail address"),
    ] {
        let reply = call(&strict, "register", "lovelace@shop.test", password).await;
        let expected = json!({ "error": text, "error_code": "InvalidParameter" });
        assert_eq!((reply.status, reply.json()), (400, expected), "{password}");
    }
    assert_eq!(call(&strict, "register", "lovelace@shop.test", "teapots eat tea").await.status, 201);
    assert_eq!(call(&strict, "login", "ada@shop.test", "password").await.status, 200);
}

#[tokio::test]
async fn peppers_and_policies_that_cannot_work_are_refused_at_the_start() {
    let build = async |peppers: Vec<(String, Secret)>, min: usize| {
        let mut app = AppConfig::new("shop").with_id(AppId::new(APP));
        app.auth.passwords.min = min;
        let builder = Engine::builder().store(Arc::new(MemoryStore::new())).public_url("http://app.example");
        builder
            .app(app)
            .password_peppers(peppers)
            .build()
            .await
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(build(Vec::new(), 128).await, Ok(()));
    assert!(build(Vec::new(), 129).await.is_err_and(|error| error.contains("policy")));
    assert!(build(vec![("a".to_owned(), Secret::new("short"))], 0).await.is_err());
}
