//! Attacks 13 to 15 and 24 to 26: signatures that nobody made, and keys that are worth nothing.

use std::time::Duration;

use backstitch::auth::config::{CustomTokenConfig, TokenAlgorithm, TokenKeySource};
use backstitch::id::AppId;
use backstitch::secret::Secret;
use backstitch::store::SigningKeyRecord;
use backstitch_tests::Signer;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::forge::{CORP_KEYS, Door, KEYS, bare, custom_tokens, encode, record};
use crate::world::{APP, World, club};

/// The order of P-256.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
/// The order of Ed25519's group, little-endian.
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

attack!(attack_13_an_ecdsa_signature_of_zeros_or_of_the_order_is_refused, |world| {
    for door in ecdsa_doors(&world).await {
        let signed = signed_part(&door);
        let good = door.signer.sign(signed.as_bytes());
        door.admits(&sealed(&signed, &good), "the control").await;
        let (r, s) = good.split_at(32);
        let (zero, order) = ([0; 32], P256_ORDER);
        let mut one = zero;
        one[31] = 1;
        let mut s_and_order = [0; 32];
        s_and_order.copy_from_slice(s);
        add(&mut s_and_order, &P256_ORDER, |at| 31 - at);
        for (why, (r, s)) in [
            ("zeros", (&zero[..], &zero[..])),
            ("r = 0", (&zero, s)),
            ("s = 0", (r, &zero)),
            ("r = n", (&order, s)),
            ("s = n", (r, &order)),
            ("both n", (&order, &order)),
            ("r = 0, s = n", (&zero, &order)),
            ("both 1", (&one, &one)),
            ("all ones", (&[0xff; 32], &[0xff; 32])),
            ("s + n", (r, &s_and_order)),
            ("swapped", (s, r)),
        ] {
            door.refuses(&sealed(&signed, &[r, s].concat()), why).await;
        }
    }
});

attack!(attack_14_an_ecdsa_signature_has_sixty_four_raw_bytes, |world| {
    for door in ecdsa_doors(&world).await {
        let signed = signed_part(&door);
        let good = door.signer.sign(signed.as_bytes());
        door.admits(&sealed(&signed, &good), "the control").await;
        let (r, s) = good.split_at(32);
        // The leading zero keeps the number positive, as DER wants where its top bit is set.
        let number = |bytes: &[u8]| {
            let bytes = if bytes[0] < 0x80 { bytes.to_vec() } else { [&[0], bytes].concat() };
            [&[0x02, u8::try_from(bytes.len()).unwrap()], &bytes[..]].concat()
        };
        let numbers = [number(r), number(s)].concat();
        let der = [&[0x30, u8::try_from(numbers.len()).unwrap()], &numbers[..]].concat();
        for (why, signature) in [
            ("DER", der),
            ("63 bytes", good[..63].to_vec()),
            ("65 bytes", [&good[..], &[0]].concat()),
            ("a zero in front", [&[0], &good[..]].concat()),
            ("66 bytes", [&[0], r, &[0], s].concat()),
            ("half", r.to_vec()),
            ("twice", [&good[..], &good[..]].concat()),
            ("a byte", vec![0]),
            ("4 kB", vec![1; 4096]),
        ] {
            door.refuses(&sealed(&signed, &signature), why).await;
        }
    }
});

attack!(attack_15_ed25519_has_one_signature_and_no_key_of_small_order, |world| {
    let own = world.access_door(&world.signing(&Signer::EdDsa).await, Signer::EdDsa).await;
    let federated = world.federated().await;
    for door in [own, world.custom_door(&federated, Signer::EdDsa), world.id_door(&federated)] {
        let signed = signed_part(&door);
        let good = door.signer.sign(signed.as_bytes());
        door.admits(&sealed(&signed, &good), "the control").await;
        // S + L is the same number for whoever does not look.
        let (r, s) = good.split_at(32);
        let mut larger = [0; 32];
        larger.copy_from_slice(s);
        add(&mut larger, &ED25519_ORDER, |at| at);
        door.refuses(&sealed(&signed, &[r, &larger].concat()), "S + L").await;
        for (why, signature) in [
            ("zeros", vec![0; 64]),
            ("63 bytes", good[..63].to_vec()),
            ("65 bytes", [&good[..], &[0]].concat()),
        ] {
            door.refuses(&sealed(&signed, &signature), why).await;
        }
    }
    // With a key of order 1, R = the neutral point and S = 0 sign every message.
    let mut neutral = [0_u8; 32];
    neutral[0] = 1;
    let mut second_spelling = neutral;
    second_spelling[31] = 0x80;
    for weak in [neutral, second_spelling, [0; 32]] {
        let mut jwk = Signer::EdDsa.jwk("weak");
        jwk["x"] = encode(weak).into();
        for url in [KEYS, CORP_KEYS] {
            world.service.answer(url, 200, json!({ "keys": [jwk, Signer::EdDsa.jwk("k")] }));
        }
        let federated = world.federated().await;
        for door in [world.custom_door(&federated, Signer::EdDsa), world.id_door(&federated)] {
            door.admits(&door.token(), "the control").await;
            let token = door.with_header(&json!({ "kid": "weak" }));
            let signed = token.rsplit_once('.').unwrap().0.to_owned();
            door.refuses(&sealed(&signed, &[neutral, [0; 32]].concat()), "signed by nobody").await;
        }
        let der =
            [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..], &weak].concat();
        let standard = base64::engine::general_purpose::STANDARD.encode(der);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{standard}\n-----END PUBLIC KEY-----\n");
        refuses_to_build(&world, TokenAlgorithm::EdDsa, &[&pem]).await;
    }
});

