//! Attacks 58 to 61 and 68: what passwords tell, what may be one, and what their hashes ask for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backstitch::auth::config::PasswordPolicy;
use backstitch::env::{Env, Executor, Job, Saturated};
use backstitch::error::ErrorKind;
use backstitch::id::{AppId, UserId};
use backstitch::secret::Secret;
use backstitch::store::Registration;
use backstitch_tests::{Reply, oauth_settings};
use serde_json::json;

use crate::federation::{CORP, club_with};
use crate::world::{APP, PASSWORD, World, club};

const ADA: &str = "ada@club.example";
/// `user1password`, made by libxcrypt and by Python's hashlib.
const IMPORTED: [&str; 4] = [
    "$2a$04$abcdefghijklmnopqrstuunQyUw6zg0jclhYTlg5/zHyfwGycQZ8W",
    "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHRzYWx0$rkfKuo7RdHGvRYAO69AQqgbX01u4TRFka2vXuQUQvBc",
    "$pbkdf2-sha256$i=1000$c2FsdHNhbHRzYWx0$FebcNWmKn/6Q936FOKeTugu6y/e3ZLqbevESpuMuxJE",
    "$pbkdf2-sha512$i=1000,l=64$c2FsdHNhbHRzYWx0\
     $cTLnUb7uEbFmuwPteMwb0KNdDuHRyUABaAMEtCku6opKhlgm7VRG4sXWfEhjkLQKAwsk+tM2v69Ctip5hSp6iQ",
];

/// Does the work at once, and counts it.
#[derive(Clone, Default)]
struct Hashing(Arc<AtomicUsize>);

impl Executor for Hashing {
    fn spawn(&self, job: Job) -> Result<(), Saturated> {
        self.0.fetch_add(1, Ordering::SeqCst);
        job();
        Ok(())
    }
}

impl Hashing {
    /// The hashes since the last call.
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }

    /// A world whose hashes are counted.
    async fn counted(world: World) -> (World, Self) {
        let hashing = Self::default();
        let env = Env { executor: Arc::new(hashing.clone()), ..world.env() };
        let app = club_with([oauth_settings("oidc-corp", Some(CORP))]);
        (world.serving(app, |builder| builder.env(env)).await, hashing)
    }
}

impl World {
    async fn enter(&self, email: &str, password: &str) -> Reply {
        self.log_in("local-userpass", json!({ "username": email, "password": password })).await
    }

    async fn registers(&self, email: &str, password: &str) -> Reply {
        let path = "/app/{app}/auth/providers/local-userpass/register";
        let body = json!({ "email": email, "password": password });
        self.client().send("POST", path, None, Some(body)).await
    }

    async fn hash_of(&self, email: &str) -> String {
        let found = self.store.registration(&AppId::new(APP), email).await.unwrap().unwrap();
        found.password_hash.expose().to_owned()
    }

    /// A registration with a hash that nobody has looked at.
    async fn insert_hash(&self, email: &str, hash: &str) {
        let registration = Registration {
            email: email.to_owned(),
            identity_id: format!("65a000000000000000000001-{email}"),
            password_hash: Secret::new(hash),
            confirmed: true,
            created_at: chrono::DateTime::UNIX_EPOCH,
        };
        self.store.insert_registration(&AppId::new(APP), &registration).await.unwrap();
    }
}

/// The one answer to a log-in that is wrong in whatever way.
#[track_caller]
fn assert_wrong(reply: &Reply, why: &str) {
    let body = br#"{"error":"unauthorized","error_code":"InvalidPassword"}"#;
    assert_eq!((reply.status, &reply.body[..]), (401, &body[..]), "{why}");
    let mut names: Vec<_> = reply.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["cache-control", "content-type", "vary"], "{why}");
}

