//! Attacks 39 and 70 to 75: log-in at other services, which lie, and in browsers, which are led astray.

use std::time::Duration;

use backstitch::app::AppConfig;
use backstitch::auth::config::{OAuthConfig, ProviderKind};
use backstitch::id::UserId;
use backstitch_tests::{Browser, CLIENT_ID, PAGE, assert_refused, metadata, oauth_settings};
use serde_json::json;

use crate::world::{APP, START, World, club};

/// A service.
pub const CORP: &str = "https://login.corp.example";
/// Another one.
pub const GOOGLE: &str = "https://accounts.google.com";

/// The club with services to log in at beside everything else.
pub fn club_with(services: impl IntoIterator<Item = OAuthConfig>) -> AppConfig {
    services.into_iter().fold(club(), |app, service| app.provider(ProviderKind::OAuth(Box::new(service))))
}

/// A world where people log in at [`CORP`].
pub async fn corp(world: World) -> (World, Browser) {
    let world = world.serving(club_with([oauth_settings("oidc-corp", Some(CORP))]), |builder| builder).await;
    let browser = world.browser();
    (world, browser)
}

/// Where [`CORP`] says what it is.
pub fn discovery() -> String {
    format!("{CORP}/.well-known/openid-configuration")
}

attack!(attack_39_the_same_subject_of_two_services_is_two_people, |world| {
    let services = [oauth_settings("oidc-corp", Some(CORP)), oauth_settings("oidc-other", Some(GOOGLE))];
    let world = world.serving(club_with(services), |builder| builder).await;
    let browser = world.browser();
    let mut people = Vec::new();
    for (provider, issuer) in [("oidc-corp", CORP), ("oidc-other", GOOGLE), ("oidc-corp", CORP)] {
        let token = browser.id_token(issuer, "person-1", json!({}));
        let reply = world.log_in(provider, json!({ "id_token": token })).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        people.push(reply.json()["user_id"].as_str().unwrap().to_owned());
    }
    assert_ne!(people[0], people[1]);
    assert_eq!(people[0], people[2]);
    // Nor does the token of one service log in at the other.
    let token = browser.id_token(GOOGLE, "person-1", json!({}));
    assert_refused(&world.log_in("oidc-corp", json!({ "id_token": token })).await, "AuthError");
    assert_eq!(world.users().await.len(), 2);
});

attack!(attack_70_a_state_that_is_missing_wrong_used_late_or_another_browsers_is_refused, |world| {
    let (world, browser) = corp(world).await;
    let away = browser.begin("oidc-corp").await;
    let state = away.query["state"].clone();
    browser.allow(&away, "c", CORP, json!({}));
    let good = format!("code=c&state={state}");
    let other_app = format!("code=c&state={}", state.replacen("Y2x1Yi1hYmNkZQ", "b3RoZXItYWJjZGU", 1));
    assert_ne!(good, other_app);
    let stranger = browser.begin("oidc-corp").await.cookie;
    for (query, cookie, code) in [
        ("code=c", away.cookie.as_str(), "AuthError"),
        ("code=c&state=", &away.cookie, "AuthError"),
        ("code=c&state=nonsense.nonsense", &away.cookie, "AuthError"),
        (&other_app, &away.cookie, "AuthError"),
        (&good, "", "AuthError"),
        (&good, &stranger, "AuthError"),
        (&good, &format!("{}x", away.cookie), "AuthError"),
        (&good, &format!("{}; {}", away.cookie, away.cookie), "AuthError"),
        (&format!("{good}&state={state}"), &away.cookie, "InvalidParameter"),
        (&format!("{good}&code=d"), &away.cookie, "InvalidParameter"),
    ] {
        let reply = browser.come_back(query, cookie).await;
        assert_refused(&reply, code);
        assert!(reply.headers.get("location").is_none());
    }
    assert_eq!(world.users().await.len(), 0);
    // None of them has used it up.
    assert!(browser.fragment(&browser.come_back(&good, &away.cookie).await).contains_key("_baas_ua"));
    assert_refused(&browser.come_back(&good, &away.cookie).await, "AuthError");
    let late = browser.begin("oidc-corp").await;
    world.clock.advance(Duration::from_secs(30 * 60));
    let reply = browser.come_back(&format!("code=c&state={}", late.query["state"]), &late.cookie).await;
    assert_refused(&reply, "AuthError");
    assert_eq!(world.users().await.len(), 1);
});

