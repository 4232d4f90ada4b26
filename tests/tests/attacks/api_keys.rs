//! Attacks 79 to 81: API keys, made for others, worth nothing any more, or used for more than they are for.

use std::sync::Arc;

use backstitch::error::ErrorKind;
use backstitch::id::UserId;
use backstitch::secret::Secret;
use backstitch_tests::{Client, CountingStore, oauth_settings};
use serde_json::{Value, json};

use crate::federation::{CORP, club_with};
use crate::world::{PASSWORD, World, club};

const KEYS: &str = "/auth/api_keys";

/// A fresh key of the client's user: its id and the key itself.
async fn key_of(client: &Client, name: &str) -> (String, String) {
    let made = client.send("POST", KEYS, client.refresh.as_deref(), Some(json!({ "name": name }))).await;
    assert_eq!(made.status, 201, "{made:?}");
    let text = |field: &str| made.json()[field].as_str().unwrap().to_owned();
    (text("_id"), text("key"))
}

fn id_of(client: &Client) -> UserId {
    UserId::parse(client.user.as_deref().unwrap()).unwrap()
}

/// How many keys the users have, and the app itself.
async fn keys(world: &World, owners: &[&Client]) -> Vec<usize> {
    let keys = world.app().api_keys();
    let mut counts = vec![keys.list().await.unwrap().len()];
    for owner in owners {
        counts.push(keys.of(id_of(owner)).list().await.unwrap().len());
    }
    counts
}

attack!(attack_79_a_key_is_made_for_whoever_has_the_session_and_for_nobody_else, |world| {
    let (ada, bob) = (world.person("ada@club.example").await, world.person("bob@club.example").await);
    let victim = ada.user.as_deref().unwrap();
    let body = json!({
        "name": "stolen", "user_id": victim, "userId": victim, "user": victim, "owner": victim, "sub": victim,
    });
    for (token, code) in [
        (None, "MissingAuthReq"),
        (Some(""), "InvalidSession"),
        (Some("no.token.atall"), "InvalidSession"),
        (ada.access.as_deref(), "InvalidSession"),
    ] {
        let reply = bob.send("POST", KEYS, token, Some(body.clone())).await;
        assert_eq!((reply.status, reply.json()["error_code"].as_str()), (401, Some(code)), "{token:?}");
    }
    let guest = world.client().guest().await;
    let refused = guest.send("POST", KEYS, guest.refresh.as_deref(), Some(body.clone())).await;
    assert_eq!((refused.status, &refused.json()["error_code"]), (403, &json!("NotPermitted")));
    assert_eq!(keys(&world, &[&ada, &bob]).await, [0, 0, 0]);

    // With a session it is the session's own, whoever the body names.
    let made = bob.send("POST", KEYS, bob.refresh.as_deref(), Some(body)).await.json();
    assert_eq!(keys(&world, &[&ada, &bob]).await, [0, 0, 1]);
    let by_key = world.client().log_in("api-key", json!({ "key": made["key"] })).await;
    assert_eq!(by_key.user, bob.user);
    // Nor does somebody else's session reach it.
    let own = format!("{KEYS}/{}", made["_id"].as_str().unwrap());
    for (method, path) in [
        ("GET", own.clone()),
        ("PUT", format!("{own}/disable")),
        ("PUT", format!("{own}/enable")),
        ("DELETE", own.clone()),
    ] {
        let reply = ada.send(method, &path, ada.refresh.as_deref(), None).await;
        assert_eq!((reply.status, &reply.json()["error_code"]), (404, &json!("APIKeyNotFound")), "{path}");
    }
    assert_eq!(bob.send("GET", &own, bob.refresh.as_deref(), None).await.json()["disabled"], false);
});

