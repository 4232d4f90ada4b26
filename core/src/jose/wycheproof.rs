//! Google's vectors (Project Wycheproof), where the machine has them.

use std::fs;
use std::path::Path;

use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::{ForeignToken, KeySet, VerifyingKey, compact};

/// Every test of a file with its group; `None` where the vectors are not at hand.
fn vectors(file: &str) -> Option<Vec<(Value, Value)>> {
    // Beside the workspace, or beside the folder of its worktrees.
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["../../shared", "../../../shared"].map(|shared| core.join(shared).join("data/wycheproof"));
    let Some(text) = places.iter().find_map(|folder| fs::read_to_string(folder.join(file)).ok()) else {
        println!("skipped: vectors not found ({file})");
        return None;
    };
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let mut all = Vec::new();
    for group in document["testGroups"].as_array_mut().unwrap() {
        let tests = group["tests"].take();
        all.extend(tests.as_array().unwrap().iter().map(|test| (group.clone(), test.clone())));
    }
    Some(all)
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// Checks `accepts` against the verdict of each vector, and prints how many there were.
fn run(file: &str, accepts: impl Fn(&Value, &Value) -> Option<bool>) {
    let (mut ran, mut left_out) = (0, 0);
    for (group, test) in vectors(file).unwrap_or_default() {
        match accepts(&group, &test) {
            Some(accepted) => {
                let valid = test["result"] == "valid";
                assert_eq!(
                    accepted, valid,
                    "{file} {} {} {}",
                    group["comment"], test["tcId"], test["comment"]
                );
                ran += 1;
            }
            None => left_out += 1,
        }
    }
    if ran > 0 {
        println!("{file}: {ran} vectors, {left_out} left out");
    }
}

#[test]
fn ecdsa_vectors() {
    run("ecdsa_secp256r1_sha256_p1363_test.json", |group, test| {
        let key = VerifyingKey::from_pem(Algorithm::ES256, group["publicKeyPem"].as_str()?).ok()?;
        Some(key.accepts(&hex(&test["msg"]), &hex(&test["sig"])))
    });
}

#[test]
fn ed25519_vectors() {
    run("ed25519_test.json", |group, test| {
        let key = VerifyingKey::from_pem(Algorithm::EdDSA, group["publicKeyPem"].as_str()?);
        Some(key.is_ok_and(|key| key.accepts(&hex(&test["msg"]), &hex(&test["sig"]))))
    });
}

#[test]
fn hmac_vectors() {
    run("hmac_sha256_test.json", |group, test| {
        // Shorter keys are refused before; shorter tags are not asked for by JWS.
        let key = VerifyingKey::hs256(&hex(&test["key"])).ok()?;
        (group["tagSize"] == 256).then(|| key.accepts(&hex(&test["msg"]), &hex(&test["tag"])))
    });
}

/// The vectors' shared secrets stand in JWKs, which we take from nobody; they are read here.
fn shared_secret(jwk: &Value) -> Option<VerifyingKey> {
    let fits = jwk["alg"] == "HS256" && jwk["use"] == "sig";
    VerifyingKey::hs256(&compact::decode(jwk["k"].as_str()?).ok()?).ok().filter(|_| fits)
}

fn accepts_token(group: &Value, test: &Value) -> Option<bool> {
    let token = test["jws"].as_str()?;
    // The same token as 357, once valid and twice not; and two with `?` inside that are called valid.
    let contradictory =
        group["comment"] == "base64" && [367, 370, 372, 373].iter().any(|id| test["tcId"] == *id);
    if contradictory {
        return None;
    }
    let (public, private) = (&group["public"], &group["private"]);
    let jwks = if public.is_null() { private } else { public };
    let jwks = if jwks["keys"].is_array() { jwks.clone() } else { serde_json::json!({ "keys": [jwks] }) };
    let algorithms = [Some("HS256"), Some("RS256"), Some("ES256"), None];
    let ours = |jwk: &Value| algorithms.contains(&jwk["alg"].as_str());
    let valid = test["result"] == "valid";
    // Algorithms that we do not know, sets of shared secrets are refused whatever the verdict.
    let keys: Vec<VerifyingKey> = match jwks["keys"].as_array()?.as_slice() {
        [one] if one["kty"] == "oct" => shared_secret(one).into_iter().collect(),
        list => {
            let kid = list.first()?["kid"].as_str()?;
            match KeySet::parse(jwks.to_string().as_bytes()) {
                Ok(set) => set.named(kid).cloned().collect(),
                Err(_) => Vec::new(),
            }
        }
    };
    // A token that says nothing is valid as a JWS; as a JWT it is nothing.
    let empty = token.contains("..");
    if valid && (empty || !jwks["keys"].as_array()?.iter().all(ours) || jwks["keys"][1]["kty"] == "oct") {
        assert!(ForeignToken::read(token, 10_000).and_then(|token| token.verify(&keys)).is_err());
        return None;
    }
    Some(ForeignToken::read(token, 10_000).and_then(|token| token.verify(&keys)).is_ok())
}

#[test]
fn json_web_signature_vectors() {
    run("json_web_signature_test.json", accepts_token);
}

#[test]
fn json_web_key_vectors() {
    run("json_web_key_test.json", accepts_token);
}

#[test]
fn json_web_crypto_vectors() {
    run("json_web_crypto_test.json", accepts_token);
}
