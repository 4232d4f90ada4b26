//! Attacks 29 to 34: what a token says, whoever signed it. The key is always the right one.

use std::time::Duration;

use backstitch::auth::config::{Audience, CustomTokenConfig, TokenKeySource};
use backstitch_tests::{Client, Signer};
use serde_json::json;

use crate::forge::{CORP, Door, Entrance, KEYS, bare, custom_tokens, parts};
use crate::world::{APP, OTHER, START, World};

/// What is no whole number of seconds after 1970, as JSON text: some of it is no JSON.
const NO_DATES: [&str; 16] = [
    "null",
    "\"1800003600\"",
    "\"\"",
    "true",
    "[1800003600]",
    "{}",
    "-1",
    "-1800003600",
    "1800003600.5",
    "1e300",
    "1e999",
    "-1e300",
    "18446744073709551615",
    "99999999999999999999999999",
    "NaN",
    "Infinity",
];

attack!(attack_29_an_expiry_is_a_whole_number_and_never_missing, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        door.refuses(&door.with_claims(&json!({ "exp": "-" })), "no expiry").await;
        for date in NO_DATES {
            door.refuses(&door.signer.token(door.header.to_string(), dated(&door, "exp", date)), date).await;
        }
        door.refuses(
            &door.signer.token(door.header.to_string(), dated(&door, "exp", "01800003600")),
            "octal",
        )
        .await;
        door.refuses_expired(&door.with_claims(&json!({ "iat": 0, "exp": 1 })), "long ago").await;
        // Far from now it is a number like any other; the session behind it may end before.
        let forever = door.signer.token(door.header.to_string(), dated(&door, "exp", "9223372036854775807"));
        door.admits(&forever, "the last second").await;
    }
});

attack!(attack_30_a_begin_is_a_whole_number_that_has_passed, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        for date in NO_DATES {
            door.refuses(&door.signer.token(door.header.to_string(), dated(&door, "nbf", date)), date).await;
        }
        door.refuses(&door.with_claims(&json!({ "nbf": START + 6 })), "later").await;
        door.refuses(&door.with_claims(&json!({ "nbf": START + 3600 })), "much later").await;
        let begun = door.with_claims(&json!({ "nbf": START }));
        if door.is_own() {
            // We write no such claim: a token with one is none of ours.
            door.refuses(&begun, "though it has passed").await;
        } else {
            door.admits(&begun, "now").await;
            door.admits(&door.with_claims(&json!({ "nbf": START + 5 })), "five seconds of another clock")
                .await;
        }
    }
});

attack!(attack_31_a_token_holds_to_its_last_second_and_not_in_the_next, |world| {
    for door in world.doors().await {
        // Our own clock needs no leeway; another's may be five seconds off.
        let leeway = if door.is_own() { 0 } else { 5 };
        let now = world.now();
        let until = |exp: i64| door.with_claims(&json!({ "iat": now - 60, "exp": exp }));
        door.admits(&until(now - leeway + 1), "its last second").await;
        door.refuses_expired(&until(now - leeway), "the second of its expiry").await;
        door.refuses_expired(&until(now - leeway - 1), "the one after it").await;
        // The same token, while the clock moves.
        let token = until(now + 60);
        world.clock.advance(Duration::from_millis(u64::try_from(60 + leeway).unwrap() * 1000 - 1));
        door.admits(&token, "a millisecond before").await;
        world.clock.advance(Duration::from_millis(1));
        door.refuses_expired(&token, "at the moment").await;
        world.clock.advance(Duration::from_secs(1));
        door.refuses_expired(&token, "after it").await;
    }
});

attack!(attack_32_a_token_from_the_future_is_refused, |world| {
    for door in world.doors().await {
        let issued = |ahead: i64| door.with_claims(&json!({ "iat": START + ahead, "exp": START + 100_000 }));
        for ahead in [-60, 0, 5] {
            door.admits(&issued(ahead), "another machine's clock").await;
        }
        for ahead in [6, 60, 3600] {
            door.refuses(&issued(ahead), "the future").await;
        }
        // Before 1970 is not the future: we never write that, but would have signed it.
        for date in NO_DATES.into_iter().filter(|date| !door.is_own() || date.parse::<i64>().is_err()) {
            door.refuses(&door.signer.token(door.header.to_string(), dated(&door, "iat", date)), date).await;
        }
        if door.is_own() {
            door.refuses(&door.with_claims(&json!({ "iat": "-" })), "no date").await;
            for exp in [START, START - 1] {
                let backwards = door.with_claims(&json!({ "iat": START, "exp": exp }));
                door.refuses(&backwards, "it ends before it begins").await;
            }
        }
    }
});