attack!(attack_80_a_key_that_is_none_any_more_is_refused_like_one_that_never_was, |world| {
    let counted = CountingStore::new(Arc::clone(&world.store));
    let world = world.serving(club(), |builder| builder.store(Arc::new(counted.clone()))).await;
    let (ada, bob) = (world.person("ada@club.example").await, world.person("bob@club.example").await);
    let (_, good) = key_of(&ada, "good").await;
    let (disabled_id, disabled) = key_of(&ada, "disabled").await;
    let (deleted_id, deleted) = key_of(&ada, "deleted").await;
    let (_, orphan) = key_of(&bob, "orphan").await;
    for (method, path) in
        [("PUT", format!("{KEYS}/{disabled_id}/disable")), ("DELETE", format!("{KEYS}/{deleted_id}"))]
    {
        assert_eq!(ada.send(method, &path, ada.refresh.as_deref(), None).await.status, 204);
    }
    world.app().users().delete(id_of(&bob)).await.unwrap();
    let swapped = |at: usize| {
        let letter = if good.as_bytes()[at] == b'a' { "b" } else { "a" };
        format!("{}{letter}{}", &good[..at], &good[at + 1..])
    };
    let refused = json!({ "error": "invalid API key", "error_code": "AuthError" });
    counted.take_asked();
    for (why, key) in [
        ("disabled", disabled),
        ("deleted", deleted),
        ("its owner is gone", orphan),
        ("another first letter", swapped(0)),
        ("another last letter", swapped(63)),
        ("cut short", good[..63].to_owned()),
        ("its beginning", good[..8].to_owned()),
        ("too long", format!("{good}a")),
        ("with a space", format!(" {good}")),
        ("its id", disabled_id),
        ("nothing", String::new()),
        ("a hash of one", "0".repeat(64)),
    ] {
        let reply = world.log_in("api-key", json!({ "key": key })).await;
        assert_eq!((reply.status, reply.json()), (401, refused.clone()), "{why}");
        // One look by the hash, whatever is right about it.
        assert_eq!(counted.take_asked(), ["api_key_by_hash"], "{why}");
        let request = http::Request::post(format!("/api/client/v2.0/app/{}/graphql", crate::world::APP))
            .header("apiKey", &key)
            .body(bytes::Bytes::from(json!({ "query": "{ __typename }" }).to_string()));
        assert_eq!(world.send(request.unwrap()).await.json(), refused, "{why}");
        assert_eq!(counted.take_asked(), ["api_key_by_hash"], "{why}");
    }
    let huge = world.log_in("api-key", json!({ "key": "x".repeat(1_000_000) })).await;
    assert_eq!((huge.json(), counted.take_asked().len()), (refused, 0), "no key is that long");
    for key in [json!(null), json!(5), json!({ "$ne": "" }), json!([good])] {
        assert_eq!(world.log_in("api-key", json!({ "key": key })).await.status, 400, "{key}");
    }
    let other = Client::new(&world.engine, crate::world::OTHER);
    let path = "/app/{app}/auth/providers/api-key/login";
    assert_eq!(other.send("POST", path, None, Some(json!({ "key": good }))).await.status, 404);
    assert_eq!(world.client().log_in("api-key", json!({ "key": good })).await.user, ada.user);
});

attack!(attack_81_a_session_from_a_key_makes_no_keys_and_changes_no_credentials, |world| {
    let world = world.serving(club_with([oauth_settings("oidc-corp", Some(CORP))]), |builder| builder).await;
    let (browser, ada) = (world.browser(), world.person("ada@club.example").await);
    let (own_id, own) = key_of(&ada, "laptop").await;
    let server = world.app().api_keys().create("server").await.unwrap().key.unwrap();
    for key in [own.as_str(), server.expose()] {
        let by_key = world.client().log_in("api-key", json!({ "key": key })).await;
        let (access, refresh) = (by_key.access.as_deref(), by_key.refresh.as_deref());
        let link = "/app/{app}/auth/providers/local-userpass/login?link=true";
        let credential = json!({ "username": "ada@club.example", "password": PASSWORD });
        for (method, path, token, body) in [
            ("POST", KEYS.to_owned(), refresh, json!({ "name": "more" })),
            ("GET", KEYS.to_owned(), refresh, Value::Null),
            ("GET", format!("{KEYS}/{own_id}"), refresh, Value::Null),
            ("PUT", format!("{KEYS}/{own_id}/disable"), refresh, Value::Null),
            ("DELETE", format!("{KEYS}/{own_id}"), refresh, Value::Null),
            ("POST", link.to_owned(), access, credential),
            ("DELETE", "/auth/delete".to_owned(), access, Value::Null),
        ] {
            let reply = by_key.send(method, &path, token, Some(body)).await;
            assert_eq!((reply.status, &reply.json()["error_code"]), (403, &json!("NotPermitted")), "{path}");
        }
        let bearer = format!("Bearer {}", access.unwrap());
        let path = format!("{}&link=true&providerRedirectHeader=true", browser.login_path("oidc-corp"));
        let begun = browser.get(&path, &[("authorization", &bearer)]).await;
        assert_eq!((begun.status, &begun.json()["error_code"]), (403, &json!("NotPermitted")));

        let (app, actor) = (world.app(), world.actor(&by_key).await);
        let (present, new) = (Secret::new(PASSWORD), Secret::new("battery staple"));
        for outcome in [
            app.change_password(&actor, &present, &new).await,
            app.request_email_change(&actor, "new@club.example", "https://club.example/moved").await,
            app.unlink(&actor, "local-userpass", "any").await,
            app.link(&actor, "anon-user", bson::doc! {}).await,
        ] {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::NotPermitted);
        }
        // For what it is there, it is good.
        assert_eq!(by_key.send("GET", "/auth/profile", access, None).await.status, 200);
        assert_eq!(by_key.send("POST", "/auth/session", refresh, None).await.status, 201);
    }
    assert_eq!(keys(&world, &[&ada]).await, [1, 1]);
    let credential = json!({ "username": "ada@club.example", "password": PASSWORD });
    assert_eq!(world.client().log_in("local-userpass", credential).await.user, ada.user);
    let bearer = format!("Bearer {}", ada.access.as_deref().unwrap());
    let path = format!("{}&link=true", browser.login_path("oidc-corp"));
    assert_eq!(browser.get(&path, &[("authorization", &bearer)]).await.status, 302, "the control");
});
