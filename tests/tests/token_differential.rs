//! Custom tokens against an oracle: `jsonwebtoken`, strictly set up and with another maker's cryptography.
//!
//! 1. What we accept, the oracle accepts, and both read the same claims.
//! 2. What the oracle makes of good claims, we accept.
//! 3. Where the oracle accepts and we refuse, it is for one of the reasons in [`stricter`], which are meant.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use backstitch::app::AppConfig;
use backstitch::auth::config::{
    Audience, CustomTokenConfig, MetadataField, ProviderKind, TokenAlgorithm, TokenKeySource,
};
use backstitch::engine::Engine;
use backstitch::env::Env;
use backstitch::env::test::{InlineExecutor, ManualClock};
use backstitch::id::AppId;
use backstitch::secret::Secret;
use backstitch_storage_memory::MemoryStore;
use backstitch_tests::{Client, Signer};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

const APP: &str = "shop-abcde";
const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const HOUR: i64 = 3600;

/// Two readers of the tokens of one key.
struct Readers {
    signer: Signer,
    engine: Engine,
    key: DecodingKey,
    validation: Validation,
    /// Held from a log-in to the look at its user, whose data the next log-in changes.
    turn: tokio::sync::Mutex<()>,
}

impl Readers {
    async fn new(signer: Signer, now: i64) -> Self {
        let (algorithm, oracle) = match signer {
            Signer::Hs256(_) => (TokenAlgorithm::Hs256, Algorithm::HS256),
            Signer::Rs256 => (TokenAlgorithm::Rs256, Algorithm::RS256),
            Signer::Es256 => (TokenAlgorithm::Es256, Algorithm::ES256),
            Signer::EdDsa => (TokenAlgorithm::EdDsa, Algorithm::EdDSA),
        };
        let configured = signer.configured();
        let key = match signer {
            Signer::Hs256(_) => DecodingKey::from_secret(SECRET),
            Signer::Rs256 => DecodingKey::from_rsa_pem(configured.as_bytes()).unwrap(),
            Signer::Es256 => DecodingKey::from_ec_pem(configured.as_bytes()).unwrap(),
            Signer::EdDsa => DecodingKey::from_ed_pem(configured.as_bytes()).unwrap(),
        };
        let keys = TokenKeySource::Keys { algorithm, keys: vec![Secret::new(configured)] };
        let engine = engine(keys, now).await;
        let mut validation = Validation::new(oracle);
        validation.leeway = 5;
        validation.validate_nbf = true;
        validation.set_audience(&[APP]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        Self { signer, engine, key, validation, turn: tokio::sync::Mutex::new(()) }
    }

    /// What the engine reads: the subject, and the claims that it copies.
    async fn ours(&self, token: &str) -> Option<Value> {
        let _turn = self.turn.lock().await;
        let client = Client::new(&self.engine, APP);
        let path = "/app/{app}/auth/providers/custom-token/login";
        let reply = client.send("POST", path, None, Some(json!({ "token": token }))).await;
        if reply.status != 200 {
            let refusal = json!({ "error": "invalid custom auth token", "error_code": "AuthError" });
            assert_eq!((reply.status, reply.json()), (401, refusal));
            return None;
        }
        let access = reply.json()["access_token"].as_str().unwrap().to_owned();
        let profile = client.send("GET", "/auth/profile", Some(&access), None).await.json();
        let identity = &profile["identities"][0];
        Some(json!({ "sub": identity["id"], "data": identity["provider_data"] }))
    }

    /// All claims, as the oracle reads them.
    fn oracle(&self, token: &str) -> Option<Map<String, Value>> {
        jsonwebtoken::decode(token, &self.key, &self.validation).ok().map(|data| data.claims)
    }

    /// Shows a token to both; says whether we accept it.
    async fn compare(&self, token: &str) -> bool {
        let (ours, oracle) = (self.ours(token).await, self.oracle(token));
        match (&ours, &oracle) {
            (Some(ours), Some(claims)) => {
                let data: Map<String, Value> = COPIED
                    .iter()
                    .filter_map(|name| {
                        Some(((*name).to_owned(), claims.get(*name).filter(|v| !v.is_null())?.clone()))
                    })
                    .collect();
                assert_eq!(*ours, json!({ "sub": claims["sub"], "data": data }), "{token}");
            }
            (Some(_), None) => panic!("we accept what the oracle refuses: {}", shown(token)),
            (None, Some(claims)) => {
                assert!(stricter(token, claims).is_some(), "refused, and nobody knows why: {}", shown(token));
            }
            (None, None) => {}
        }
        ours.is_some()
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Readers({})", self.signer.alg())
    }
}

/// The claims that become data of the user.
const COPIED: [&str; 3] = ["name", "level", "tags"];

async fn engine(keys: TokenKeySource, now: i64) -> Engine {
    let field = |name: &&str| MetadataField {
        path: vec![(*name).to_owned()],
        field_name: (*name).to_owned(),
        required: false,
    };
    let metadata = COPIED.iter().map(field).collect();
    let tokens = CustomTokenConfig { keys, audience: Audience::default(), metadata };
    let env =
        Env { clock: Arc::new(ManualClock::at(now)), executor: Arc::new(InlineExecutor), ..Env::system() };
    Engine::builder()
        .store(Arc::new(MemoryStore::new()))
        .env(env)
        .public_url("https://api.shop.example")
        .app(AppConfig::new("shop").with_id(AppId::new(APP)).provider(ProviderKind::CustomToken(tokens)))
        .build()
        .await
        .unwrap()
}

/// Why we refuse a token that the oracle accepts; each is meant.
fn stricter(token: &str, claims: &Map<String, Value>) -> Option<&'static str> {
    let segments: Vec<Vec<u8>> =
        token.split('.').map(|segment| URL_SAFE_NO_PAD.decode(segment).unwrap_or_default()).collect();
    let header: Map<String, Value> = serde_json::from_slice(&segments[0]).unwrap();
    let refused =
        ["crit", "b64", "zip", "jwk", "jku", "x5u", "x5c", "cty", "enc", "epk", "apu", "apv", "p2s", "p2c"];
    if refused.iter().any(|name| header.contains_key(*name)) {
        return Some("a header parameter that would change how a token is read, though it is ignored");
    }
    let typ = header.get("typ").map(|typ| typ.as_str().unwrap_or_default().to_ascii_lowercase());
    let typ = typ.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
    if typ.is_some_and(|typ| typ != "jwt" && typ != "at+jwt") {
        return Some("another kind of token (`typ`)");
    }
    match header.get("kid") {
        None => {}
        Some(Value::String(kid)) if kid.len() <= 256 && !kid.contains(char::is_control) => {}
        Some(_) => return Some("a `kid` that is no name"),
    }
    for name in ["exp", "nbf", "iat"] {
        match claims.get(name) {
            None => {}
            Some(date)
                if date.as_f64().is_some_and(|date| date.fract() == 0.0 && (0.0..9.0e15).contains(&date)) => {
            }
            Some(_) => {
                return Some("a date that is no whole number of seconds (the oracle rounds, or skips null)");
            }
        }
    }
    let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap();
    if claims.get("iat").and_then(Value::as_f64).is_some_and(|iat| iat > (now + HOUR / 2) as f64) {
        return Some("a token from the future (the oracle does not look at `iat`)");
    }
    if !matches!(claims.get("iss"), None | Some(Value::String(_))) {
        return Some("an `iss` that is no string");
    }
    if claims["sub"].as_str().is_some_and(|sub| !(1..=1024).contains(&sub.len())) {
        return Some("a subject that is empty or over 1024 bytes");
    }
    if has_doubles(&segments[0]) || has_doubles(&segments[1]) {
        return Some("a member that comes twice");
    }
    None
}

