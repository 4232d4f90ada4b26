//! Attacks 2 to 10 and 27: which key a token is checked with.

use std::sync::Arc;
use std::time::Duration;

use backstitch::id::AppId;
use backstitch_tests::{CountingStore, Signer};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::forge::{CORP_KEYS, DISCOVERY, KEYS, encode};
use crate::logged::logged;
use crate::world::{APP, TOKEN_SECRET, World, club};

const ALGORITHMS: [Signer; 3] = [Signer::Rs256, Signer::Es256, Signer::EdDsa];
const EVIL: &str = "https://evil.example/keys";

attack!(attack_02_a_public_key_is_nobody_s_shared_secret, |world| {
    for signer in ALGORITHMS {
        let jwk = signer.jwk("k");
        let pem = signer.configured();
        let der =
            STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
        let mut secrets =
            vec![pem.trim().as_bytes().to_vec(), jwk.to_string().into_bytes(), der, pem.into_bytes()];
        for member in ["n", "x", "y"] {
            let Some(text) = jwk[member].as_str() else { continue };
            secrets.extend([text.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(text).unwrap()]);
        }
        world.service.answer(KEYS, 200, json!({ "keys": [jwk.clone()] }));
        world.service.answer(CORP_KEYS, 200, json!({ "keys": [Signer::EdDsa.jwk("k")] }));
        let federated = world.federated().await;
        let mut doors = vec![
            world.custom_door(&world.trusting(&signer).await, signer.clone()),
            world.custom_door(&federated, signer.clone()),
        ];
        if signer != Signer::Rs256 {
            doors.push(world.access_door(&world.signing(&signer).await, signer.clone()).await);
        }
        if signer == Signer::EdDsa {
            doors.push(world.id_door(&federated));
        }
        for door in doors {
            door.admits(&door.token(), "the control").await;
            for secret in &secrets {
                let mut forged = door.clone();
                forged.signer = Signer::Hs256(secret.clone());
                door.refuses(&forged.with_header(&json!({ "alg": "HS256" })), "HS256 by the public key")
                    .await;
                door.refuses(&forged.token(), "and named as it should be").await;
            }
        }
    }
});

attack!(attack_03_an_issuer_of_hs256_alone_takes_no_other_algorithm, |world| {
    let mut doors = world.own_doors(&world.engine).await;
    doors.push(world.custom_door(&world.engine, Signer::Hs256(TOKEN_SECRET.into())));
    for door in doors {
        door.admits(&door.token(), "the control").await;
        for signer in ALGORITHMS {
            let mut other = door.clone();
            other.signer = signer.clone();
            door.refuses(&other.with_header(&json!({ "alg": signer.alg() })), "its own algorithm").await;
            door.refuses(&other.token(), "under the name of HS256").await;
            door.refuses(&door.with_header(&json!({ "alg": signer.alg() })), "another name alone").await;
        }
    }
});

attack!(attack_04_a_key_is_used_for_its_own_algorithm_alone, |world| {
    let names = ["rsa", "ec", "ed"];
    let keys: Vec<Value> = ALGORITHMS.iter().zip(names).map(|(signer, kid)| signer.jwk(kid)).collect();
    for url in [KEYS, CORP_KEYS] {
        world.service.answer(url, 200, json!({ "keys": keys }));
    }
    let federated = world.federated().await;
    for (owner, kid) in ALGORITHMS.iter().zip(names) {
        for signer in ALGORITHMS {
            for mut door in [world.custom_door(&federated, signer.clone()), world.id_door(&federated)] {
                door.signer = signer.clone();
                let token = door.with_header(&json!({ "alg": signer.alg(), "kid": kid }));
                if signer == *owner {
                    door.admits(&token, "the control").await;
                } else {
                    door.refuses(&token, "another one's key").await;
                    door.refuses(&door.with_header(&json!({ "alg": owner.alg(), "kid": kid })), "its name")
                        .await;
                }
            }
        }
    }
    // A key of our own that is a pair, too: EdDSA under the name of the P-256 key.
    let door = world.access_door(&world.signing(&Signer::Es256).await, Signer::Es256).await;
    door.admits(&door.token(), "the control").await;
    for signer in [Signer::EdDsa, Signer::Rs256, Signer::Hs256(vec![7; 32])] {
        let mut other = door.clone();
        other.signer = signer.clone();
        door.refuses(&other.with_header(&json!({ "alg": signer.alg() })), "another type").await;
    }
});

