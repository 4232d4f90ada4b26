//! Rotating, publishing and retiring signing keys, by story, on the memory store with steered time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use backstitch::bson::Document;
use backstitch::bson::oid::ObjectId;
use backstitch::env::test::{InlineExecutor, ManualClock, SeededRandom};
use backstitch::env::{Clock, Env};
use backstitch::id::{AppId, DomainId, UserId};
use backstitch::limits::Limits;
use backstitch::session::{
    KeySource, NoCustomData, Opening, SessionLifetime, SessionSettings, Sessions, Tokens,
};
use backstitch::store::{Identity, KeyAlgorithm, KeyStore, SigningKeyRecord, User, UserKind, UserStore};
use backstitch_storage_memory::MemoryStore;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

struct Machine {
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    sessions: Sessions,
}

impl Machine {
    async fn start(store: &Arc<MemoryStore>, seed: u64, source: KeySource) -> Self {
        let clock = Arc::new(ManualClock::at(1_800_000_000));
        let env = Env {
            clock: Arc::clone(&clock) as _,
            random: Arc::new(SeededRandom::new(seed)),
            executor: Arc::new(InlineExecutor),
            ..Env::system()
        };
        let settings = SessionSettings {
            app: app(),
            domain: DomainId::new(ObjectId::from_bytes([1; 12])),
            store: Arc::clone(store) as _,
            env,
            limits: Limits::default(),
            refresh_lifetime: Duration::from_secs(2 * DAY),
            custom_data: Arc::new(NoCustomData),
        };
        let sessions = Sessions::start(settings, source).await.unwrap();
        Self { clock, store: Arc::clone(store), sessions }
    }

    async fn log_in(&self) -> Tokens {
        let identity = Identity {
            provider: "anon-user".to_owned(),
            provider_id: ObjectId::from_bytes([8; 12]),
            id: "i".to_owned(),
            data: Document::new(),
        };
        let user = User {
            id: UserId::new(ObjectId::from_bytes([3; 12])),
            kind: UserKind::Normal,
            disabled: false,
            epoch: 0,
            identities: vec![identity.clone()],
            created_at: self.clock.now(),
            last_login_at: self.clock.now(),
        };
        // The second log-in finds its user there.
        let _ = self.store.insert_user(&app(), &user).await;
        let opening = Opening {
            identity: &identity,
            device: None,
            client: &Document::new(),
            lifetime: SessionLifetime::Configured,
            epoch: 0,
        };
        self.sessions.open(&user, opening).await.unwrap()
    }