/// Whether less is read than stands there: of a member that comes twice, one is dropped.
fn has_doubles(json: &[u8]) -> bool {
    let colons = |json: &[u8]| json.iter().filter(|byte| **byte == b':').count();
    let read: Value = serde_json::from_slice(json).unwrap();
    colons(json) > colons(read.to_string().as_bytes())
}

/// Header and claims in clear.
fn shown(token: &str) -> String {
    let part = |segment: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(segment).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let parts: Vec<String> = token.split('.').take(2).map(part).collect();
    format!("{} ({token})", parts.join(" . "))
}

struct World {
    runtime: Runtime,
    readers: Vec<Readers>,
    now: i64,
}

/// One world for all cases: building an engine takes longer than a case.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        // The oracle's clock cannot be set, so ours stands at its time, and nothing here is closer than half an
        // hour to a boundary; those are attacks 29 to 32.
        let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap();
        let signers = [Signer::Hs256(SECRET.to_vec()), Signer::Rs256, Signer::Es256, Signer::EdDsa];
        let readers = signers.map(|signer| runtime.block_on(Readers::new(signer, now))).into();
        World { runtime, readers, now }
    })
}

fn any_of(values: impl IntoIterator<Item = Value>) -> impl Strategy<Value = Option<Value>> + Clone {
    let values: Vec<Option<Value>> = std::iter::once(None).chain(values.into_iter().map(Some)).collect();
    prop::sample::select(values)
}