attack!(attack_24_a_short_secret_is_refused_when_it_is_configured, |world| {
    let long = "0123456789abcdef0123456789abcdef";
    for secret in ["", "x", &long[1..]] {
        refuses_to_build(&world, TokenAlgorithm::Hs256, &[secret]).await;
        refuses_to_build(&world, TokenAlgorithm::Hs256, &[long, secret]).await;
    }
    // Nor is a public key one, however long it is (attack 2).
    refuses_to_build(&world, TokenAlgorithm::Hs256, &[&Signer::Rs256.configured()]).await;
    builds(&world, TokenAlgorithm::Hs256, &[long]).await;
    for length in [0, 1, 31, 32] {
        let key = SigningKeyRecord { secret: vec![7; length], ..record(&Signer::Hs256(Vec::new())) };
        let built = world
            .try_engine_with(club(), |builder| builder.signing_keys(AppId::new(APP), vec![key]))
            .await
            .map_err(|error| error.to_string());
        match built {
            Ok(engine) => {
                assert_eq!(length, 32);
                let guest = backstitch_tests::Client::new(&engine, APP).guest().await;
                assert!(guest.access.is_some());
            }
            Err(error) => assert!(length < 32 && error.contains("at least 32 bytes"), "{length}: {error}"),
        }
    }
});

attack!(attack_25_a_short_rsa_key_is_refused, |world| {
    let short = include_str!("../../../core/src/jose/kit/rsa1024.pub.pem");
    refuses_to_build(&world, TokenAlgorithm::Rs256, &[short]).await;
    refuses_to_build(&world, TokenAlgorithm::Rs256, &[&Signer::Rs256.configured(), short]).await;
    builds(&world, TokenAlgorithm::Rs256, &[&Signer::Rs256.configured()]).await;
    // From a key set: with a short modulus, padded or not, or an exponent that gives the key away.
    let good = Signer::Rs256.jwk("k");
    let modulus = URL_SAFE_NO_PAD.decode(good["n"].as_str().unwrap()).unwrap();
    let with = |n: &[u8], e: &[u8]| {
        let mut jwk = good.clone();
        (jwk["n"], jwk["e"]) = (encode(n).into(), encode(e).into());
        jwk
    };
    let exponent = [1, 0, 1];
    for (why, jwk, usable) in [
        ("the control", good.clone(), true),
        ("1024 bits", with(&modulus[..128], &exponent), false),
        ("2040 bits", with(&modulus[..255], &exponent), false),
        ("zeros in front", with(&[&[0; 9], &modulus[..255]].concat(), &exponent), false),
        ("exponent 1", with(&modulus, &[1]), false),
        ("exponent 3", with(&modulus, &[3]), false),
        ("exponent 0", with(&modulus, &[0]), false),
        ("an even exponent", with(&modulus, &[1, 0, 0]), false),
    ] {
        for url in [KEYS, CORP_KEYS] {
            world.service.answer(url, 200, json!({ "keys": [jwk, Signer::EdDsa.jwk("ed")] }));
        }
        let federated = world.federated().await;
        for mut door in [world.custom_door(&federated, Signer::Rs256), world.id_door(&federated)] {
            door.signer = Signer::Rs256;
            let token = door.with_header(&json!({ "alg": "RS256" }));
            if usable {
                door.admits(&token, why).await;
            } else {
                door.refuses(&token, why).await;
            }
            door.signer = Signer::EdDsa;
            door.admits(&door.with_header(&json!({ "alg": "EdDSA", "kid": "ed" })), "the key beside it")
                .await;
        }
    }
});

