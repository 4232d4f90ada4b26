//! JWK sets (RFC 7517 §5), as a third party publishes them.
//!
//! 1. A set that shows a private or a shared key is refused as a whole: its owner has lost its keys.
//! 2. A key that is meant for something else, of an algorithm that is not known, or weak, is left out.
//! 3. Of several keys with one `kid` all are tried, each only for its own algorithm.

use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::{Fault, VerifyingKey, compact, json};

/// The members of private keys and of shared secrets (RFC 7518 §6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Public keys with their names.
#[derive(Clone, Debug)]
pub(crate) struct KeySet(Vec<(String, VerifyingKey)>);

impl KeySet {
    /// Reads a JSON document.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, Fault> {
        let document = json::object(document)?;
        let Some(Value::Array(keys)) = document.get("keys") else {
            return Err(Fault("a JWK set has a list `keys`"));
        };
        let mut found = Vec::new();
        for key in keys {
            let Value::Object(key) = key else { return Err(Fault("a key in a JWK set is no object")) };
            if PRIVATE.iter().any(|member| key.contains_key(*member)) || is(key, "kty", "oct") {
                return Err(Fault("a JWK set that shows private or shared keys"));
            }
            match (key.get("kid").and_then(Value::as_str), public_key(key)) {
                (Some(kid), Ok(key)) => found.push((kid.to_owned(), key)),
                (None, _) => tracing::debug!("a key of a JWK set is left out: it has no `kid`"),
                (Some(kid), Err(fault)) => tracing::debug!(kid, %fault, "a key of a JWK set is left out"),
            }
        }
        Ok(Self(found))
    }

    /// The keys of that name.
    pub(crate) fn named<'s>(&'s self, kid: &'s str) -> impl Iterator<Item = &'s VerifyingKey> {
        self.0.iter().filter(move |(name, _)| name == kid).map(|(_, key)| key)
    }
}

/// The key, if it is one that checks signatures and everything that it says of itself fits.
fn public_key(jwk: &Map<String, Value>) -> Result<VerifyingKey, Fault> {
    let verifies = match jwk.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|operation| operation == "verify"),
        Some(_) => false,
    };
    if !verifies || (jwk.contains_key("use") && !is(jwk, "use", "sig")) {
        return Err(Fault("the key is not there to check signatures"));
    }
    let key = match jwk.get("kty").and_then(Value::as_str) {
        Some("RSA") => VerifyingKey::rs256(&bytes(jwk, "n")?, &bytes(jwk, "e")?)?,
        Some("EC") if is(jwk, "crv", "P-256") => VerifyingKey::es256(&bytes(jwk, "x")?, &bytes(jwk, "y")?)?,
        Some("OKP") if is(jwk, "crv", "Ed25519") => VerifyingKey::ed25519(&bytes(jwk, "x")?)?,
        _ => return Err(Fault("the key's type or curve is not known")),
    };
    let alg = match key.algorithm() {
        Algorithm::RS256 => "RS256",
        Algorithm::ES256 => "ES256",
        _ => "EdDSA",
    };
    // RFC 9864 gives Ed25519 a name of its own.
    if jwk.contains_key("alg") && !is(jwk, "alg", alg) && !(alg == "EdDSA" && is(jwk, "alg", "Ed25519")) {
        return Err(Fault("the key's `alg` does not fit its type"));
    }
    Ok(key)
}

fn is(jwk: &Map<String, Value>, member: &str, text: &str) -> bool {
    jwk.get(member).and_then(Value::as_str) == Some(text)
}

fn bytes(jwk: &Map<String, Value>, member: &str) -> Result<Vec<u8>, Fault> {
    let text = jwk.get(member).and_then(Value::as_str).ok_or(Fault("the key has a member missing"))?;
    compact::decode(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const X: &str = "fU0Of2FTpptiQrUiq77mhf2kQg-INLEIw72uNp71Sfo";

    fn parse(keys: &Value) -> Result<KeySet, Fault> {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
    }

    fn okp(changes: &Value) -> Value {
        let mut key =
            json!({"kty": "OKP", "crv": "Ed25519", "x": X, "kid": "a", "use": "sig", "alg": "EdDSA"});
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                key.as_object_mut().unwrap().remove(name);
            } else {
                key[name] = value.clone();
            }
        }
        key
    }

    #[test]
    fn a_set_that_shows_private_or_shared_keys_is_refused() {
        for (why, key) in [
            ("26 private", okp(&json!({"d": "AA"}))),
            ("26 shared", json!({"kty": "oct", "kid": "b", "k": "AA"})),
            ("26 shared without its key", json!({"kty": "oct", "kid": "b"})),
            ("26 RSA prime", json!({"kty": "RSA", "p": "AA"})),
            ("no object", json!("a")),
        ] {
            assert!(parse(&json!([okp(&json!({})), key])).is_err(), "{why}");
        }
        for document in [
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":[],"keys":[]}"#,
            r#"{"keys":[{"kty":"OKP","kty":"OKP"}]}"#,
        ] {
            assert!(KeySet::parse(document.as_bytes()).is_err(), "{document}");
        }
    }

    #[test]
    fn a_key_that_does_not_fit_itself_is_left_out_and_the_others_stay() {
        let short = "AQAB".repeat(32);
        for (why, key) in [
            ("for encryption", okp(&json!({"use": "enc"}))),
            ("use of an odd type", okp(&json!({"use": 1}))),
            ("operations", okp(&json!({"key_ops": ["sign"]}))),
            ("operations of an odd type", okp(&json!({"key_ops": "verify"}))),
            ("another algorithm", okp(&json!({"alg": "RS256"}))),
            ("algorithm of an odd type", okp(&json!({"alg": 1}))),
            ("another type", okp(&json!({"kty": "EC"}))),
            ("another curve", okp(&json!({"crv": "Ed448"}))),
            ("no name", okp(&json!({"kid": null}))),
            ("name of an odd type", okp(&json!({"kid": 1}))),
            ("padded", okp(&json!({"x": format!("{X}=")}))),
            ("no point", okp(&json!({"x": null}))),
            ("15 small order", okp(&json!({"x": "A".repeat(43)}))),
            ("25 short RSA", json!({"kty": "RSA", "kid": "a", "n": short, "e": "AQAB"})),
        ] {
            let set = parse(&json!([key, okp(&json!({"kid": "b"}))])).unwrap();
            assert_eq!((set.named("a").count(), set.named("b").count()), (0, 1), "{why}");
        }
        for fitting in [
            json!({}),
            json!({"use": null, "alg": null}),
            json!({"alg": "Ed25519"}),
            json!({"key_ops": ["verify"], "x5t": "x"}),
        ] {
            assert_eq!(parse(&json!([okp(&fitting)])).unwrap().named("a").count(), 1, "{fitting}");
        }
    }

    #[test]
    fn of_two_keys_with_one_name_both_are_found() {
        let set = parse(&json!([okp(&json!({})), okp(&json!({}))])).unwrap();
        assert_eq!(set.named("a").count(), 2, "27");
    }
}