attack!(attack_71_a_code_of_another_challenge_is_worth_nothing_and_plain_is_not_spoken, |world| {
    let (world, browser) = corp(world).await;
    let (mine, stolen) = (browser.begin("oidc-corp").await, browser.begin("oidc-corp").await);
    browser.allow(&stolen, "stolen", CORP, json!({ "nonce": mine.query["nonce"] }));
    assert_eq!(browser.finish(&mine, "stolen").await["_baas_error"], "the log-in service refused the code");
    // Nor is a code that a client brings along without the verifier.
    browser.allow(&browser.begin("oidc-corp").await, "bare", CORP, json!({}));
    for credential in [
        json!({ "authCode": "bare", "redirectUri": PAGE }),
        json!({ "authCode": "bare", "redirectUri": PAGE, "codeVerifier": "" }),
        json!({ "authCode": "bare", "redirectUri": PAGE, "codeVerifier": "x".repeat(43) }),
    ] {
        let reply = world.log_in("oidc-corp", credential).await;
        assert!(reply.status >= 400 && reply.json()["error_code"] != "InvalidSession", "{reply:?}");
    }
    assert_eq!(world.users().await.len(), 0);
    let own = browser.round_trip("oidc-corp", CORP, json!({})).await;
    assert!(own.contains_key("_baas_ua"), "the control");

    let (world, browser) = corp(world).await;
    let mut downgraded = metadata(CORP);
    downgraded["code_challenge_methods_supported"] = json!(["plain"]);
    world.service.answer(&discovery(), 200, downgraded);
    assert_refused(&browser.get(&browser.login_path("oidc-corp"), &[]).await, "AuthError");
});

attack!(attack_72_only_a_listed_address_is_gone_back_to, |world| {
    let (_world, browser) = corp(world).await;
    for redirect in [
        "",
        "https://club.example/signed-in/",
        "https://club.example/signed-in?x=1",
        "https://club.example/signed-in%23x",
        "https://club.example/signed-in/../evil",
        "https://club.example@evil.example/signed-in",
        "https://evil.example/signed-in",
        "https://CLUB.example/signed-in",
        "javascript:alert(1)",
    ] {
        let path = format!("/app/{APP}/auth/providers/oidc-corp/login?state=abc&redirect={redirect}");
        let reply = browser.get(&path, &[]).await;
        assert_eq!(reply.status, 400, "{redirect}");
        assert_refused(&reply, "InvalidRedirectURI");
        assert!(reply.headers.get("location").is_none(), "{redirect}");
    }
    let missing = browser.get(&format!("/app/{APP}/auth/providers/oidc-corp/login"), &[]).await;
    assert_eq!(missing.status, 400);
    for provider in ["oidc", "local-userpass"] {
        assert_refused(&browser.get(&browser.login_path(provider), &[]).await, "AuthProviderNotFound");
    }
    browser.begin("oidc-corp").await;
});