attack!(attack_58_whatever_is_wrong_with_a_log_in_is_answered_alike_and_costs_one_hash, |world| {
    let (world, hashing) = Hashing::counted(world).await;
    let ada = world.person(ADA).await;
    let disabled = world.person("disabled@club.example").await;
    let disabled_id = UserId::parse(disabled.user.as_deref().unwrap()).unwrap();
    world.app().users().disable(disabled_id).await.unwrap();
    world.registers("pending@club.example", PASSWORD).await;
    world.app().users().import("imported@club.example", &Secret::new(IMPORTED[0])).await.unwrap();
    let more = json!({ "email": "corp@club.example", "email_verified": true });
    let token = world.browser().id_token(CORP, "person-1", more);
    assert_eq!(world.log_in("oidc-corp", json!({ "id_token": token })).await.status, 200);
    let (_, broken) = (hashing.take(), "broken@club.example");
    world.insert_hash(broken, "plain").await;
    let long = format!("{}@club.example", "x".repeat(900));
    for (why, email, password) in [
        ("known", ADA, "battery staple"),
        ("unknown", "nobody@club.example", "battery staple"),
        ("unknown, with somebody's password", "nobody@club.example", PASSWORD),
        ("disabled", "disabled@club.example", "battery staple"),
        ("pending", "pending@club.example", "battery staple"),
        ("without a password", "corp@club.example", "battery staple"),
        ("of another make of hash", "imported@club.example", "battery staple"),
        ("of a hash that cannot be read", broken, "battery staple"),
        ("in capitals", "ADA@club.example", PASSWORD),
        ("nothing", "", PASSWORD),
        ("no password", ADA, ""),
        ("a long name", &long, PASSWORD),
    ] {
        let reply = world.enter(email, password).await;
        assert_wrong(&reply, why);
        assert_eq!(hashing.take(), 1, "{why}");
    }
    // Too long is wrong whoever is asked for.
    let long = "x".repeat(129);
    for email in [ADA, "nobody@club.example"] {
        assert_wrong(&world.enter(email, &long).await, email);
        assert_eq!(hashing.take(), 0, "{email}");
    }
    // What else there is to say is said to the right password.
    for (email, code, text) in [
        ("disabled@club.example", "UserDisabled", "user disabled"),
        ("pending@club.example", "AuthError", "confirmation required"),
    ] {
        let reply = world.enter(email, PASSWORD).await;
        assert_eq!((reply.status, reply.json()), (401, json!({ "error": text, "error_code": code })));
        assert_eq!(hashing.take(), 1);
    }
    assert_eq!(world.enter(ADA, PASSWORD).await.json()["user_id"].as_str(), ada.user.as_deref());
    assert_eq!(hashing.take(), 1, "and the right one costs no more");
});

attack!(attack_59_every_character_of_a_password_counts_and_too_many_are_not_hashed, |world| {
    let (world, hashing) = Hashing::counted(world).await;
    let long = "x".repeat(72);
    let cases = [
        (format!("{long}a"), vec![format!("{long}b"), long.clone()]),
        ("nul\0one".to_owned(), vec!["nul\0two".to_owned(), "nul".to_owned(), "nul\0".to_owned()]),
        ("\u{e9}t\u{e9}123".to_owned(), vec!["e\u{301}te\u{301}123".to_owned(), "ete123".to_owned()]),
        (" spaced ".to_owned(), vec!["spaced".to_owned(), " spaced".to_owned()]),
        ("PassWord".to_owned(), vec!["password".to_owned()]),
        ("\u{1f9f5}".repeat(128), vec!["\u{1f9f5}".repeat(127)]),
    ];
    for (number, (set, tried)) in cases.iter().enumerate() {
        let email = format!("{number}@club.example");
        world.app().users().create(&email, &Secret::new(set.as_str())).await.unwrap();
        for wrong in tried {
            assert_wrong(&world.enter(&email, wrong).await, wrong);
        }
        assert_eq!(world.enter(&email, set).await.status, 200, "{set}");
    }
    hashing.take();
    let huge = "x".repeat(1_000_000);
    for password in ["", "12345", "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}", &"x".repeat(129), &huge] {
        let reply = world.registers(ADA, password).await;
        let text = "password must be between 6 and 128 characters";
        assert_eq!(reply.json(), json!({ "error": text, "error_code": "InvalidParameter" }));
    }
    assert_wrong(&world.enter("0@club.example", &huge).await, "a megabyte");
    assert_wrong(&world.enter(&huge, PASSWORD).await, "a name of a megabyte");
    assert_eq!(hashing.take(), 0);
    assert_eq!(world.registers(ADA, "123456").await.status, 201);
    assert_eq!(hashing.take(), 1);
});