attack!(attack_33_a_token_for_somebody_else_is_refused, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        // Our own tokens name their app by its domain id, and have no audience at all.
        if door.is_own() {
            for audience in [json!(APP), json!([APP]), json!([]), json!(5), json!(null)] {
                door.refuses(&door.with_claims(&json!({ "aud": audience })), "an audience").await;
            }
            other_domains(&world, &door).await;
            continue;
        }
        let right = door.claims["aud"].as_str().unwrap().to_owned();
        for audience in [
            json!("-"),
            json!(null),
            json!(5),
            json!(true),
            json!({}),
            json!({ "0": right }),
            json!(""),
            json!([]),
            json!([[right]]),
            json!([right, 5]),
            json!([right, null]),
            json!(OTHER),
            json!([OTHER]),
            json!(right.to_uppercase()),
            json!(format!("{right} ")),
            json!(format!("{right},{OTHER}")),
            json!(format!("{right}\0")),
            json!(&right[..right.len() - 1]),
            json!("*"),
        ] {
            door.refuses(&door.with_claims(&json!({ "aud": audience })), &audience.to_string()).await;
        }
        door.admits(&door.with_claims(&json!({ "aud": [right] })), "a list of it").await;
        // Everybody whom an ID token is for can use it: one that is also for a stranger is refused.
        let both = door.with_claims(&json!({ "aud": [right, OTHER] }));
        if door.entrance == Entrance::IdToken {
            door.refuses(&both, "a stranger as well").await;
            door.refuses(&door.with_claims(&json!({ "azp": OTHER })), "a stranger asked for it").await;
        } else {
            door.admits(&both, "others as well").await;
        }
    }
    named_audiences(&world).await;
});

attack!(attack_34_another_issuer_s_token_is_refused, |world| {
    for door in world.doors().await {
        door.admits(&door.token(), "the control").await;
        let issuer = door.claims["iss"].clone();
        for other in
            [json!([CORP]), json!([issuer]), json!([]), json!({}), json!(5), json!(null), json!(false)]
        {
            if door.entrance != Entrance::Refresh {
                door.refuses(&door.with_claims(&json!({ "iss": other })), &other.to_string()).await;
            }
        }
    }
    let id = world.id_door(&world.federated().await);
    for issuer in [
        "-".to_owned(),
        String::new(),
        format!("{CORP}/"),
        CORP.to_uppercase(),
        CORP.replace("https", "HTTPS"),
        CORP.replace("login", "Login"),
        CORP.replace("https", "http"),
        CORP.replace("https://", ""),
        format!("{CORP}:443"),
        format!("{CORP}.evil.example"),
        format!("{CORP}/../"),
        format!(" {CORP}"),
        format!("{CORP}\0"),
        "https://accounts.google.com".to_owned(),
    ] {
        id.refuses(&id.with_claims(&json!({ "iss": issuer })), &issuer).await;
    }
    // The issuer of an access token is its session, and of a refresh token there is none.
    for door in world.own_doors(&world.engine).await {
        let claim = if door.entrance == Entrance::Access { "iss" } else { "baas_id" };
        let session = door.claims[claim].as_str().unwrap();
        let upper = session.to_uppercase();
        for other in
            ["-", "", upper.as_str(), "ffffffffffffffffffffffff", CORP, &format!("{session}/"), &session[1..]]
        {
            let mut changes = json!({ claim: other });
            if door.entrance == Entrance::Refresh {
                changes["stitch_id"] = other.into();
            }
            let unknown = other == "ffffffffffffffffffffffff" && door.entrance == Entrance::Refresh;
            if other == session {
                continue;
            }
            if unknown {
                // A session that has ended looks so, too.
                door.refuses_expired(&door.with_claims(&changes), other).await;
            } else {
                door.refuses(&door.with_claims(&changes), other).await;
            }
        }
    }
    let refresh = world.own_doors(&world.engine).await.remove(1);
    refresh.refuses(&refresh.with_claims(&json!({ "iss": refresh.claims["baas_id"] })), "an issuer").await;
});

/// The claims with a date of any spelling.
fn dated(door: &Door, claim: &str, date: &str) -> String {
    let mut claims = door.claims.clone();
    claims[claim] = "the date".into();
    claims.to_string().replace("\"the date\"", date)
}

async fn other_domains(world: &World, door: &Door) {
    let other = Client::new(&world.engine, OTHER).guest().await;
    let other = parts(&other.access.unwrap()).1["baas_domain_id"].clone();
    let right = &door.claims["baas_domain_id"];
    for domain in [json!("-"), json!(null), json!(5), json!([right]), json!(""), json!(APP), other] {
        let why = format!("the domain {domain}");
        let both = json!({ "baas_domain_id": domain, "stitch_domainId": domain });
        door.refuses(&door.with_claims(&both), &why).await;
        for one in ["baas_domain_id", "stitch_domainId"] {
            door.refuses(&door.with_claims(&json!({ one: domain })), &why).await;
        }
    }
}

/// An app that names whom tokens have to be for: all of them, or any.
async fn named_audiences(world: &World) {
    for (any, audience, admitted) in [
        (false, json!(["web", "mobile"]), true),
        (false, json!(["mobile", "tv", "web"]), true),
        (false, json!("web"), false),
        (false, json!(["web"]), false),
        (true, json!("web"), true),
        (true, json!(["tv", "mobile"]), true),
        (true, json!(["tv"]), false),
        (true, json!([]), false),
        (true, json!(APP), false),
        (false, json!("-"), false),
    ] {
        let names = vec!["web".to_owned(), "mobile".to_owned()];
        let keys = custom_tokens(TokenKeySource::Jwks { url: KEYS.to_owned() });
        let app = bare(CustomTokenConfig { audience: Audience { names, any }, ..keys });
        let door = world.custom_door(&world.engine_with(app, |builder| builder).await, Signer::EdDsa);
        let token = door.with_claims(&json!({ "aud": audience }));
        if admitted {
            door.admits(&token, &audience.to_string()).await;
        } else {
            door.refuses(&token, &format!("{audience}, any: {any}")).await;
        }
    }
}
