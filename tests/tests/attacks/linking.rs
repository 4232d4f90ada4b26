//! Attacks 76 to 78: what a user gets, and loses, by ways in that are added and taken away.

use backstitch::id::UserId;
use backstitch::secret::Secret;
use backstitch_tests::{Away, Client};
use serde_json::json;

use crate::federation::{CORP, corp};
use crate::world::{PASSWORD, World};

const LINK: &str = "/app/{app}/auth/providers/local-userpass/login?link=true";

/// How many ways in the client's user has.
async fn identities(world: &World, client: &Client) -> usize {
    let user = UserId::parse(client.user.as_deref().unwrap()).unwrap();
    world.app().users().get(user).await.unwrap().identities.len()
}

attack!(attack_76_an_address_that_nobody_confirmed_is_merged_with_no_verified_one, |world| {
    let (world, browser) = corp(world).await;
    // Somebody registers an address that is not theirs, and waits for its owner.
    world.app().register("victim@corp.example", &Secret::new("attacker's own")).await.unwrap();
    let more = json!({ "email": "victim@corp.example", "email_verified": true });
    let token = browser.id_token(CORP, "victim", more);
    let owner = world.log_in("oidc-corp", json!({ "id_token": token })).await.json();
    let attacker = json!({ "username": "victim@corp.example", "password": "attacker's own" });
    let refused = world.log_in("local-userpass", attacker.clone()).await;
    assert_eq!((refused.status, &refused.json()["error"]), (401, &json!("confirmation required")));
    let users = world.users().await;
    assert_eq!(users.len(), 1);
    assert_eq!(users[0].identities.len(), 1, "the registration is none of the owner's ways in");
    // Even once it is confirmed, it is somebody else.
    world.app().users().confirm("victim@corp.example").await.unwrap();
    let other = world.log_in("local-userpass", attacker).await.json();
    assert!(other["user_id"].is_string() && other["user_id"] != owner["user_id"], "{other}");
});

attack!(attack_77_an_identity_that_is_somebody_elses_stays_theirs, |world| {
    let owner = world.person("a@club.example").await;
    let guest = world.client().guest().await;
    let credential = json!({ "username": "a@club.example", "password": PASSWORD });
    let refused = guest.send("POST", LINK, guest.access.as_deref(), Some(credential.clone())).await;
    let text = "a user already exists with the specified provider";
    assert_eq!(refused.json(), json!({ "error": text, "error_code": "AuthError" }));
    assert_eq!((identities(&world, &owner).await, identities(&world, &guest).await), (1, 1));
    for client in [&owner, &guest] {
        assert_eq!(client.send("GET", "/auth/profile", client.access.as_deref(), None).await.status, 200);
    }
    assert_eq!(world.client().log_in("local-userpass", credential).await.user, owner.user);
    // One that nobody has is linked.
    world.app().users().create("b@club.example", &Secret::new(PASSWORD)).await.unwrap();
    let free = json!({ "username": "b@club.example", "password": PASSWORD });
    let linked = guest.send("POST", LINK, guest.access.as_deref(), Some(free)).await;
    assert_eq!((linked.status, identities(&world, &guest).await), (200, 2));
});

attack!(attack_77_a_link_by_redirect_adds_the_identity_of_nobody_else, |world| {
    let (world, browser) = corp(world).await;
    let path = format!("{}&link=true&providerRedirectHeader=true", browser.login_path("oidc-corp"));
    assert_eq!(browser.get(&path, &[]).await.json()["error_code"], "MissingAuthReq");
    let person = world.person("a@club.example").await;
    let bearer = format!("Bearer {}", person.access.as_deref().unwrap());
    let begin = async || {
        let headers = [("authorization", bearer.as_str()), ("origin", "https://club.example")];
        let reply = browser.get(&path, &headers).await;
        assert_eq!((reply.status, reply.body.len()), (200, 0));
        assert!(reply.headers.get("content-type").is_none() && reply.headers.get("location").is_none());
        assert_eq!(reply.headers["x-baas-location"], reply.headers["x-stitch-location"]);
        assert_eq!(reply.headers["access-control-allow-credentials"], "true");
        Away::read(&reply, "x-baas-location")
    };
    let finish = async |away: &Away, subject: &str| {
        browser.allow(away, "c", CORP, json!({ "sub": subject }));
        browser.finish(away, "c").await
    };
    let members = finish(&begin().await, "mine").await;
    assert_eq!(members["_baas_link"], "ok");
    assert_eq!(members["_baas_ua"].split('$').nth(2), person.user.as_deref());
    assert_eq!(identities(&world, &person).await, 2);
    assert_eq!(person.send("GET", "/auth/profile", person.access.as_deref(), None).await.status, 200);

    let theirs = json!({ "id_token": browser.id_token(CORP, "theirs", json!({})) });
    let before = world.log_in("oidc-corp", theirs.clone()).await.json();
    let members = finish(&begin().await, "theirs").await;
    assert_eq!(members["_baas_error"], "a user already exists with the specified provider");
    assert_eq!(identities(&world, &person).await, 2);
    assert_eq!(world.log_in("oidc-corp", theirs).await.json()["user_id"], before["user_id"]);

    let away = begin().await;
    person.send("DELETE", "/auth/session", person.refresh.as_deref(), None).await;
    let members = finish(&away, "late").await;
    assert_eq!(members["_baas_error"], "the session that wanted to link has ended");
    assert!(!members.contains_key("_baas_link") && !members.contains_key("_baas_ua"));
    assert_eq!(identities(&world, &person).await, 2);
});

attack!(attack_78_the_last_way_in_is_not_taken_away, |world| {
    let (world, browser) = corp(world).await;
    let guest = world.client().guest().await;
    world.app().users().create("a@club.example", &Secret::new(PASSWORD)).await.unwrap();
    let credential = json!({ "username": "a@club.example", "password": PASSWORD });
    let linked = guest.send("POST", LINK, guest.access.as_deref(), Some(credential)).await;
    assert_eq!(linked.status, 200, "{linked:?}");
    let user = UserId::parse(guest.user.as_deref().unwrap()).unwrap();
    let ways = world.app().users().get(user).await.unwrap().identities;
    let actor = world.actor(&guest).await;
    // Of two takings at once one leaves the other's.
    let (anonymous, email) = tokio::join!(
        world.app().unlink(&actor, "anon-user", &ways[0].id),
        world.app().unlink(&actor, "local-userpass", &ways[1].id),
    );
    assert_eq!([&anonymous, &email].iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let left = world.app().users().get(user).await.unwrap().identities;
    assert_eq!(left.len(), 1);
    let last = world.app().unlink(&actor, &left[0].provider, &left[0].id).await.unwrap_err();
    assert_eq!(last.hint(), "the last identity of a user cannot be unlinked");
    let strange = world.app().unlink(&actor, "oidc-corp", "person-1").await.unwrap_err();
    assert_eq!(strange.hint(), "the user has no such identity");
    // Nor one that is another user's.
    browser.round_trip("oidc-corp", CORP, json!({})).await;
    assert!(world.app().unlink(&actor, "oidc-corp", "person-1").await.is_err());
    assert_eq!(world.app().users().get(user).await.unwrap().identities, left);
});