attack!(attack_60_a_stored_hash_that_asks_for_absurd_work_is_refused_unread, |world| {
    let (world, hashing) = Hashing::counted(world).await;
    let tail = "c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
    let bcrypt = "abcdefghijklmnopqrstuunQyUw6zg0jclhYTlg5/zHyfwGycQZ8W";
    let absurd = [
        format!("$argon2id$v=19$m=4194304,t=1,p=1${tail}"),
        format!("$argon2id$v=19$m=4294967295,t=1,p=1${tail}"),
        format!("$argon2id$v=19$m=64,t=2147483648,p=1${tail}"),
        format!("$argon2id$v=19$m=262144,t=1,p=16777215${tail}"),
        format!("$scrypt$ln=40,r=8,p=1${tail}"),
        format!("$scrypt$ln=4,r=4294967295,p=4294967295${tail}"),
        format!("$pbkdf2-sha256$i=4294967295${tail}"),
        format!("$2b$31${bcrypt}"),
        format!("$argon2id$v=19$m=64,t=1,p=1${}", "A".repeat(100_000)),
        "plain".to_owned(),
    ];
    for (number, hash) in absurd.iter().enumerate() {
        let shown: String = hash.chars().take(60).collect();
        let email = format!("{number}@club.example");
        let refused = world.app().users().import(&email, &Secret::new(hash.as_str())).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidParameter, "{shown}");
        assert_eq!(hashing.take(), 0, "{shown}");
        // One that got into the store all the same is as if nobody were there.
        world.insert_hash(&email, hash).await;
        assert_wrong(&world.enter(&email, PASSWORD).await, &shown);
        assert_eq!(hashing.take(), 1, "{shown}");
        assert_eq!(world.hash_of(&email).await, *hash);
    }
    world.insert_hash(ADA, IMPORTED[0]).await;
    assert_eq!(world.enter(ADA, "user1password").await.status, 200, "the control");
});

attack!(attack_61_a_hash_of_another_make_logs_in_and_is_replaced_once, |world| {
    for (number, imported) in IMPORTED.iter().enumerate() {
        let email = format!("{number}@club.example");
        world.app().users().import(&email, &Secret::new(*imported)).await.unwrap();
        for wrong in ["user1passwore", "user1password ", ""] {
            assert_wrong(&world.enter(&email, wrong).await, imported);
        }
        assert_eq!(world.hash_of(&email).await, *imported, "a wrong password changes nothing");
        let first = world.enter(&email, "user1password").await;
        assert_eq!(first.status, 200, "{imported}");
        let kept = world.hash_of(&email).await;
        assert!(kept.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{kept}");
        let again = world.enter(&email, "user1password").await;
        assert_eq!(again.json()["user_id"], first.json()["user_id"]);
        assert_eq!(world.hash_of(&email).await, kept);
        assert_wrong(&world.enter(&email, "user1passwore").await, imported);
    }
});

attack!(attack_68_a_password_that_is_guessed_first_is_refused_wherever_one_is_set, |world| {
    // What was set before the policy logs in as before, and is told nothing.
    world.app().users().create("early@club.example", &Secret::new("password")).await.unwrap();
    let mut app = club();
    app.auth.passwords = PasswordPolicy { min: 8, forbid_common: true };
    let world = world.serving(app, |builder| builder).await;
    let early = world.enter("early@club.example", "password").await;
    assert_eq!((early.status, early.json().as_object().unwrap().len()), (200, 4), "{early:?}");

    let lovelace = world.person("lovelace@club.example").await;
    let actor = world.actor(&lovelace).await;
    let (app, users) = (world.app(), world.app().users());
    for (password, text) in [
        ("short", "password must be between 8 and 128 characters"),
        ("password", "password is too common: it is among those that are guessed first"),
        ("Dragon2026!", "password is too common: it is among those that are guessed first"),
        ("lovelace1815", "password must not be made of the e-mail address"),
    ] {
        let reply = world.registers("lovelace@other.example", password).await;
        assert_eq!(reply.json(), json!({ "error": text, "error_code": "InvalidParameter" }));
        let secret = Secret::new(password);
        app.send_password_reset("lovelace@club.example").await.unwrap();
        let (token, id) = world.mailbox.newest(backstitch::env::MailKind::Reset);
        for outcome in [
            app.reset_password(&token, &id, &secret).await,
            app.change_password(&actor, &Secret::new(PASSWORD), &secret).await,
            users.create("lovelace@third.example", &secret).await,
            users.set_password("lovelace@club.example", &secret).await,
        ] {
            assert_eq!(outcome.unwrap_err().hint(), text, "{password}");
        }
    }
    assert_eq!(world.enter("lovelace@club.example", PASSWORD).await.status, 200);
    assert_eq!(world.registers("lovelace@other.example", "teapots eat tea").await.status, 201);
});
