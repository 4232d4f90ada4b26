//! Log-in and sessions, by user story, on the memory store with steered time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use backstitch::auth::config::{
    AuthConfig, Confirmation, CustomUserDataConfig, EmailPasswordConfig, PasswordReset, ProviderConfig,
    ProviderKind,
};
use backstitch::auth::{
    Auth, AuthParts, Credential, DeviceInfo, PasswordCost, PasswordHasher, StoredCustomData, UserEvents,
};
use backstitch::bson::oid::ObjectId;
use backstitch::bson::{Document, RawDocumentBuf, doc};
use backstitch::env::test::{InlineExecutor, ManualClock, SeededRandom};
use backstitch::env::{Clock, Egress, Env};
use backstitch::error::{Error, ErrorKind};
use backstitch::functions::Functions;
use backstitch::id::{AppId, CollectionId, DeviceId, DomainId, UserId};
use backstitch::limits::Limits;
use backstitch::rules::Access;
use backstitch::secret::Secret;
use backstitch::session::{
    CustomData, KeySource, NoCustomData, SessionSettings, Sessions, Tokens, peek_domain,
};
use backstitch::store::{
    DocumentStore, KeyAlgorithm, KeyStore, Registration, SigningKeyRecord, Store, TransactionOptions,
    UserStore,
};
use backstitch_storage_memory::MemoryStore;
use serde_json::{Value, json};

const START: i64 = 1_800_000_000;
const CHEAP: PasswordCost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };
const MAX: usize = 32 * 1024;

/// One app on one machine.
struct World {
    app: AppId,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    sessions: Arc<Sessions>,
    auth: Arc<Auth>,
}

/// What differs between worlds.
struct Setup {
    app: &'static str,
    domain: u8,
    seed: u64,
    start: i64,
    cost: PasswordCost,
    confirmation: Confirmation,
    disabled: bool,
    custom: bool,
    store: Arc<MemoryStore>,
    keys: KeySource,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            app: "movies-abcde",
            domain: 1,
            seed: 1,
            start: START,
            cost: CHEAP,
            confirmation: Confirmation::Automatic,
            disabled: false,
            custom: false,
            store: Arc::new(MemoryStore::new()),
            keys: KeySource::Store,
        }
    }
}

fn people() -> CollectionId {
    CollectionId::new("movies-abcde", "mongodb-atlas", "app", "people")
}

impl Setup {
    async fn world(self) -> World {
        let clock = Arc::new(ManualClock::at(self.start));
        let env = Env {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SeededRandom::new(self.seed)),
            executor: Arc::new(InlineExecutor),
            ..Env::system()
        };
        let app = AppId::new(self.app);
        let limits = Limits::default();
        let store: Arc<dyn Store> = Arc::clone(&self.store) as Arc<dyn Store>;
        let custom = CustomUserDataConfig { collection: people(), user_id_field: "owner".to_owned() };
        let config = AuthConfig {
            providers: vec![
                ProviderConfig {
                    kind: ProviderKind::Anonymous,
                    id: ObjectId::from_bytes([8; 12]),
                    disabled: self.disabled,
                },
                ProviderConfig {
                    kind: ProviderKind::EmailPassword(EmailPasswordConfig {
                        confirmation: self.confirmation,
                        reset: PasswordReset::Unavailable,
                    }),
                    id: ObjectId::from_bytes([9; 12]),
                    disabled: self.disabled,
                },
            ],
            custom_user_data: self.custom.then_some(custom),
            ..AuthConfig::default()
        };
        let custom_data: Arc<dyn CustomData> = match config.custom_user_data.clone() {
            Some(custom) => Arc::new(StoredCustomData::new(custom, Arc::clone(&store))),
            None => Arc::new(NoCustomData),
        };
        let settings = SessionSettings {
            app: app.clone(),
            domain: DomainId::new(ObjectId::from_bytes([self.domain; 12])),
            store: Arc::clone(&store),
            env: env.clone(),
            limits: limits.clone(),
            refresh_lifetime: config.refresh_lifetime,
            custom_data,
        };
        let sessions = Arc::new(Sessions::start(settings, self.keys).await.unwrap());
        let hasher = Arc::new(PasswordHasher::new(self.cost, env.clone(), &limits).unwrap());
        let parts = AuthParts {
            functions: Functions::new(HashMap::new(), env.clone(), limits.function),
            events: UserEvents::default(),
            egress: Egress::default(),
            public_url: "http://app.example".to_owned(),
            app: app.clone(),
            name: "app".to_owned(),
            store,
            env,
            limits,
            hasher,
            sessions: Arc::clone(&sessions),
        };
        let auth = Arc::new(Auth::new(&config, parts));
        World { app, clock, store: self.store, sessions, auth }
    }
}

