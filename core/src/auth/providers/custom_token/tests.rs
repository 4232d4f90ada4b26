use std::sync::Arc;

use bson::doc;
use serde_json::json;

use super::*;
use crate::auth::config::TokenAlgorithm;
use crate::auth::jwks::tests::{Server, World};
use crate::jose::kit::{self, Signer};
use crate::secret::Secret;

const ID: &str = "65a000000000000000000005";

fn config(algorithm: TokenAlgorithm, keys: &[&str]) -> CustomTokenConfig {
    let keys = keys.iter().map(|key| Secret::new(*key)).collect();
    let keys = TokenKeySource::Keys { algorithm, keys };
    CustomTokenConfig { keys, audience: Audience::default(), metadata: Vec::new() }
}

fn hs256() -> CustomTokenConfig {
    config(TokenAlgorithm::Hs256, &[kit::HS_SECRET])
}

fn fetched() -> CustomTokenConfig {
    CustomTokenConfig { keys: TokenKeySource::Jwks { url: "https://issuer.example/jwks".into() }, ..hs256() }
}

fn provider(config: CustomTokenConfig) -> CustomToken {
    CustomToken::new(ObjectId::parse_str(ID).unwrap(), config)
}

fn field(path: &[&str], field_name: &str, required: bool) -> MetadataField {
    let path = path.iter().map(|segment| (*segment).to_owned()).collect();
    MetadataField { path, field_name: field_name.to_owned(), required }
}

