//! Attacks 85 and 86: what the engine is made to ask, and what functions answer it.

use backstitch::app::AppConfig;
use backstitch::auth::config::{
    Audience, CustomFunctionConfig, CustomTokenConfig, ProviderKind, TokenKeySource,
};
use backstitch::functions::{FunctionCall, FunctionFailure};
use backstitch::id::AppId;
use backstitch_tests::{IdentityService, assert_refused, metadata, oauth_settings};
use bson::Bson;
use serde_json::{Value, json};

use crate::federation::{CORP, club_with, corp, discovery};
use crate::world::{APP, START};

attack!(attack_85_a_service_at_a_private_address_is_not_asked, |world| {
    let mut world = world;
    for issuer in [
        "http://login.corp.example",
        "https://127.0.0.1:8080",
        "https://169.254.169.254",
        "https://localhost",
        "https://[::ffff:10.0.0.1]",
    ] {
        let app = club_with([oauth_settings("oidc-corp", Some(issuer))]);
        world = world.serving(app, |builder| builder).await;
        let browser = world.browser();
        assert_refused(&browser.get(&browser.login_path("oidc-corp"), &[]).await, "HTTPError");
        assert_eq!(world.service.asked().len(), 0, "{issuer}");
    }
    // Nor where a public one redirects to, or its document points to.
    let (world, browser) = corp(world).await;
    world.service.answer(&discovery(), 302, json!({}));
    assert_refused(&browser.get(&browser.login_path("oidc-corp"), &[]).await, "HTTPError");
    assert_eq!(world.service.asked().len(), 1);
    let (world, browser) = corp(world).await;
    let mut pointing = metadata(CORP);
    pointing["jwks_uri"] = "https://[::1]/jwks".into();
    world.service.answer(&discovery(), 200, pointing);
    let token = browser.id_token(CORP, "person-1", json!({}));
    let reply = world.log_in("oidc-corp", json!({ "id_token": token })).await;
    assert!(!reply.json()["user_id"].is_string() && reply.json()["error_code"] != "InvalidSession");
    assert_eq!(world.service.asked(), [discovery()]);
    assert_eq!(world.users().await.len(), 0);
});

attack!(attack_85_a_key_set_at_a_private_address_is_not_fetched, |world| {
    let app = |url: &str| {
        let keys = TokenKeySource::Jwks { url: url.to_owned() };
        let tokens = CustomTokenConfig { keys, audience: Audience::default(), metadata: Vec::new() };
        AppConfig::new("club").with_id(AppId::new(APP)).provider(ProviderKind::CustomToken(tokens))
    };
    let token = IdentityService::sign(&json!({ "aud": APP, "sub": "u", "iat": START, "exp": START + 3600 }));
    let mut world = world;
    for url in [
        "http://login.corp.example/jwks",
        "https://127.0.0.1/jwks",
        "https://10.0.0.1/jwks",
        "https://[fd00::1]/jwks",
        "https://169.254.169.254/latest/meta-data",
        "https://user:word@login.corp.example/jwks",
    ] {
        world = world.serving(app(url), |builder| builder).await;
        let reply = world.log_in("custom-token", json!({ "token": token })).await;
        assert!(reply.status >= 400 && reply.json()["error_code"] != "InvalidSession", "{url}: {reply:?}");
        assert_eq!(world.service.asked().len(), 0, "{url}");
    }
    assert_eq!(world.users().await.len(), 0);
    let world = world.serving(app("https://login.corp.example/jwks"), |builder| builder).await;
    let reply = world.log_in("custom-token", json!({ "token": token })).await;
    assert_eq!(reply.status, 200, "the control: {reply:?}");
});

attack!(attack_86_a_function_that_proves_nobody_makes_no_user, |world| {
    let app = AppConfig::new("club")
        .with_id(AppId::new(APP))
        .provider(ProviderKind::CustomFunction(CustomFunctionConfig { function: "whoIsIt".to_owned() }));
    let function = async |call: FunctionCall| {
        let payload = call.arguments.first().and_then(Bson::as_document).cloned().unwrap_or_default();
        match payload.get_str("how").unwrap_or_default() {
            "throw" => Err(FunctionFailure::new("thrown on purpose")),
            "panic" => panic!("a secret of the function"),
            _ => Ok(payload.get("answer").cloned().unwrap_or(Bson::Null)),
        }
    };
    let world = world.serving(app, |builder| builder.function("whoIsIt", function)).await;
    let huge = "x".repeat(1_000_000);
    let no_id = "the authentication function gave back no id";
    for (payload, text) in [
        (json!({}), no_id),
        (json!({ "answer": null }), no_id),
        (json!({ "answer": "" }), no_id),
        (json!({ "answer": 5 }), no_id),
        (json!({ "answer": ["u"] }), no_id),
        (json!({ "answer": true }), no_id),
        (json!({ "answer": {} }), no_id),
        (json!({ "answer": { "id": "" } }), no_id),
        (json!({ "answer": { "id": { "$gt": "" } } }), no_id),
        (json!({ "answer": { "id": null, "name": "Ada" } }), no_id),
        (json!({ "answer": huge }), no_id),
        (json!({ "answer": { "id": huge } }), no_id),
        (json!({ "how": "throw" }), "thrown on purpose"),
        (json!({ "how": "panic" }), "the function failed"),
    ] {
        let shown: String = payload.to_string().chars().take(60).collect();
        let reply = world.log_in("custom-function", payload).await;
        assert_eq!((reply.status, &reply.json()["error"]), (401, &json!(text)), "{shown}");
        assert_refused(&reply, "AuthError");
    }
    assert_eq!(world.users().await.len(), 0);
    for answer in [json!("u1"), json!({ "id": "u1", "name": "Ada" })] {
        let reply = world.log_in("custom-function", json!({ "answer": answer })).await;
        assert_eq!(reply.status, 200, "the control: {reply:?}");
    }
    let users = world.users().await;
    let data: Value = Bson::Document(users[0].data()).into();
    assert_eq!((users.len(), data), (1, json!({ "name": "Ada" })));
});