async fn world() -> World {
    Setup::default().world().await
}

impl World {
    async fn anonymous(&self) -> Tokens {
        self.auth.login("anon-user", &Credential::new(doc! {}), &DeviceInfo::default()).await.unwrap()
    }

    async fn register(&self, email: &str, password: &str) -> Result<(), Error> {
        self.auth.register(email, &Secret::new(password), None).await
    }

    async fn login(&self, email: &str, password: &str) -> Result<Tokens, Error> {
        let credential = Credential::new(doc! { "username": email, "password": password });
        self.auth.login("local-userpass", &credential, &DeviceInfo::default()).await
    }

    async fn user_of(&self, access: &str) -> UserId {
        self.sessions.authenticate(access).await.unwrap().acting_user().unwrap().user.id
    }

    async fn insert(&self, documents: &[Document]) {
        let access = Access::system(people());
        let writes: Vec<_> = documents
            .iter()
            .map(|document| access.insert(RawDocumentBuf::try_from(document).unwrap()).unwrap())
            .collect();
        let mut transaction = self.store.begin(TransactionOptions::default()).await.unwrap();
        transaction.write(&writes).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Neither token of the session is worth anything.
    async fn assert_dead(&self, tokens: &Tokens) {
        assert_refused(self.sessions.authenticate(&tokens.access_token).await, "invalid session");
        let dead = "invalid session: failed to find refresh token";
        assert_refused(self.sessions.refresh(&tokens.refresh_token).await, dead);
    }
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T, Error>, text: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::InvalidSession, text));
}

fn outcome<T: std::fmt::Debug>(result: Result<T, Error>) -> (ErrorKind, String) {
    let error = result.unwrap_err();
    (error.kind(), error.hint().to_owned())
}

fn claims(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims
}

#[tokio::test]
async fn an_anonymous_log_in_opens_a_session_with_the_claims_that_clients_read() {
    let world = world().await;
    let tokens = world.anonymous().await;
    let header = jsonwebtoken::decode_header(&tokens.access_token).unwrap();
    assert_eq!(header.alg, jsonwebtoken::Algorithm::HS256);
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    assert!(header.kid.is_some());
    let access = claims(&tokens.access_token);
    assert_eq!(access["exp"], json!(START + 1800));
    assert_eq!(access["sub"], json!(tokens.user_id));
    assert_eq!(access["baas_device_id"], json!(tokens.device_id));
    assert!(access.get("user_data").is_none());
    let refresh = claims(&tokens.refresh_token);
    assert_eq!(refresh["exp"], json!(START + 5 * 365 * 86_400));
    assert_eq!(refresh["baas_id"], access["iss"]);
    assert_eq!(refresh["baas_identity"]["provider_type"], json!("anon-user"));
    assert!(!tokens.access_token.contains('$') && !tokens.refresh_token.contains('$'));
    assert_ne!(tokens.device_id, "0".repeat(24));
    let domain = DomainId::new(ObjectId::from_bytes([1; 12]));
    assert_eq!(peek_domain(&tokens.refresh_token, MAX), Some(domain));

    let actor = world.sessions.authenticate(&tokens.access_token).await.unwrap();
    let profile = serde_json::to_value(world.auth.profile(&actor).unwrap()).unwrap();
    let identity = &profile["identities"][0];
    assert_eq!(profile["user_id"], json!(tokens.user_id));
    assert_eq!((&profile["type"], &profile["data"]), (&json!("normal"), &json!({})));
    let (object_id, letters) = identity["id"].as_str().unwrap().split_once('-').unwrap();
    assert!(ObjectId::parse_str(object_id).is_ok());
    assert!(letters.len() == 24 && letters.bytes().all(|letter| letter.is_ascii_lowercase()));
}