fn token(signer: Signer, kid: Option<&str>, changes: &Value) -> String {
    let mut claims = json!({"sub": "u1", "aud": "shop-abcde", "exp": World::NOW + 60});
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let kid = kid.map_or(String::new(), |kid| format!(r#","kid":"{kid}""#));
    signer.token(&format!(r#"{{"alg":"{}","typ":"JWT"{kid}}}"#, signer.alg()), &claims.to_string())
}

fn good() -> String {
    token(Signer::Hs256, None, &json!({}))
}

async fn prove(provider: &CustomToken, world: &World, token: &str) -> Result<Identity> {
    provider.identity(world.outside(), token).await
}

/// Refused with the one text, whatever the reason.
async fn refuses(provider: &CustomToken, world: &World, token: &str, why: &str) {
    let error = prove(provider, world, token).await.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ErrorKind::AuthError, "invalid custom auth token"), "{why}");
    assert!(std::error::Error::source(&error).is_some(), "{why}: the log has a cause");
}

#[tokio::test]
async fn every_configured_algorithm_logs_in_and_any_of_the_keys_may_have_signed() {
    let (server, ed) = (Server::with_keys(&[]), kit::ed25519_pem());
    let world = World::new(&server);
    for (algorithm, key, signer) in [
        (TokenAlgorithm::Hs256, kit::HS_SECRET, Signer::Hs256),
        (TokenAlgorithm::Rs256, kit::RSA_PEM, Signer::Rs256),
        (TokenAlgorithm::Rs256, kit::RSA_PKCS1_PEM, Signer::Rs256),
        (TokenAlgorithm::Es256, kit::P256_PEM, Signer::Es256),
        (TokenAlgorithm::EdDsa, &ed, Signer::EdDsa),
    ] {
        let provider = provider(config(algorithm, &["another-secret-of-more-than-32-bytes!", key]));
        let identity = prove(&provider, &world, &token(signer, Some("any"), &json!({}))).await.unwrap();
        assert_eq!((&*identity.id, &*identity.provider), ("u1", "custom-token"));
        assert_eq!((identity.provider_id.to_hex(), identity.data), (ID.to_owned(), Document::new()));
        for other in Signer::ALL.into_iter().filter(|other| *other != signer) {
            refuses(&provider, &world, &token(other, None, &json!({})), "3/42 another algorithm").await;
        }
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn refusals_are_one_text_and_ask_nobody() {
    let server = Server::with_keys(&["a"]);
    let world = World::new(&server);
    let fixed = provider(hs256());
    let own = crate::jose::SigningKey::hs256("k1", ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[7; 32]));
    let header = |rest: &str| format!(r#"{{"alg":"HS256"{rest}}}"#);
    let claims = json!({"sub": "u1", "aud": "shop-abcde", "exp": World::NOW + 60}).to_string();
    for (why, hostile) in [
        ("1 alg none", Signer::Hs256.token(r#"{"alg":"none"}"#, &claims)),
        ("8 jwk", Signer::Hs256.token(&header(r#","jwk":{"kty":"oct","k":"AA"}"#), &claims)),
        ("9 jku", Signer::Hs256.token(&header(r#","jku":"https://issuer.example/jwks""#), &claims)),
        ("9 x5u", Signer::Hs256.token(&header(r#","x5u":"https://issuer.example/jwks""#), &claims)),
        ("10 x5c", Signer::Hs256.token(&header(r#","x5c":["AA"]"#), &claims)),
        ("11 crit", Signer::Hs256.token(&header(r#","crit":["exp"]"#), &claims)),
        ("23 too long", token(Signer::Hs256, None, &json!({"x": "x".repeat(64 * 1024)}))),
        ("29 expired", token(Signer::Hs256, None, &json!({"exp": World::NOW - 5}))),
        ("30 not yet", token(Signer::Hs256, None, &json!({"nbf": World::NOW + 6}))),
        ("33 another app", token(Signer::Hs256, None, &json!({"aud": "shop-abcdf"}))),
        ("35 a token of ours", own.sign(claims.as_bytes())),
        ("empty", String::new()),
        ("sub empty", token(Signer::Hs256, None, &json!({"sub": ""}))),
    ] {
        refuses(&fixed, &world, &hostile, why).await;
    }
    let signed = good();
    refuses(&fixed, &world, &format!("{}AAAAAAAA", &signed[..signed.len() - 8]), "signature").await;
    assert_eq!(server.requests(), 0, "9 no outbound request");
    assert!(prove(&fixed, &world, &good()).await.is_ok());
}

#[tokio::test]
async fn a_key_set_needs_a_kid_and_hostile_names_cost_no_request() {
    let server = Server::with_keys(&["a"]);
    let (provider, world) = (provider(fetched()), World::new(&server));
    refuses(&provider, &world, &token(Signer::EdDsa, None, &json!({})), "no kid").await;
    let control = Signer::EdDsa.token(r#"{"alg":"EdDSA","kid":"a\u0000"}"#, "{}");
    refuses(&provider, &world, &control, "6 control character").await;
    refuses(&provider, &world, &token(Signer::EdDsa, Some(&"k".repeat(10_000)), &json!({})), "6 long").await;
    assert_eq!(server.requests(), 0);
    assert!(prove(&provider, &world, &token(Signer::EdDsa, Some("a"), &json!({}))).await.is_ok());
    for kid in ["../../a", "a' OR '1'='1", "b"] {
        refuses(&provider, &world, &token(Signer::EdDsa, Some(kid), &json!({})), "5/6 unknown").await;
    }
    assert_eq!(server.requests(), 1);
    refuses(&provider, &world, &token(Signer::Hs256, Some("a"), &json!({})), "3 symmetric").await;
    refuses(&provider, &world, &token(Signer::Rs256, Some("a"), &json!({})), "4 another type").await;
}

#[tokio::test]
async fn of_two_keys_with_one_kid_both_are_tried_within_their_algorithm() {
    let server = Server::with_keys(&[]);
    let (provider, world) = (provider(fetched()), World::new(&server));
    let keys = [Signer::EdDsa, Signer::Rs256, Signer::Es256].map(|signer| signer.jwk("a"));
    server.answer(200, &json!({ "keys": keys }).to_string());
    for signer in [Signer::EdDsa, Signer::Rs256, Signer::Es256] {
        assert!(prove(&provider, &world, &token(signer, Some("a"), &json!({}))).await.is_ok(), "27");
    }
    refuses(&provider, &world, &token(Signer::Hs256, Some("a"), &json!({})), "27/42").await;
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_our_failure_and_not_the_client_s() {
    let server = Server::with_keys(&[]);
    server.answer(500, "");
    let (provider, world) = (provider(fetched()), World::new(&server));
    let error = prove(&provider, &world, &token(Signer::EdDsa, Some("a"), &json!({}))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn without_a_usable_key_nobody_logs_in() {
    let world = World::new(&Server::with_keys(&[]));
    for (why, config) in [
        ("missing secret", config(TokenAlgorithm::Hs256, &[])),
        ("24 empty", config(TokenAlgorithm::Hs256, &[""])),
        ("24 short", config(TokenAlgorithm::Hs256, &["31-bytes-are-one-too-few-for-us"])),
        ("2 public key", config(TokenAlgorithm::Hs256, &[kit::RSA_PEM])),
        ("25 short RSA", config(TokenAlgorithm::Rs256, &[kit::RSA_1024_PEM])),
        ("another type", config(TokenAlgorithm::Rs256, &[kit::P256_PEM])),
    ] {
        refuses(&provider(config), &world, &good(), why).await;
    }
}

#[tokio::test]
async fn the_audience_is_the_app_unless_others_are_named() {
    let world = World::new(&Server::with_keys(&[]));
    let named = |any| {
        let names = vec!["web".to_owned(), "mobile".to_owned()];
        provider(CustomTokenConfig { audience: Audience { names, any }, ..hs256() })
    };
    for (aud, all, any) in [
        (json!(["web", "mobile"]), true, true),
        (json!("web"), false, true),
        (json!("shop-abcde"), false, false),
        (json!(5), false, false),
    ] {
        let token = token(Signer::Hs256, None, &json!({ "aud": aud }));
        assert_eq!(prove(&named(false), &world, &token).await.is_ok(), all, "{aud}");
        assert_eq!(prove(&named(true), &world, &token).await.is_ok(), any, "{aud}");
    }
}

#[tokio::test]
async fn claims_become_plain_data() {
    let world = World::new(&Server::with_keys(&[]));
    let metadata = vec![
        field(&["user", "name"], "name", true),
        field(&["https://a.b/roles"], "roles", false),
        field(&["__proto__"], "__proto__", false),
        field(&["$where"], "$where", false),
        field(&["ref"], "ref", false),
        field(&["big"], "big", false),
        field(&["sub"], "sub", false),
        field(&["fake"], "id", false),
        field(&["null"], "null", false),
        field(&["long"], "long", false),
        field(&["gone"], "gone", false),
        field(&["user", "name"], &"n".repeat(64), true),
    ];
    let provider = provider(CustomTokenConfig { metadata, ..hs256() });
    let claims = json!({
        "user": {"name": "Ada"}, "https://a.b/roles": ["x", 1, 1.5, true], "__proto__": {"admin": true},
        "$where": "1", "ref": {"$oid": ID, "a\u{0}b": 1}, "big": 5_000_000_000_i64, "fake": "u2",
        "null": null, "long": "x".repeat(4097), "unasked": 1,
    });
    let identity = prove(&provider, &world, &token(Signer::Hs256, None, &claims)).await.unwrap();
    assert_eq!(identity.id, "u1", "40");
    let expected = doc! {
        "name": "Ada", "roles": ["x", 1, 1.5, true], "__proto__": { "admin": true }, "$where": "1",
        "ref": { "$oid": ID }, "big": 5_000_000_000_i64, "sub": "u1", "id": "u2",
    };
    assert_eq!(identity.data, expected, "41");
}

#[tokio::test]
async fn a_missing_required_claim_refuses_and_names_its_field() {
    let world = World::new(&Server::with_keys(&[]));
    let metadata = vec![field(&["user", "name"], "Name", true)];
    let provider = provider(CustomTokenConfig { metadata, ..hs256() });
    for claims in [
        json!({}),
        json!({"user": null}),
        json!({"user": {"name": null}}),
        json!({"user": [{"name": "x"}]}),
        json!({"user.name": "x"}),
        json!({"user": {"name": "x".repeat(4097)}}),
    ] {
        let error = prove(&provider, &world, &token(Signer::Hs256, None, &claims)).await.unwrap_err();
        let expected = (ErrorKind::AuthError, "the token lacks the claim for `Name`");
        assert_eq!((error.kind(), error.hint()), expected, "{claims}");
    }
    let whole = json!({"user": {"name": "é".repeat(4096)}});
    assert!(prove(&provider, &world, &token(Signer::Hs256, None, &whole)).await.is_ok());
}

#[test]
fn neither_debug_nor_errors_show_a_secret() {
    let shown = format!("{:?}", hs256());
    assert!(!shown.contains(kit::HS_SECRET));
    let _: Arc<dyn Provider> = Arc::new(provider(hs256()));
}