attack!(attack_05_an_unknown_key_id_is_refused_and_costs_one_look_a_while, |world| {
    // Keys of others: the first look brings the set, unknown names another one per 30 seconds.
    let federated = world.federated().await;
    for (door, url) in
        [(world.custom_door(&federated, Signer::EdDsa), KEYS), (world.id_door(&federated), CORP_KEYS)]
    {
        door.admits(&door.token(), "the control").await;
        world.service.asked();
        let flood = async || {
            for number in 0..50 {
                door.refuses(&door.with_header(&json!({ "kid": format!("k{number}") })), "unknown").await;
            }
            world.service.asked().into_iter().filter(|asked| asked == url).count()
        };
        assert_eq!(flood().await, 0, "the set has just been fetched");
        for _ in 0..3 {
            world.clock.advance(Duration::from_secs(30));
            assert_eq!(flood().await, 1);
        }
        door.refuses(&door.with_header(&json!({ "kid": "-" })), "none").await;
        door.admits(&door.token(), "the control, afterwards").await;
    }
});

attack!(attack_05_unknown_key_ids_of_our_own_are_looked_up_a_few_times_a_while, |world| {
    let store = Arc::new(CountingStore::new(Arc::clone(&world.store)));
    let counted = Arc::clone(&store);
    let engine = world.engine_with(club(), move |builder| builder.store(counted)).await;
    for door in world.own_doors(&engine).await {
        door.admits(&door.token(), "the control").await;
        world.clock.advance(Duration::from_secs(5));
        let before = store.key_reads();
        for number in 0..50 {
            door.refuses(&door.with_header(&json!({ "kid": format!("k{number}") })), "unknown").await;
        }
        assert_eq!(store.key_reads() - before, 16, "{:?}", door.entrance);
        door.refuses(&door.with_header(&json!({ "kid": "-" })), "none").await;
        door.admits(&door.token(), "the control, afterwards").await;
    }
});

attack!(attack_06_a_hostile_key_id_is_a_name_and_nothing_more, |world| {
    let doors = world.doors().await;
    for door in &doors {
        door.admits(&door.token(), "the control").await;
    }
    let keys = world.store.signing_keys(&AppId::new(APP)).await.unwrap();
    let before = keys.len();
    world.service.asked();
    let ids = [
        "../../../../etc/passwd".to_owned(),
        "/dev/null".to_owned(),
        "file:///etc/passwd".to_owned(),
        EVIL.to_owned(),
        "k' OR '1'='1".to_owned(),
        "'; DROP TABLE signing_keys; --".to_owned(),
        "$(touch /tmp/owned)".to_owned(),
        "{{7*7}}%s%n".to_owned(),
        "k\0".to_owned(),
        "k\0k".to_owned(),
        "k\r\nforged=\"line of the log\"".to_owned(),
        "\u{1b}[2Jforged".to_owned(),
        "\u{202e}forged".to_owned(),
        String::new(),
        "k".repeat(257),
        "k".repeat(10_000),
    ];
    let (log, ()) = logged(async {
        for kid in &ids {
            world.clock.advance(Duration::from_secs(60));
            for door in &doors {
                let token = door.with_header(&json!({ "kid": kid }));
                // Keys that are configured have no names, and what a token calls its key finds nothing.
                let is_just_text = kid.len() <= 256 && !kid.contains(char::is_control);
                if door.signer == Signer::Hs256(TOKEN_SECRET.into()) && is_just_text {
                    door.admits(&token, kid).await;
                } else {
                    door.refuses(&token, kid).await;
                }
            }
        }
    })
    .await;
    // No server but those that are configured, no key more or fewer, no line in the log that it made.
    let asked = world.service.asked();
    assert!(asked.iter().all(|url| [KEYS, CORP_KEYS, DISCOVERY].contains(&url.as_str())), "{asked:?}");
    assert_eq!(world.store.signing_keys(&AppId::new(APP)).await.unwrap().len(), before);
    assert!(log.lines().all(|line| !line.starts_with("forged")), "{log}");
    assert!(!log.contains(['\0', '\r']) && !log.contains("kkkkkkkkkkkkkkkk"), "{log}");
    for door in &doors {
        door.admits(&door.token(), "the control, afterwards").await;
    }
});

attack!(attack_07_a_key_id_that_is_no_text_is_refused, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        for kid in [json!(1), json!({}), json!([door.header["kid"]]), json!(null), json!(true), json!(1.5)] {
            door.refuses(&door.with_header(&json!({ "kid": kid })), &kid.to_string()).await;
        }
    }
});

