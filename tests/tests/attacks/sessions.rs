//! Attacks 44 to 54 and 56: sessions and their renewal. Sessions are `Fixed` (auth design §8): a refresh answers
//! with an access token and changes nothing, so that nobody can be rotated out.

use std::sync::Arc;
use std::time::Duration;

use backstitch::env::Env;
use backstitch::env::test::ManualClock;
use backstitch::id::UserId;
use backstitch::secret::Secret;
use backstitch::store::Session;
use backstitch_tests::{Client, CountingStore, Reply, oauth_settings};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::federation::{CORP, club_with};
use crate::world::{APP, PASSWORD, START, World, club};

const HOUR: Duration = Duration::from_secs(3600);
const LINK: &str = "/app/{app}/auth/providers/local-userpass/login?link=true";

/// What makes a session worth nothing.
const ENDINGS: [&str; 8] = [
    "logged out",
    "ended by hand",
    "all ended by hand",
    "expired",
    "disabled",
    "deleted",
    "a new password",
    "its way in taken away",
];

fn user_of(client: &Client) -> UserId {
    UserId::parse(client.user.as_deref().unwrap()).unwrap()
}

async fn refresh(client: &Client) -> Reply {
    client.send("POST", "/auth/session", client.refresh.as_deref(), None).await
}

async fn profile(client: &Client, access: &str) -> Reply {
    client.send("GET", "/auth/profile", Some(access), None).await
}