fn dates() -> Vec<Value> {
    let now = world().now;
    vec![
        json!(now + HOUR),
        json!(now - HOUR),
        json!(0),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!((now + HOUR) as f64),
        json!((now + HOUR) as f64 + 0.5),
        json!((now - HOUR) as f64 + 0.5),
        json!((now + HOUR).to_string()),
        json!(null),
        json!(true),
        json!([now + HOUR]),
    ]
}

/// Mostly this, and otherwise one of the others or nothing.
fn mostly(good: Option<Value>, others: Vec<Value>) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![8 => Just(good), 1 => any_of(others)]
}

/// Headers of which about half are good; the algorithm `right` is the key's.
fn headers() -> impl Strategy<Value = Map<String, Value>> {
    let texts = |texts: &[&str]| texts.iter().copied().map(Value::from).collect();
    let typ = mostly(
        Some(json!("JWT")),
        texts(&["jwt", "at+jwt", "application/jwt", "JOSE", "refresh+jwt", "JWT ", ""]),
    );
    let long = "k".repeat(300);
    let kid = mostly(
        Some(json!("k")),
        vec![json!("../k"), json!("k\n"), json!(1), json!(null), json!({}), json!(long)],
    );
    let alg = mostly(
        Some(json!("right")),
        texts(&["HS256", "RS256", "ES256", "EdDSA", "none", "HS512", "PS256", "ES384", "hs256"]),
    );
    let extra = vec![
        json!({ "crit": ["exp"] }),
        json!({ "crit": [] }),
        json!({ "b64": false }),
        json!({ "zip": "DEF" }),
        json!({ "cty": "JWT" }),
        json!({ "jku": "https://evil.example/" }),
        json!({ "x5c": ["AA"] }),
        json!({ "x5t": "AA" }),
        json!({ "x": { "y": [1] } }),
    ];
    (typ, kid, alg, mostly(None, extra)).prop_map(|(typ, kid, alg, extra)| {
        let mut header: Map<String, Value> = [("alg", alg), ("typ", typ), ("kid", kid)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
        header.extend(extra.and_then(|extra| extra.as_object().cloned()).unwrap_or_default());
        header
    })
}

/// Claims of which about half are good.
fn all_claims() -> impl Strategy<Value = Map<String, Value>> {
    let aud = vec![
        json!([APP]),
        json!([APP, "other"]),
        json!([]),
        json!("other"),
        json!(["other"]),
        json!(5),
        json!(null),
        json!([APP, 5]),
        json!("SHOP-ABCDE"),
    ];
    let long = "u".repeat(1025);
    let sub = [json!(""), json!(5), json!(null), json!(["u"]), json!(long), json!("u\0\u{e9}\u{1f600}")];
    let iss = vec![json!("https://issuer.example"), json!(["a"]), json!(5), json!(null)];
    let data = [
        json!("Ada"),
        json!(5),
        json!(1.5),
        json!(["a", 1]),
        json!({ "$oid": "x", "a.b": null }),
        json!(null),
    ];
    let claims = (
        mostly(Some(json!(world().now + HOUR)), dates()),
        mostly(None, dates()),
        mostly(None, dates()),
        mostly(Some(json!(APP)), aud),
        mostly(Some(json!("u1")), sub.to_vec()),
        mostly(None, iss),
        any_of(data),
    );
    claims.prop_map(|(exp, nbf, iat, aud, sub, iss, name)| {
        let claims = [
            ("exp", exp),
            ("nbf", nbf),
            ("iat", iat),
            ("aud", aud),
            ("sub", sub),
            ("iss", iss),
            ("name", name),
        ];
        claims.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    })
}

/// Runs cases, and wants a share of them accepted and a share refused: otherwise they show nothing.
fn run<S: Strategy>(cases: u32, least: (f64, f64), cases_of: &S, accepts: impl Fn(S::Value) -> bool) {
    let config = proptest::test_runner::Config { cases, failure_persistence: None, ..Default::default() };
    let accepted = AtomicU32::new(0);
    let outcome = TestRunner::new(config).run(cases_of, |case| {
        accepted.fetch_add(u32::from(accepts(case)), Ordering::Relaxed);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let share = f64::from(accepted.into_inner()) / f64::from(cases);
    assert!((least.0..=1.0 - least.1).contains(&share), "{share} of the cases were accepted");
}

fn readers() -> impl Strategy<Value = &'static Readers> {
    (0..world().readers.len()).prop_map(|index| &world().readers[index])
}

fn compare(readers: &Readers, token: &str) -> bool {
    world().runtime.block_on(readers.compare(token))
}

#[test]
fn both_accept_the_same_of_tokens_with_odd_headers_claims_and_keys() {
    let others = prop_oneof![6 => Just(None), 1 => readers().prop_map(Some)];
    let cases = (readers(), others, headers(), all_claims());
    run(2000, (0.1, 0.3), &cases, |(readers, other, mut header, claims)| {
        if header.get("alg").is_some_and(|alg| alg == "right") {
            header.insert("alg".to_owned(), readers.signer.alg().into());
        }
        let signer = &other.unwrap_or(readers).signer;
        compare(readers, &signer.token(Value::from(header).to_string(), Value::from(claims).to_string()))
    });
}

#[test]
fn both_accept_the_same_of_json_that_was_changed_and_then_signed() {
    let cases = (readers(), any::<bool>(), edits());
    run(2000, (0.01, 0.3), &cases, |(readers, in_header, edits)| {
        let (mut header, mut claims) = good(readers);
        let changed = if in_header { &mut header } else { &mut claims };
        edits.iter().for_each(|edit| edit.apply(changed));
        compare(readers, &readers.signer.token(header, claims))
    });
}

#[test]
fn neither_accepts_a_token_that_was_changed_after_it_was_signed() {
    let cases = (readers(), edits());
    run(2000, (0.0, 1.0), &cases, |(readers, edits)| {
        let (header, claims) = good(readers);
        let signed = readers.signer.token(header, claims);
        let mut token = signed.clone().into_bytes();
        edits.iter().for_each(|edit| edit.apply(&mut token));
        let Ok(token) = String::from_utf8(token) else { return false };
        let accepted = compare(readers, &token);
        assert!(!accepted || token == signed, "{token}");
        accepted && token != signed
    });
}

#[test]
fn what_the_oracle_makes_of_good_claims_is_accepted() {
    let now = world().now;
    let past = proptest::option::of(0..now - HOUR);
    let text = "[ -~\u{a0}-\u{2ff}\u{1f600}]{1,40}";
    let audience = prop::sample::select(vec![json!(APP), json!([APP]), json!(["other", APP])]);
    let names = (text, proptest::option::of(text), any::<i32>(), proptest::collection::vec(text, 0..4));
    let cases = (
        readers(),
        proptest::option::of("[a-zA-Z0-9/+=_.:-]{1,64}"),
        audience,
        names,
        past.clone(),
        past,
        HOUR..300_000_000,
    );
    run(1000, (1.0, 0.0), &cases, |(readers, kid, aud, (sub, name, level, tags), iat, nbf, lasts)| {
        let mut header = Header::new(readers.validation.algorithms[0]);
        header.kid = kid;
        let mut claims = json!({ "sub": sub, "aud": aud, "exp": now + lasts, "level": level, "tags": tags });
        for (claim, value) in
            [("name", name.map(Value::from)), ("iat", iat.map(Value::from)), ("nbf", nbf.map(Value::from))]
        {
            if let Some(value) = value {
                claims[claim] = value;
            }
        }
        compare(readers, &jsonwebtoken::encode(&header, &claims, &encoding_key(&readers.signer)).unwrap())
    });
}

/// Header and claims that both accept, as JSON.
fn good(readers: &Readers) -> (Vec<u8>, Vec<u8>) {
    let header = json!({ "alg": readers.signer.alg(), "typ": "JWT", "kid": "k" });
    let exp = world().now + HOUR;
    let claims =
        json!({ "aud": APP, "exp": exp, "nbf": 5, "name": "Ada \u{e9}", "sub": "u1", "tags": ["a", 1] });
    (header.to_string().into_bytes(), claims.to_string().into_bytes())
}

fn encoding_key(signer: &Signer) -> EncodingKey {
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(signer.private())
    );
    match signer {
        Signer::Hs256(secret) => EncodingKey::from_secret(secret),
        Signer::Rs256 => EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
        Signer::Es256 => EncodingKey::from_ec_pem(pem.as_bytes()).unwrap(),
        Signer::EdDsa => EncodingKey::from_ed_pem(pem.as_bytes()).unwrap(),
    }
}

/// A change of bytes somewhere.
#[derive(Clone, Debug)]
enum Edit {
    Put(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Swap(Index, Index),
    Repeat(Index, Index),
    Cut(Index),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let index = any::<Index>;
    // Bytes that mean something in JSON and in tokens, more often than others.
    let byte =
        || prop_oneof![3 => prop::sample::select(&b"\"\\{}[]:,.-_=+/0159eEnuAa \n"[..]), 1 => any::<u8>()];
    let edit = prop_oneof![
        4 => (index(), byte()).prop_map(|(at, byte)| Edit::Put(at, byte)),
        4 => (index(), byte()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        4 => index().prop_map(Edit::Remove),
        2 => (index(), index()).prop_map(|(a, b)| Edit::Swap(a, b)),
        2 => (index(), index()).prop_map(|(a, b)| Edit::Repeat(a, b)),
        1 => index().prop_map(Edit::Cut),
    ];
    proptest::collection::vec(edit, 1..4)
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        if length == 0 {
            return;
        }
        match self {
            Self::Put(at, byte) => bytes[at.index(length)] = *byte,
            Self::Insert(at, byte) => bytes.insert(at.index(length), *byte),
            Self::Remove(at) => drop(bytes.remove(at.index(length))),
            Self::Swap(a, b) => bytes.swap(a.index(length), b.index(length)),
            Self::Repeat(a, b) => {
                let (a, b) = (a.index(length), b.index(length));
                let part = bytes[a.min(b)..a.max(b)].to_vec();
                bytes.splice(a.max(b)..a.max(b), part);
            }
            Self::Cut(at) => bytes.truncate(at.index(length)),
        }
    }
}