    async fn keys(&self) -> usize {
        self.store.signing_keys(&app()).await.unwrap().len()
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn app() -> AppId {
    AppId::new("shop-abcde")
}

fn header(token: &str) -> jsonwebtoken::Header {
    jsonwebtoken::decode_header(token).unwrap()
}

#[tokio::test]
async fn after_a_rotation_new_tokens_have_the_new_algorithm_and_old_ones_still_hold() {
    let store = Arc::new(MemoryStore::new());
    let machine = Machine::start(&store, 1, KeySource::Store).await;
    let mut earlier = vec![machine.log_in().await];
    assert_eq!(machine.sessions.jwks(), serde_json::json!({"keys": []}), "a shared secret is not published");
    for (algorithm, alg) in [
        (KeyAlgorithm::Es256, jsonwebtoken::Algorithm::ES256),
        (KeyAlgorithm::EdDsa, jsonwebtoken::Algorithm::EdDSA),
        (KeyAlgorithm::Hs256, jsonwebtoken::Algorithm::HS256),
    ] {
        assert!(machine.sessions.rotate_keys(algorithm).await.unwrap());
        let tokens = machine.log_in().await;
        assert_eq!(header(&tokens.access_token).alg, alg);
        assert_eq!(header(&tokens.refresh_token).alg, jsonwebtoken::Algorithm::HS256);
        earlier.push(tokens);
        for tokens in &earlier {
            assert!(machine.sessions.authenticate(&tokens.access_token).await.is_ok());
            let fresh = machine.sessions.refresh(&tokens.refresh_token).await.unwrap();
            assert_eq!(header(&fresh).alg, alg);
            assert!(machine.sessions.refresh(&tokens.access_token).await.is_err(), "35");
            assert!(machine.sessions.authenticate(&tokens.refresh_token).await.is_err(), "35");
        }
    }
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(machine.sessions.jwks()).unwrap();
    for tokens in &earlier[1..3] {
        assert!(set.find(&header(&tokens.access_token).kid.unwrap()).is_some());
    }
    assert_eq!(set.keys.len(), 2);
    let text = machine.sessions.jwks().to_string();
    assert!(!text.contains("\"d\"") && !text.contains("\"k\""), "{text}");
}

#[tokio::test]
async fn a_machine_that_sees_no_new_token_learns_of_a_rotation_all_the_same() {
    let store = Arc::new(MemoryStore::new());
    let one = Machine::start(&store, 1, KeySource::Store).await;
    let two = Machine::start(&store, 2, KeySource::Store).await;
    assert!(one.sessions.rotate_keys(KeyAlgorithm::EdDsa).await.unwrap());
    assert_eq!(header(&two.log_in().await.access_token).alg, jsonwebtoken::Algorithm::HS256);
    two.wait(600);
    assert_eq!(header(&two.log_in().await.access_token).alg, jsonwebtoken::Algorithm::EdDSA);
}

#[tokio::test]
async fn a_key_retires_when_it_is_superseded_and_its_last_session_has_ended() {
    let store = Arc::new(MemoryStore::new());
    let machine = Machine::start(&store, 1, KeySource::Store).await;
    let old = machine.log_in().await;
    machine.wait(HOUR);
    assert!(machine.sessions.rotate_keys(KeyAlgorithm::Es256).await.unwrap());
    for (wait, retired) in [(0, 0), (HOUR, 0), (DAY, 0), (DAY - 2 * HOUR, 0), (1, 1), (DAY, 0)] {
        machine.wait(wait);
        assert_eq!(machine.sessions.retire_keys(machine.clock.now()).await.unwrap(), retired, "{wait}");
    }
    assert_eq!(machine.keys().await, 1, "the newest stays, however old");
    assert!(machine.sessions.refresh(&old.refresh_token).await.is_err());
    let fresh = machine.log_in().await;
    assert!(machine.sessions.authenticate(&fresh.access_token).await.is_ok());
}

#[tokio::test]
async fn without_sessions_a_superseded_key_stays_for_an_hour() {
    let store = Arc::new(MemoryStore::new());
    let machine = Machine::start(&store, 1, KeySource::Store).await;
    assert!(machine.sessions.rotate_keys(KeyAlgorithm::Hs256).await.unwrap());
    machine.wait(HOUR);
    assert_eq!(machine.sessions.retire_keys(machine.clock.now()).await.unwrap(), 0);
    machine.wait(1);
    assert_eq!(machine.sessions.retire_keys(machine.clock.now()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_host_that_keeps_its_keys_rotates_them_itself() {
    let record = |algorithm, secret: &[u8]| SigningKeyRecord {
        id: "host-1".to_owned(),
        algorithm,
        secret: secret.to_vec(),
        created_at: chrono::DateTime::from_timestamp(1, 0).unwrap(),
    };
    let store = Arc::new(MemoryStore::new());
    let source = KeySource::Host(vec![record(KeyAlgorithm::Hs256, &[5; 32])]);
    let machine = Machine::start(&store, 1, source).await;
    assert!(machine.sessions.rotate_keys(KeyAlgorithm::EdDsa).await.is_err());
    assert_eq!(machine.sessions.retire_keys(machine.clock.now()).await.unwrap(), 0);
    assert_eq!(machine.keys().await, 0);
}
