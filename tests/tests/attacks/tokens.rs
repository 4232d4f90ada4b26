//! Attacks 1, 11, 12, 16 to 18, 23 and 28: what a token says of itself, and the shape that it has.

use backstitch::limits::Limits;
use backstitch_tests::Signer;
use serde_json::json;

use crate::forge::{encode, federated};
use crate::world::{TOKEN_SECRET, club};

attack!(attack_01_a_token_without_a_signature_is_refused, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        let (_, claims) = door.segments();
        for alg in [
            json!("none"),
            json!("None"),
            json!("nOnE"),
            json!("NONE"),
            json!(""),
            json!(null),
            json!(["none"]),
            json!({}),
            json!(0),
            json!("-"),
            json!(door.signer.alg().to_ascii_lowercase()),
        ] {
            let signed = door.with_header(&json!({ "alg": alg }));
            let unsigned = signed.rsplit_once('.').unwrap().0;
            door.refuses(&signed, &format!("alg {alg}, signed all the same")).await;
            door.refuses(&format!("{unsigned}."), &format!("alg {alg}")).await;
            door.refuses(&format!("{unsigned}.AA"), &format!("alg {alg} and a byte")).await;
        }
        let good = door.token();
        door.refuses(&format!("{}.", good.rsplit_once('.').unwrap().0), "an empty signature").await;
        door.refuses(&format!("{}.{claims}.", encode(r#"{"alg":"none"}"#)), "alg none and nothing else")
            .await;
    }
});

attack!(attack_11_an_extension_that_must_be_understood_is_refused, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        for crit in [
            json!({ "crit": ["exp"], "exp": 1 }),
            json!({ "crit": ["absent"] }),
            json!({ "crit": ["alg"] }),
            json!({ "crit": [] }),
            json!({ "crit": null }),
            json!({ "crit": "exp" }),
            json!({ "crit": {} }),
        ] {
            door.refuses(&door.with_header(&crit), &crit.to_string()).await;
        }
    }
});

attack!(attack_12_a_payload_that_is_not_encoded_is_refused, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        for header in [
            json!({ "b64": false }),
            json!({ "b64": true }),
            json!({ "b64": false, "crit": ["b64"] }),
            json!({ "b64": true, "crit": ["b64"] }),
        ] {
            door.refuses(&door.with_header(&header), &header.to_string()).await;
        }
        let header = json!({ "alg": door.signer.alg(), "kid": door.header["kid"], "typ": "JWT", "b64": false, "crit": ["b64"] });
        let claims = door.claims.to_string();
        door.refuses(&door.signer.sealed(&encode(header.to_string()), &claims), "the claims as they are")
            .await;
        door.refuses(&door.signer.sealed(&door.segments().0, &claims), "and nothing said").await;
    }
});

attack!(attack_16_tokens_that_are_encrypted_nested_or_compressed_are_refused, |world| {
    for door in world.doors().await {
        let good = door.token();
        door.admits(&good, "the control").await;
        for header in [
            json!({ "zip": "DEF" }),
            json!({ "enc": "A128GCM" }),
            json!({ "alg": "dir", "enc": "A256GCM" }),
            json!({ "cty": "JWT" }),
            json!({ "cty": "jwt", "typ": "JWT" }),
        ] {
            door.refuses(&door.with_header(&header), &header.to_string()).await;
        }
        let jwe = encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
        door.refuses(&format!("{jwe}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA"), "a JWE").await;
        door.refuses(&format!("{good}.AAAA.AAAA"), "five segments").await;
        let (header, _) = door.segments();
        door.refuses(&door.signer.sealed(&header, &encode(&good)), "a token as the payload").await;
        door.refuses(&door.signer.sealed(&header, &encode(format!("\"{good}\""))), "as a JSON string").await;
    }
});