#[tokio::test]
async fn every_anonymous_log_in_is_somebody_new_and_a_sent_device_id_stays() {
    let world = world().await;
    let first = world.anonymous().await;
    let device = DeviceInfo { id: DeviceId::parse(&first.device_id), ..DeviceInfo::default() };
    let second = world.auth.login("anon-user", &Credential::new(doc! {}), &device).await.unwrap();
    assert_ne!(first.user_id, second.user_id);
    assert_eq!(first.device_id, second.device_id);
    assert_ne!(claims(&first.access_token)["iss"], claims(&second.access_token)["iss"]);
}

#[tokio::test]
async fn a_registered_user_logs_in_and_wrong_and_unknown_are_told_alike() {
    let world = world().await;
    world.register("a@x", "secret1").await.unwrap();
    let first = world.login("a@x", "secret1").await.unwrap();
    let second = world.login("a@x", "secret1").await.unwrap();
    assert_eq!(first.user_id, second.user_id);
    assert_eq!(claims(&first.refresh_token)["exp"], json!(START + 60 * 86_400));
    let actor = world.sessions.authenticate(&first.access_token).await.unwrap();
    assert_eq!(world.auth.profile(&actor).unwrap().data, doc! { "email": "a@x" });
    let long = "x".repeat(1_000_000);
    for (email, password) in
        [("a@x", "secret2"), ("b@x", "secret1"), ("A@x", "secret1"), ("a@x", long.as_str())]
    {
        let told = outcome(world.login(email, password).await);
        assert_eq!(told, (ErrorKind::InvalidPassword, "unauthorized".to_owned()), "{email}");
    }
    let taken = outcome(world.register("a@x", "another").await);
    assert_eq!(taken, (ErrorKind::AccountNameInUse, "name already in use".to_owned()));
    assert!(world.login("a@x", "another").await.is_err());
}

#[tokio::test]
async fn passwords_outside_6_to_128_characters_are_not_registered() {
    let world = world().await;
    let text = "password must be between 6 and 128 characters".to_owned();
    for password in ["", "12345", &"x".repeat(129)] {
        let told = outcome(world.register("a@x", password).await);
        assert_eq!(told, (ErrorKind::InvalidParameter, text.clone()));
    }
    world.register("a@x", &"\u{e9}".repeat(128)).await.unwrap();
    world.register("b@x", "123456").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_first_log_ins_make_one_user_and_parallel_registrations_one_account() {
    let world = Arc::new(world().await);
    let registrations = (0..20).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.register("a@x", "secret1").await.is_ok() })
    });
    let mut registered = 0;
    for registration in registrations.collect::<Vec<_>>() {
        registered += usize::from(registration.await.unwrap());
    }
    assert_eq!(registered, 1);
    let logins = (0..20).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.login("a@x", "secret1").await.unwrap().user_id })
    });
    let mut users = std::collections::BTreeSet::new();
    for login in logins.collect::<Vec<_>>() {
        users.insert(login.await.unwrap());
    }
    assert_eq!(users.len(), 1);
    assert_eq!(world.store.list_users(&world.app, None, 100).await.unwrap().len(), 1);
}

