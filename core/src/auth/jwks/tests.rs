use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use http::Response;
use serde_json::json;

use super::*;
use crate::env::HttpClient;
use crate::env::test::{InlineExecutor, ManualClock, SeededRandom};
use crate::jose::kit::Signer;

/// A server whose answer is steered, and that counts its requests.
pub(crate) struct Server {
    pub(crate) answer: Mutex<(u16, String)>,
    pub(crate) requests: AtomicUsize,
}

impl Server {
    pub(crate) fn with_keys(kids: &[&str]) -> Arc<Self> {
        let server = Self { answer: Mutex::default(), requests: AtomicUsize::new(0) };
        server.publish(kids);
        Arc::new(server)
    }

    pub(crate) fn publish(&self, kids: &[&str]) {
        let keys: Vec<_> = kids.iter().map(|kid| Signer::EdDsa.jwk(kid)).collect();
        self.answer(200, &json!({ "keys": keys }).to_string());
    }

    pub(crate) fn answer(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl HttpClient for Server {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        assert_eq!(request.uri(), "https://issuer.example/jwks");
        self.requests.fetch_add(1, Ordering::SeqCst);
        // Others get their turn meanwhile.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        let (status, body) = self.answer.lock().unwrap().clone();
        Ok(Response::builder().status(status).body(Bytes::from(body)).unwrap())
    }
}

/// A world with this server and a clock to move.
pub(crate) struct World {
    pub(crate) app: AppId,
    pub(crate) env: Env,
    pub(crate) egress: Egress,
    pub(crate) limits: Limits,
    clock: Arc<ManualClock>,
}

impl World {
    pub(crate) const NOW: i64 = 1_800_000_000;

    pub(crate) fn new(server: &Arc<Server>) -> Self {
        let clock = Arc::new(ManualClock::at(Self::NOW));
        let env = Env {
            clock: Arc::clone(&clock) as _,
            random: Arc::new(SeededRandom::new(1)),
            executor: Arc::new(InlineExecutor),
            http: Arc::clone(server) as _,
            ..Env::system()
        };
        let (app, egress, limits) = (AppId::new("shop-abcde"), Egress::default(), Limits::default());
        Self { app, env, egress, limits, clock }
    }

    pub(crate) fn outside(&self) -> Outside<'_> {
        let Self { app, env, egress, limits, .. } = self;
        Outside { app, env, egress, limits }
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn jwks() -> Jwks {
    Jwks::new("https://issuer.example/jwks".to_owned())
}

/// Whether the key is found.
async fn finds(jwks: &Jwks, world: &World, kid: &str) -> bool {
    jwks.keys(world.outside(), kid).await.unwrap().named(kid).next().is_some()
}

#[tokio::test]
async fn a_set_is_kept_for_ten_minutes() {
    let server = Server::with_keys(&["a"]);
    let (jwks, world) = (jwks(), World::new(&server));
    for (wait, requests) in [(0, 1), (599, 1), (1, 2), (599, 2)] {
        world.wait(wait);
        assert!(finds(&jwks, &world, "a").await);
        assert_eq!(server.requests(), requests);
    }
}

#[tokio::test]
async fn an_unknown_name_asks_again_once_in_thirty_seconds() {
    let server = Server::with_keys(&["a"]);
    let (jwks, world) = (jwks(), World::new(&server));
    assert!(finds(&jwks, &world, "a").await);
    server.publish(&["a", "b"]);
    assert!(!finds(&jwks, &world, "b").await, "5 within the cool-down");
    world.wait(30);
    assert!(finds(&jwks, &world, "b").await);
    assert_eq!(server.requests(), 2);
    for at in 0..200 {
        assert!(!finds(&jwks, &world, &format!("invented-{at}")).await);
    }
    assert_eq!(server.requests(), 2, "5 a flood of invented names");
    world.wait(30);
    for at in 0..200 {
        assert!(!finds(&jwks, &world, &format!("invented-{at}")).await);
    }
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn many_at_once_share_one_request_and_its_answer() {
    let server = Server::with_keys(&["a"]);
    let (jwks, world) = (Arc::new(jwks()), Arc::new(World::new(&server)));
    for (kid, requests) in [("a", 1), ("b", 2)] {
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (jwks, world) = (Arc::clone(&jwks), Arc::clone(&world));
                tokio::spawn(async move { finds(&jwks, &world, kid).await })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap(), "{kid}");
        }
        assert_eq!(server.requests(), requests);
        server.publish(&["a", "b"]);
        world.wait(30);
    }
}

#[tokio::test]
async fn a_failing_server_leaves_the_last_set_for_a_day() {
    let server = Server::with_keys(&["a"]);
    let (jwks, world) = (jwks(), World::new(&server));
    assert!(finds(&jwks, &world, "a").await);
    let shared = json!({ "keys": [Signer::Hs256.jwk("a")] }).to_string();
    let large = " ".repeat(world.limits.fetched + 1);
    for (status, body) in [(500, "{}"), (404, ""), (301, ""), (200, "<html>"), (200, &shared), (200, &large)]
    {
        world.wait(600);
        server.answer(status, body);
        let before = server.requests();
        assert!(finds(&jwks, &world, "a").await, "{status}");
        assert!(finds(&jwks, &world, "a").await, "{status}");
        assert_eq!(server.requests(), before + 1, "an ailing server is not asked again at once");
    }
    world.wait(24 * 3600);
    let error = jwks.keys(world.outside(), "a").await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Unavailable, Some(30)));
}

#[tokio::test]
async fn without_a_set_a_failure_is_told_and_asked_again_after_the_cool_down() {
    let server = Server::with_keys(&[]);
    let (jwks, world) = (jwks(), World::new(&server));
    server.answer(503, "");
    for requests in [1, 1, 2] {
        assert!(jwks.keys(world.outside(), "a").await.is_err());
        assert_eq!(server.requests(), requests);
        world.wait(15);
    }
    server.publish(&["a"]);
    world.wait(30);
    assert!(finds(&jwks, &world, "a").await);
}

#[tokio::test]
async fn a_client_that_goes_away_neither_blocks_nor_multiplies_requests() {
    let server = Server::with_keys(&["a"]);
    let (jwks, world) = (jwks(), World::new(&server));
    // Polled once and dropped.
    let abandon = |kid: &str| assert!(jwks.keys(world.outside(), kid).now_or_never().is_none());
    abandon("a");
    assert!(finds(&jwks, &world, "a").await, "the first set can still be had");
    assert_eq!(server.requests(), 2);
    world.wait(30);
    abandon("b");
    for _ in 0..20 {
        assert!(!finds(&jwks, &world, "b").await);
    }
    assert_eq!(server.requests(), 3);
}