/// The access token of a refresh, which answers with nothing else.
#[track_caller]
fn renewed(reply: &Reply) -> String {
    assert_eq!(reply.status, 201, "{reply:?}");
    let body = reply.json();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["access_token"]);
    body["access_token"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_ended(reply: &Reply, text: &str, why: &str) {
    let expected = json!({ "error": text, "error_code": "InvalidSession" });
    assert_eq!((reply.status, reply.json()), (401, expected), "{why}");
}

impl World {
    async fn sessions_of(&self, client: &Client) -> Vec<Session> {
        let listed = self.app().users().sessions(user_of(client)).await.unwrap();
        listed.into_iter().map(|listed| listed.session).collect()
    }

    async fn end(&self, client: &Client, ending: &str) {
        let (users, user) = (self.app().users(), user_of(client));
        match ending {
            "logged out" => {
                let ended = client.send("DELETE", "/auth/session", client.refresh.as_deref(), None).await;
                assert_eq!(ended.status, 204);
            }
            "ended by hand" => {
                let session = self.sessions_of(client).await[0].id;
                assert!(users.end_session(user, session).await.unwrap());
            }
            "all ended by hand" => users.log_out(user).await.unwrap(),
            "expired" => self.clock.advance(60 * 24 * HOUR),
            "disabled" => users.disable(user).await.unwrap(),
            "deleted" => users.delete(user).await.unwrap(),
            "a new password" => {
                let (present, new) = (Secret::new(PASSWORD), Secret::new("battery staple"));
                self.app().change_password(&self.actor(client).await, &present, &new).await.unwrap();
            }
            _ => {
                let actor = self.actor(client).await;
                let token = self.browser().id_token(CORP, client.user.as_deref().unwrap(), json!({}));
                self.app().link(&actor, "oidc-corp", bson::doc! { "id_token": token }).await.unwrap();
                let identities = users.get(user).await.unwrap().identities;
                self.app().unlink(&actor, "local-userpass", &identities[0].id).await.unwrap();
            }
        }
    }
}

attack!(attack_44_a_hundred_refreshes_at_once_all_succeed, |world| {
    let ada = world.person("ada@club.example").await;
    let before = world.sessions_of(&ada).await;
    let mut refreshes = JoinSet::new();
    for _ in 0..100 {
        let ada = ada.clone();
        refreshes.spawn(async move { refresh(&ada).await });
    }
    for reply in refreshes.join_all().await {
        assert_eq!(profile(&ada, &renewed(&reply)).await.status, 200);
    }
    assert_eq!(world.sessions_of(&ada).await, before, "one session, of the generation that it had");
    assert_eq!(profile(&ada, ada.access.as_deref().unwrap()).await.status, 200, "nor is a token replaced");
});

attack!(attack_45_a_refresh_whose_answer_was_lost_is_asked_for_again, |world| {
    let ada = world.person("ada@club.example").await;
    renewed(&refresh(&ada).await);
    for _ in 0..3 {
        world.clock.advance(HOUR);
        assert_eq!(profile(&ada, &renewed(&refresh(&ada).await)).await.status, 200);
    }
});

attack!(attack_47_a_client_that_refreshes_a_thousand_times_is_never_rotated_out, |world| {
    let ada = world.person("ada@club.example").await;
    for round in 0..100 {
        let mut refreshes = JoinSet::new();
        for _ in 0..10 {
            let ada = ada.clone();
            refreshes.spawn(async move { refresh(&ada).await });
        }
        for reply in refreshes.join_all().await {
            renewed(&reply);
        }
        let last = renewed(&refresh(&ada).await);
        assert_eq!(profile(&ada, &last).await.status, 200, "{round}");
        world.clock.advance(10 * HOUR);
    }
    let sessions = world.sessions_of(&ada).await;
    assert_eq!((sessions.len(), sessions[0].generation), (1, 0));
});

attack!(attack_49_a_session_that_has_ended_is_not_renewed, |world| {
    let world = world.serving(club_with([oauth_settings("oidc-corp", Some(CORP))]), |builder| builder).await;
    for ending in ENDINGS {
        let person = world.person(&format!("{}@club.example", ending.replace(' ', "-"))).await;
        let other = world.client().guest().await;
        renewed(&refresh(&person).await);
        world.end(&person, ending).await;
        assert_ended(&refresh(&person).await, "invalid session: failed to find refresh token", ending);
        let sessions = if ending == "deleted" { Vec::new() } else { world.sessions_of(&person).await };
        assert!(sessions.is_empty() || ending == "expired", "{ending}");
        renewed(&refresh(&other).await);
    }
    // Enabled again, a user logs in again.
    let person = world.person("again@club.example").await;
    world.end(&person, "disabled").await;
    world.app().users().enable(user_of(&person)).await.unwrap();
    assert_ended(&refresh(&person).await, "invalid session: failed to find refresh token", "enabled again");
});

attack!(attack_50_a_busy_store_is_503_and_ends_no_session, |world| {
    let counted = CountingStore::new(Arc::clone(&world.store));
    let world = world.serving(club(), |builder| builder.store(Arc::new(counted.clone()))).await;
    let ada = world.person("ada@club.example").await;
    world.clock.advance(Duration::from_secs(120));
    counted.set_busy(true);
    let (access, token) = (ada.access.as_deref(), ada.refresh.as_deref());
    for (method, path, token) in [
        ("POST", "/auth/session", token),
        ("DELETE", "/auth/session", token),
        ("GET", "/auth/profile", access),
        ("GET", "/auth/api_keys", token),
        ("POST", "/app/{app}/graphql", access),
    ] {
        let reply = ada.send(method, path, token, None).await;
        let text = json!({ "error": "the store is busy, try again", "error_code": "ServiceUnavailable" });
        assert_eq!((reply.status, reply.json()), (503, text), "{method} {path}");
        assert_eq!(reply.headers["retry-after"], "1");
    }
    counted.set_busy(false);
    assert_eq!(profile(&ada, access.unwrap()).await.status, 200);
    assert_eq!(profile(&ada, &renewed(&refresh(&ada).await)).await.status, 200);
});

attack!(attack_51_where_access_is_refused_for_the_session_so_is_the_refresh, |world| {
    let world = world.serving(club_with([oauth_settings("oidc-corp", Some(CORP))]), |builder| builder).await;
    for ending in ENDINGS {
        let person = world.person(&format!("{}@club.example", ending.replace(' ', "-"))).await;
        let fresh = renewed(&refresh(&person).await);
        assert_eq!(profile(&person, &fresh).await.status, 200);
        world.end(&person, ending).await;
        // A client that answers a refused access with a refresh does not go round in circles.
        for access in [person.access.as_deref().unwrap(), &fresh] {
            let text = match ending {
                "expired" => "invalid session: access token expired",
                _ => "invalid session",
            };
            assert_ended(&profile(&person, access).await, text, ending);
            let graphql = json!({ "query": "{ __typename }" });
            let graphql = person.send("POST", "/app/{app}/graphql", Some(access), Some(graphql)).await;
            assert_ended(&graphql, text, ending);
        }
        assert_ended(&refresh(&person).await, "invalid session: failed to find refresh token", ending);
        let out = person.send("DELETE", "/auth/session", person.refresh.as_deref(), None).await;
        assert_ended(&out, "invalid session: failed to find refresh token", ending);
    }
});

attack!(attack_52_a_token_is_good_at_once_on_machines_whose_clocks_differ, |world| {
    let ada = world.person("ada@club.example").await;
    let token = renewed(&refresh(&ada).await);
    for (clock, status) in
        [(START - 5, 200), (START - 2, 200), (START, 200), (START + 2, 200), (START - 6, 401)]
    {
        let env = Env { clock: Arc::new(ManualClock::at(clock)), ..world.env() };
        let there = world.engine_with(club(), |builder| builder.env(env)).await;
        let client = Client::new(&there, APP);
        assert_eq!(profile(&client, &token).await.status, status, "{clock}");
        let reply = client.send("POST", "/auth/session", ada.refresh.as_deref(), None).await;
        assert_eq!(reply.status == 201, status == 200, "{clock}: {reply:?}");
        if status == 200 {
            assert_eq!(profile(&ada, &renewed(&reply)).await.status, 200, "{clock}, and back");
        }
    }
});

attack!(attack_53_logging_out_twice_is_tolerated, |world| {
    let guest = world.client().guest().await;
    let token = guest.refresh.as_deref();
    assert_eq!(guest.send("DELETE", "/auth/session", token, None).await.status, 204);
    let again = guest.send("DELETE", "/auth/session", token, None).await;
    // The phrase that realm-web takes for a success.
    assert_ended(&again, "invalid session: failed to find refresh token", "twice");
});

attack!(attack_54_a_log_in_opens_a_session_of_its_own_whatever_it_is_sent_with, |world| {
    let guest = world.client().guest().await;
    let device = world.sessions_of(&guest).await[0].device.to_hex();
    world.app().users().create("ada@club.example", &Secret::new(PASSWORD)).await.unwrap();
    let credential = json!({
        "username": "ada@club.example", "password": PASSWORD, "options": { "device": { "deviceId": device } },
    });
    let path = "/app/{app}/auth/providers/local-userpass/login";
    let mut seen = vec![world.sessions_of(&guest).await[0].id];
    for token in [None, guest.access.as_deref(), guest.refresh.as_deref()] {
        let reply = guest.send("POST", path, token, Some(credential.clone())).await;
        assert_eq!((reply.status, &reply.json()["device_id"]), (200, &json!(device)), "{reply:?}");
        let user = UserId::parse(reply.json()["user_id"].as_str().unwrap()).unwrap();
        assert_ne!(user, user_of(&guest));
        let sessions = world.app().users().sessions(user).await.unwrap();
        let newest = sessions.iter().map(|listed| listed.session.id).find(|id| !seen.contains(id));
        seen.push(newest.expect("a new session"));
    }
    // What the guest's tokens stand for is the guest.
    let body = profile(&guest, guest.access.as_deref().unwrap()).await.json();
    assert_eq!(body["user_id"].as_str(), guest.user.as_deref());
    assert_eq!(body["identities"].as_array().unwrap().len(), 1);
});

attack!(attack_54_a_guest_who_links_an_account_stays_in_the_guests_session, |world| {
    // As the original: the answer has no refresh token, so that there is no other session to go on with.
    let guest = world.client().guest().await;
    world.app().users().create("ada@club.example", &Secret::new(PASSWORD)).await.unwrap();
    let credential = json!({ "username": "ada@club.example", "password": PASSWORD });
    let before = world.sessions_of(&guest).await;
    let linked = guest.send("POST", LINK, guest.access.as_deref(), Some(credential.clone())).await.json();
    assert!(linked["access_token"].is_string() && linked.get("refresh_token").is_none(), "{linked}");
    assert_eq!(world.sessions_of(&guest).await, before);
    // Whoever has planted the session is shut out by what shuts out a thief.
    let ada = world.client().log_in("local-userpass", credential).await;
    let keep = world.sessions_of(&ada).await.iter().find(|session| session.id != before[0].id).unwrap().id;
    assert_eq!(world.app().users().end_other_sessions(user_of(&ada), keep).await.unwrap(), 1);
    assert_eq!(profile(&guest, linked["access_token"].as_str().unwrap()).await.status, 401);
    assert_eq!(profile(&ada, ada.access.as_deref().unwrap()).await.status, 200);
});

attack!(attack_56_tokens_survive_a_redirect_and_read_as_what_clients_read, |world| {
    let world = world.serving(club_with([oauth_settings("oidc-corp", Some(CORP))]), |builder| builder).await;
    let browser = world.browser();
    let odd = json!({ "id_token": browser.id_token(CORP, "$a$b$&=#%", json!({ "given_name": "$$" })) });
    for client in [
        world.client().guest().await,
        world.person("a$b@club.example").await,
        world.client().log_in("oidc-corp", odd).await,
    ] {
        let access = renewed(&refresh(&client).await);
        for token in [client.access.as_deref().unwrap(), client.refresh.as_deref().unwrap(), &access] {
            let spelled = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            assert!(token.bytes().all(spelled), "{token}");
            let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
            let claims: Value = serde_json::from_slice(&payload).unwrap();
            for name in ["iat", "exp"] {
                assert!(claims[name].is_i64() || claims[name].is_u64(), "{claims}");
            }
        }
    }
    let members = browser.round_trip("oidc-corp", CORP, json!({ "sub": "$a$b" })).await;
    assert_eq!(members["_baas_ua"].split('$').count(), 4);
});