#[tokio::test]
async fn log_out_ends_both_tokens_at_once_and_a_second_one_has_the_clients_wording() {
    let world = world().await;
    let (tokens, other) = (world.anonymous().await, world.anonymous().await);
    world.sessions.logout(&tokens.refresh_token).await.unwrap();
    world.assert_dead(&tokens).await;
    let again = world.sessions.logout(&tokens.refresh_token).await;
    assert_refused(again, "invalid session: failed to find refresh token");
    assert!(world.sessions.authenticate(&other.access_token).await.is_ok());
}

#[tokio::test]
async fn tokens_end_exactly_at_their_expiry() {
    let world = world().await;
    world.register("a@x", "secret1").await.unwrap();
    let tokens = world.login("a@x", "secret1").await.unwrap();
    world.clock.advance(Duration::from_secs(1799));
    assert!(world.sessions.authenticate(&tokens.access_token).await.is_ok());
    world.clock.advance(Duration::from_secs(1));
    let expired = world.sessions.authenticate(&tokens.access_token).await;
    assert_refused(expired, "invalid session: access token expired");
    let fresh = world.sessions.refresh(&tokens.refresh_token).await.unwrap();
    assert!(world.sessions.authenticate(&fresh).await.is_ok());
    world.clock.advance(Duration::from_secs(60 * 86_400 - 1800 - 1));
    let last = world.sessions.refresh(&tokens.refresh_token).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    assert_refused(world.sessions.authenticate(&last).await, "invalid session");
    let dead = "invalid session: failed to find refresh token";
    assert_refused(world.sessions.refresh(&tokens.refresh_token).await, dead);
    assert_refused(world.sessions.logout(&tokens.refresh_token).await, dead);
}

#[tokio::test]
async fn a_token_of_another_class_app_or_maker_is_an_invalid_session() {
    let secret = SigningKeyRecord {
        id: "host-1".to_owned(),
        algorithm: KeyAlgorithm::Hs256,
        secret: vec![5; 32],
        created_at: backstitch::env::SystemClock.now(),
    };
    let keys = KeySource::Host(vec![secret]);
    let store = Arc::new(MemoryStore::new());
    let here = Setup { store: Arc::clone(&store), keys: keys.clone(), ..Setup::default() }.world().await;
    let there = Setup { app: "other-abcde", domain: 2, store, keys, ..Setup::default() }.world().await;
    let stranger = Setup { seed: 99, ..Setup::default() }.world().await;
    let tokens = here.anonymous().await;
    let foreign = stranger.anonymous().await;
    for token in ["", "a.b.c", &tokens.refresh_token, &foreign.access_token] {
        assert_refused(here.sessions.authenticate(token).await, "invalid session");
    }
    for token in ["", "a.b.c", &tokens.access_token, &foreign.refresh_token] {
        assert_refused(here.sessions.refresh(token).await, "invalid session");
        assert_refused(here.sessions.logout(token).await, "invalid session");
    }
    assert_refused(there.sessions.authenticate(&tokens.access_token).await, "invalid session");
    assert_refused(there.sessions.refresh(&tokens.refresh_token).await, "invalid session");
    assert!(here.sessions.authenticate(&tokens.access_token).await.is_ok());
}

#[tokio::test]
async fn another_machines_clock_may_be_five_seconds_ahead() {
    let store = Arc::new(MemoryStore::new());
    let here = Setup { store: Arc::clone(&store), ..Setup::default() }.world().await;
    for (ahead, accepted) in [(5, true), (6, false)] {
        let there = Setup {
            seed: 50 + ahead,
            start: START + ahead as i64,
            store: Arc::clone(&store),
            ..Setup::default()
        };
        let tokens = there.world().await.anonymous().await;
        assert_eq!(here.sessions.authenticate(&tokens.access_token).await.is_ok(), accepted, "{ahead}");
        assert_eq!(here.sessions.refresh(&tokens.refresh_token).await.is_ok(), accepted, "{ahead}");
    }
}