attack!(attack_73_one_service_cannot_speak_for_another, |world| {
    let (world, browser) = corp(world).await;
    for issuer in ["https://evil.example", "https://login.corp.example/", "https://LOGIN.corp.example"] {
        let members = browser.round_trip("oidc-corp", CORP, json!({ "iss": issuer })).await;
        assert_eq!(members["_baas_error"], "the ID token is not valid", "{issuer}");
    }
    let mixed = browser.begin("oidc-corp").await;
    browser.allow(&mixed, "c", CORP, json!({}));
    world.service.asked();
    let query = format!("code=c&state={}&iss=https://evil.example", mixed.query["state"]);
    let members = browser.fragment(&browser.come_back(&query, &mixed.cookie).await);
    assert_eq!(members["_baas_error"], "the answer is another service's");
    assert_eq!(world.service.asked().len(), 0, "the code goes nowhere");
    assert_eq!(world.users().await.len(), 0);
    assert!(browser.round_trip("oidc-corp", CORP, json!({})).await.contains_key("_baas_ua"));

    let mut world = world;
    for issuer in ["https://evil.example", "https://login.corp.example/", "https://LOGIN.corp.example"] {
        let (next, browser) = corp(world).await;
        world = next;
        let mut forged = metadata(CORP);
        forged["issuer"] = issuer.into();
        world.service.answer(&discovery(), 200, forged);
        world.service.asked();
        assert_refused(&browser.get(&browser.login_path("oidc-corp"), &[]).await, "AuthError");
        assert_eq!(world.service.asked(), [discovery()]);
        browser.get(&browser.login_path("oidc-corp"), &[]).await;
        assert_eq!(world.service.asked().len(), 0, "a service that fails is left alone for a while");
    }
});

attack!(attack_74_a_token_for_another_log_in_or_for_somebody_else_is_refused, |world| {
    let (world, browser) = corp(world).await;
    let older = browser.begin("oidc-corp").await.query["nonce"].clone();
    for (why, more) in [
        ("nonce missing", json!({ "nonce": null })),
        ("nonce of another log-in", json!({ "nonce": older })),
        ("nonce of another type", json!({ "nonce": 5 })),
        ("for another", json!({ "aud": "client-2" })),
        ("for another beside us", json!({ "aud": [CLIENT_ID, "client-2"], "azp": CLIENT_ID })),
        ("twice for us, asked for by nobody", json!({ "aud": [CLIENT_ID, CLIENT_ID] })),
        ("asked for by another", json!({ "azp": "client-2" })),
        ("expired", json!({ "exp": START - 60 })),
        ("of nobody", json!({ "sub": "" })),
        ("of a number", json!({ "sub": 5 })),
    ] {
        let members = browser.round_trip("oidc-corp", CORP, more).await;
        assert_eq!(members["_baas_error"], "the ID token is not valid", "{why}");
        assert!(!members.contains_key("_baas_ua"), "{why}");
    }
    assert_eq!(world.users().await.len(), 0);
    let away = browser.begin("oidc-corp").await;
    let query = format!("error=access_denied&error_description=%3Cb%3Eevil&state={}", away.query["state"]);
    let members = browser.fragment(&browser.come_back(&query, &away.cookie).await);
    assert_eq!(members["_baas_error"], "the log-in was not allowed at the service");
    let ours = json!({ "aud": [CLIENT_ID, CLIENT_ID], "azp": CLIENT_ID });
    assert!(browser.round_trip("oidc-corp", CORP, ours).await.contains_key("_baas_ua"));
});

attack!(attack_75_an_e_mail_address_that_is_not_verified_finds_nobody, |world| {
    let (world, browser) = corp(world).await;
    let local = world.person("a@corp.example").await;
    // Of an address that is known to be unverified nothing is kept; many services say neither.
    for (verified, kept) in
        [(json!(false), None), (json!("false"), None), (json!(null), Some("a@corp.example"))]
    {
        let more = json!({ "email": "a@corp.example", "email_verified": verified });
        let token = browser.id_token(CORP, "person-1", more);
        let reply = world.log_in("oidc-corp", json!({ "id_token": token })).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let user = UserId::parse(reply.json()["user_id"].as_str().unwrap()).unwrap();
        assert_ne!(Some(user.to_hex()), local.user);
        let found = world.app().users().get(user).await.unwrap();
        assert_eq!((found.identities.len(), found.data().get_str("email").ok()), (1, kept));
    }
    assert_eq!(world.users().await.len(), 2);
});