attack!(attack_17_the_json_serialisation_is_refused, |world| {
    for door in world.doors().await {
        let good = door.token();
        door.admits(&good, "the control").await;
        let parts: Vec<&str> = good.split('.').collect();
        let [protected, payload, signature] = parts[..] else { panic!("{good}") };
        let one = json!({ "protected": protected, "signature": signature });
        for serialised in [
            json!({ "protected": protected, "payload": payload, "signature": signature }),
            json!({ "payload": payload, "signatures": [one] }),
            json!([protected, payload, signature]),
        ] {
            door.refuses(&serialised.to_string(), "as text").await;
        }
    }
    // Nor as an object where the text belongs.
    let door = world.custom_door(&world.engine, Signer::Hs256(TOKEN_SECRET.into()));
    let (header, payload) = door.segments();
    for token in [json!({ "protected": header, "payload": payload }), json!([door.token()]), json!(1)] {
        let reply = world.log_in("custom-token", json!({ "token": token })).await;
        assert_eq!((reply.status, reply.json()["error_code"].clone()), (400, "InvalidParameter".into()));
    }
});

attack!(attack_18_a_token_has_three_segments_and_none_is_empty, |world| {
    for door in world.doors().await {
        let good = door.token();
        door.admits(&good, "the control").await;
        let (header, payload) = door.segments();
        let (signed, signature) = good.rsplit_once('.').unwrap();
        for (why, hostile) in [
            ("nothing", String::new()),
            ("one", header.clone()),
            ("two", signed.to_owned()),
            ("four", format!("{good}.AAAA")),
            ("four, signed", door.signer.sealed(&header, &format!("{payload}.AAAA"))),
            ("four, signed in front", door.signer.sealed(&format!("AAAA.{header}"), &payload)),
            ("a dot behind", format!("{good}.")),
            ("a dot in front", format!(".{good}")),
            ("no header", door.signer.sealed("", &payload)),
            ("no payload", door.signer.sealed(&header, "")),
            ("no signature", format!("{signed}.")),
            ("only a signature", format!("..{signature}")),
            ("dots", "..".to_owned()),
            ("many dots", ".".repeat(1000)),
        ] {
            door.refuses(&hostile, why).await;
        }
    }
});

attack!(attack_23_a_long_token_is_refused_before_it_is_decoded, |world| {
    for door in world.doors().await {
        let good = door.token();
        for (most, fits) in [(good.len(), true), (good.len() - 1, false)] {
            let mut limits = Limits::default();
            *(if door.is_own() { &mut limits.own_token } else { &mut limits.foreign_token }) = most;
            let fetches_keys = !door.is_own() && door.signer == Signer::EdDsa;
            let app = if fetches_keys { federated() } else { club() };
            let limited = door.at(&world.engine_with(app, |builder| builder.limits(limits)).await);
            if fits {
                limited.admits(&good, "as many bytes as there may be").await;
            } else {
                limited.refuses(&good, "one byte more").await;
            }
        }
        let most = if door.is_own() { Limits::default().own_token } else { Limits::default().foreign_token };
        door.refuses(&door.with_claims(&json!({ "x": "x".repeat(most) })), "over the default, and signed")
            .await;
        door.refuses(&"A".repeat(most + 1), "over the default, and no token").await;
        door.refuses(&format!("{good}{}", "A".repeat(4 << 20)), "four megabytes").await;
    }
});

attack!(attack_28_key_agreement_and_passwords_as_algorithms_are_refused, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        for header in [
            json!({ "alg": "dir" }),
            json!({ "alg": "PBES2-HS256+A128KW", "p2s": "AAAA", "p2c": 2_000_000_000 }),
            json!({ "alg": "A128KW" }),
            json!({ "alg": "RSA-OAEP" }),
            json!({ "alg": "RSA1_5" }),
            json!({ "alg": "ECDH-ES", "epk": { "kty": "EC", "crv": "P-256" } }),
            json!({ "p2c": 2_000_000_000 }),
            json!({ "p2s": "AAAA" }),
            json!({ "epk": {} }),
            json!({ "apu": "AA" }),
            json!({ "apv": "AA" }),
            json!({ "alg": "HS512" }),
            json!({ "alg": "HS1" }),
            json!({ "alg": "PS256" }),
            json!({ "alg": "ES256K" }),
            json!({ "alg": "ES512" }),
        ] {
            door.refuses(&door.with_header(&header), &header.to_string()).await;
        }
    }
});