#[tokio::test]
async fn revoke_all_disable_and_delete_end_every_session() {
    let world = world().await;
    world.register("a@x", "secret1").await.unwrap();
    let sessions =
        [world.login("a@x", "secret1").await.unwrap(), world.login("a@x", "secret1").await.unwrap()];
    let id = world.user_of(&sessions[0].access_token).await;
    world.sessions.revoke_all(id).await.unwrap();
    for tokens in &sessions {
        world.assert_dead(tokens).await;
    }
    let tokens = world.login("a@x", "secret1").await.unwrap();
    assert!(world.sessions.authenticate(&tokens.access_token).await.is_ok());

    let mut user = world.store.user(&world.app, id).await.unwrap().unwrap();
    let enabled = user.clone();
    user.disabled = true;
    world.store.replace_user(&world.app, &user, &enabled).await.unwrap();
    world.assert_dead(&tokens).await;
    assert_eq!(outcome(world.login("a@x", "secret1").await).0, ErrorKind::UserDisabled);
    assert_eq!(outcome(world.login("a@x", "secret2").await).0, ErrorKind::InvalidPassword);

    world.store.replace_user(&world.app, &enabled, &user).await.unwrap();
    let tokens = world.login("a@x", "secret1").await.unwrap();
    assert!(world.store.delete_user(&world.app, id).await.unwrap());
    world.assert_dead(&tokens).await;
    assert_eq!(outcome(world.sessions.revoke_all(id).await).0, ErrorKind::UserNotFound);
}

#[tokio::test]
async fn a_session_of_an_older_epoch_is_dead_even_when_its_row_is_there() {
    let world = world().await;
    let tokens = world.anonymous().await;
    let id = world.user_of(&tokens.access_token).await;
    let found = world.store.user(&world.app, id).await.unwrap().unwrap();
    let mut user = found.clone();
    user.epoch += 1;
    world.store.replace_user(&world.app, &user, &found).await.unwrap();
    world.assert_dead(&tokens).await;
}

#[tokio::test]
async fn custom_user_data_ride_in_the_token_and_are_read_again_at_every_refresh() {
    let world = Setup { custom: true, ..Setup::default() }.world().await;
    let tokens = world.anonymous().await;
    assert_eq!(claims(&tokens.access_token)["user_data"], json!({}));
    let id = world.user_of(&tokens.access_token).await;
    world.insert(&[doc! { "_id": 1, "owner": id.object_id(), "by": "object id" }]).await;
    let access = world.sessions.refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!(claims(&access)["user_data"]["by"], json!("object id"));
    world
        .insert(&[
            doc! { "_id": 2, "owner": id.to_hex(), "by": "first string", "level": 3 },
            doc! { "_id": 3, "owner": id.to_hex(), "by": "second string" },
        ])
        .await;
    let access = world.sessions.refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!(claims(&access)["user_data"]["level"], json!(3));
    let actor = world.sessions.authenticate(&access).await.unwrap();
    let data = actor.acting_user().unwrap().custom_data.clone().unwrap();
    assert_eq!(data, doc! { "_id": 2, "owner": id.to_hex(), "by": "first string", "level": 3 });
}

#[tokio::test]
async fn custom_user_data_beyond_the_limit_are_refused_by_name() {
    let world = Setup { custom: true, ..Setup::default() }.world().await;
    let tokens = world.anonymous().await;
    let id = world.user_of(&tokens.access_token).await;
    world.insert(&[doc! { "_id": 1, "owner": id.to_hex(), "text": "x".repeat(16 * 1024) }]).await;
    let told = outcome(world.sessions.refresh(&tokens.refresh_token).await);
    assert_eq!(told, (ErrorKind::AuthError, "custom user data exceed 16384 bytes".to_owned()));
}