attack!(attack_26_a_key_set_that_shows_secrets_is_refused_whole, |world| {
    let ed = Signer::EdDsa.jwk("k");
    let secret = Signer::Hs256(b"a secret that everybody can read".to_vec());
    let private = |member: &str| {
        let mut jwk = Signer::Rs256.jwk("r");
        jwk[member] = "AQAB".into();
        jwk
    };
    let mut sets: Vec<Value> =
        ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].map(|member| json!([ed, private(member)])).to_vec();
    sets.push(json!([ed, secret.jwk("s")]));
    sets.push(json!([{ "kty": "oct", "kid": "s" }, ed]));
    for keys in sets {
        for url in [KEYS, CORP_KEYS] {
            world.service.answer(url, 200, json!({ "keys": keys }));
        }
        let federated = world.federated().await;
        for door in [world.custom_door(&federated, Signer::EdDsa), world.id_door(&federated)] {
            let mut forged = door.clone();
            forged.signer = secret.clone();
            let by_secret = forged.with_header(&json!({ "alg": "HS256", "kid": "s" }));
            for token in [door.token(), by_secret.clone()] {
                let reply = door.show(&token).await.unwrap();
                assert_eq!(reply.status, 503, "{keys}: {reply:?}");
                assert_eq!(reply.json()["error_code"], "ServiceUnavailable", "not the client's fault");
            }
            // Once the owner has mended the set, everybody comes in but who knows the secret.
            for url in [KEYS, CORP_KEYS] {
                world.service.answer(url, 200, json!({ "keys": [ed] }));
            }
            world.clock.advance(Duration::from_secs(30));
            door.admits(&door.token(), "the control").await;
            door.refuses(&by_secret, "the secret").await;
            for url in [KEYS, CORP_KEYS] {
                world.service.answer(url, 200, json!({ "keys": keys }));
            }
        }
    }
});

/// Doors whose tokens are signed ES256: our own, by a configured key and by a fetched one.
async fn ecdsa_doors(world: &World) -> [Door; 4] {
    for url in [KEYS, CORP_KEYS] {
        world.service.answer(url, 200, json!({ "keys": [Signer::Es256.jwk("k")] }));
    }
    let federated = world.federated().await;
    let mut id = world.id_door(&federated);
    (id.signer, id.header["alg"]) = (Signer::Es256, "ES256".into());
    [
        world.access_door(&world.signing(&Signer::Es256).await, Signer::Es256).await,
        world.custom_door(&world.trusting(&Signer::Es256).await, Signer::Es256),
        world.custom_door(&federated, Signer::Es256),
        id,
    ]
}

fn signed_part(door: &Door) -> String {
    let (header, payload) = door.segments();
    format!("{header}.{payload}")
}

fn sealed(signed: &str, signature: &[u8]) -> String {
    format!("{signed}.{}", encode(signature))
}

/// Adds another number, whose bytes stand from the lowest on where `at` says.
fn add(number: &mut [u8; 32], other: &[u8; 32], at: impl Fn(usize) -> usize) {
    let mut carry = 0_u16;
    for place in (0..32).map(at) {
        carry += u16::from(number[place]) + u16::from(other[place]);
        number[place] = carry.to_le_bytes()[0];
        carry >>= 8;
    }
}

fn configured(algorithm: TokenAlgorithm, keys: &[&str]) -> CustomTokenConfig {
    let keys = keys.iter().map(|key| Secret::new(*key)).collect();
    custom_tokens(TokenKeySource::Keys { algorithm, keys })
}

async fn builds(world: &World, algorithm: TokenAlgorithm, keys: &[&str]) {
    world.engine_with(bare(configured(algorithm, keys)), |builder| builder).await;
}

/// The engine is not built, and says which app's key is at fault; it does not show the key.
async fn refuses_to_build(world: &World, algorithm: TokenAlgorithm, keys: &[&str]) {
    let built = world.try_engine_with(bare(configured(algorithm, keys)), |builder| builder).await;
    let error = built.expect_err("a weak key is refused").to_string();
    assert!(error.contains(&format!("a key of `custom-token` of `{APP}` is refused")), "{error}");
    assert!(keys.iter().filter(|key| key.len() > 1).all(|key| !error.contains(key)), "{error}");
}