attack!(attack_08_a_key_that_a_token_brings_along_is_not_used, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        for attacker in [Signer::Rs256, Signer::Es256, Signer::Hs256(vec![9; 32])] {
            let mut forged = door.clone();
            forged.signer = attacker.clone();
            for kid in [door.header["kid"].clone(), json!("attacker"), json!("-")] {
                let jwk = attacker.jwk(kid.as_str().unwrap());
                let header = json!({ "alg": attacker.alg(), "kid": kid, "jwk": jwk });
                door.refuses(&forged.with_header(&header), &header.to_string()).await;
            }
        }
        for jwk in [door.signer.jwk("k"), json!({}), json!(null)] {
            door.refuses(&door.with_header(&json!({ "jwk": jwk })), "a key, though the right one signed")
                .await;
        }
    }
});

attack!(attack_09_a_key_that_a_token_points_to_is_not_fetched, |world| {
    world.service.answer(EVIL, 200, json!({ "keys": [Signer::Rs256.jwk("k"), Signer::Es256.jwk("evil")] }));
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        world.service.asked();
        for attacker in [Signer::Rs256, Signer::Es256, door.signer.clone()] {
            let mut forged = door.clone();
            forged.signer = attacker.clone();
            for (name, url) in
                [("jku", EVIL), ("x5u", EVIL), ("jku", KEYS), ("jku", "file:///etc/passwd"), ("x5u", "")]
            {
                for kid in ["k", "evil"] {
                    let header = json!({ "alg": attacker.alg(), "kid": kid, name: url });
                    door.refuses(&forged.with_header(&header), &header.to_string()).await;
                }
            }
        }
        assert_eq!(world.service.asked(), Vec::<String>::new(), "{:?}", door.entrance);
    }
});

attack!(attack_10_a_certificate_that_a_token_brings_along_is_not_used, |world| {
    let certificate = include_str!("self_signed.pem");
    let der: String = certificate.lines().filter(|line| !line.starts_with('-')).collect();
    let print = encode(ring::digest::digest(&ring::digest::SHA256, &STANDARD.decode(&der).unwrap()));
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        let mut forged = door.clone();
        forged.signer = Signer::Rs256;
        for header in [
            json!({ "alg": "RS256", "x5c": [der] }),
            json!({ "alg": "RS256", "x5c": [der], "x5t#S256": print }),
            json!({ "alg": "RS256", "x5c": [der], "kid": "-" }),
            json!({ "alg": "RS256", "x5c": [] }),
            json!({ "alg": "RS256", "x5t#S256": print }),
        ] {
            door.refuses(&forged.with_header(&header), &header.to_string()).await;
        }
        door.refuses(&door.with_header(&json!({ "x5c": [der] })), "though the right key signed").await;
    }
});

attack!(attack_27_two_keys_of_one_name_are_each_tried_for_their_algorithm_alone, |world| {
    let mut stranger = Signer::EdDsa.jwk("k");
    // Somebody else's key of the same kind comes first.
    stranger["x"] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into();
    let keys = [stranger.clone(), Signer::Rs256.jwk("k"), Signer::EdDsa.jwk("k"), Signer::Es256.jwk("other")];
    for url in [KEYS, CORP_KEYS] {
        world.service.answer(url, 200, json!({ "keys": keys }));
    }
    let federated = world.federated().await;
    for door in [world.custom_door(&federated, Signer::EdDsa), world.id_door(&federated)] {
        let signed_by = |signer: &Signer, alg: &str| {
            let mut forged = door.clone();
            forged.signer = signer.clone();
            forged.with_header(&json!({ "alg": alg }))
        };
        door.admits(&signed_by(&Signer::EdDsa, "EdDSA"), "the second of one algorithm").await;
        door.admits(&signed_by(&Signer::Rs256, "RS256"), "the one of another").await;
        door.refuses(&signed_by(&Signer::Es256, "ES256"), "a key of another name").await;
        door.refuses(&signed_by(&Signer::EdDsa, "RS256"), "one under the other's algorithm").await;
        door.refuses(&signed_by(&Signer::Rs256, "EdDSA"), "the other way round").await;
        let x = URL_SAFE_NO_PAD.decode(stranger["x"].as_str().unwrap()).unwrap();
        door.refuses(&signed_by(&Signer::Hs256(x), "HS256"), "a public key as a secret").await;
    }
    two_signing_keys_of_one_name(&world).await;
});

/// Of our own keys no two have one name: the engine is not built.
async fn two_signing_keys_of_one_name(world: &World) {
    let record = crate::forge::record(&Signer::Hs256(vec![1; 32]));
    let built = async |keys| {
        world.try_engine_with(club(), |builder| builder.signing_keys(AppId::new(APP), keys)).await
    };
    assert!(built(vec![record.clone()]).await.is_ok());
    let error = built(vec![record.clone(), record]).await.unwrap_err().to_string();
    assert!(error.contains("two signing keys have one id"), "{error}");
}