#[tokio::test]
async fn a_cheaper_hash_is_upgraded_at_the_next_log_in() {
    let store = Arc::new(MemoryStore::new());
    let old = Setup { store: Arc::clone(&store), ..Setup::default() }.world().await;
    old.register("a@x", "secret1").await.unwrap();
    let dearer = PasswordCost { passes: 2, ..CHEAP };
    let new = Setup { cost: dearer, seed: 2, store: Arc::clone(&store), ..Setup::default() }.world().await;
    let hash = async || store.registration(&new.app, "a@x").await.unwrap().unwrap().password_hash;
    assert!(new.login("a@x", "secret2").await.is_err());
    assert!(hash().await.expose().contains("t=1"));
    new.login("a@x", "secret1").await.unwrap();
    assert!(hash().await.expose().contains("t=2"));
    new.login("a@x", "secret1").await.unwrap();
}

#[tokio::test]
async fn a_pending_user_is_told_so_only_with_the_right_password() {
    let world = world().await;
    world.register("done@x", "secret1").await.unwrap();
    let done = world.store.registration(&world.app, "done@x").await.unwrap().unwrap();
    let pending = Registration {
        email: "pending@x".to_owned(),
        identity_id: "other".to_owned(),
        confirmed: false,
        ..done
    };
    world.store.insert_registration(&world.app, &pending).await.unwrap();
    let told = outcome(world.login("pending@x", "secret1").await);
    assert_eq!(told, (ErrorKind::AuthError, "confirmation required".to_owned()));
    assert_eq!(outcome(world.login("pending@x", "secret2").await).0, ErrorKind::InvalidPassword);
    assert!(world.store.list_users(&world.app, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn where_confirmation_is_not_to_be_had_nobody_is_registered() {
    let modes = [
        Confirmation::Email { url: "https://x".to_owned(), subject: None },
        Confirmation::Function { name: "confirm".to_owned() },
    ];
    for confirmation in modes {
        let world = Setup { confirmation, ..Setup::default() }.world().await;
        let (kind, text) = outcome(world.register("a@x", "secret1").await);
        let expected = [ErrorKind::Unavailable, ErrorKind::FunctionNotFound];
        assert!(expected.contains(&kind), "{kind:?} {text}");
        assert_eq!(world.store.registration(&world.app, "a@x").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_missing_or_disabled_provider_is_not_found() {
    let world = world().await;
    let nothing = Credential::new(doc! {});
    let told = world.auth.login("api-key", &nothing, &DeviceInfo::default()).await;
    assert_eq!(outcome(told).0, ErrorKind::AuthProviderNotFound);
    let world = Setup { disabled: true, ..Setup::default() }.world().await;
    for provider in ["anon-user", "local-userpass"] {
        let told = world.auth.login(provider, &nothing, &DeviceInfo::default()).await;
        assert_eq!(outcome(told).0, ErrorKind::AuthProviderNotFound);
    }
    assert_eq!(outcome(world.register("a@x", "secret1").await).0, ErrorKind::AuthProviderNotFound);
}

#[tokio::test]
async fn machines_that_start_together_share_one_key_and_learn_of_a_rotation() {
    let store = Arc::new(MemoryStore::new());
    let one = Setup { store: Arc::clone(&store), ..Setup::default() };
    let two = Setup { seed: 2, store: Arc::clone(&store), ..Setup::default() };
    let (one, two) = tokio::join!(one.world(), two.world());
    assert_eq!(store.signing_keys(&one.app).await.unwrap().len(), 1);
    let tokens = one.anonymous().await;
    assert!(two.sessions.authenticate(&tokens.access_token).await.is_ok());

    let newer = SigningKeyRecord {
        id: "rotated".to_owned(),
        algorithm: KeyAlgorithm::Hs256,
        secret: vec![6; 32],
        created_at: one.clock.now() + Duration::from_secs(1),
    };
    assert!(store.insert_signing_key(&one.app, &newer, 1).await.unwrap());
    let third = Setup { seed: 3, store: Arc::clone(&store), ..Setup::default() }.world().await;
    let rotated = third.anonymous().await;
    assert!(one.sessions.authenticate(&rotated.access_token).await.is_ok());
    assert!(one.sessions.authenticate(&tokens.access_token).await.is_ok());
}
