//! Attacks 64 to 67: the tokens that mails carry, and the links that they are in.

use std::sync::Arc;
use std::time::Duration;

use backstitch::env::MailKind;
use backstitch::error::ErrorKind;
use backstitch::id::UserId;
use backstitch::secret::Secret;
use backstitch_tests::{Client, Reply, oauth_settings};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::federation::{CORP, club_with};
use crate::world::{APP, PASSWORD, World};

const ADA: &str = "ada@club.example";
const NEW: &str = "battery staple";
const PAGE: &str = "https://club.example/moved";

impl World {
    /// Asks something of `local-userpass`.
    async fn ask(&self, flow: &str, body: Value) -> Reply {
        let path = format!("/app/{{app}}/auth/providers/local-userpass/{flow}");
        self.client().send("POST", &path, None, Some(body)).await
    }

    /// A reset token for an address, fresh from the mail.
    async fn reset_token(&self, email: &str) -> (Secret, String) {
        assert_eq!(self.ask("reset/send", json!({ "email": email })).await.status, 200);
        self.mailbox.newest(MailKind::Reset)
    }

    async fn reset(&self, token: &(Secret, String), password: &str) -> Reply {
        let body = json!({ "token": token.0.expose(), "tokenId": token.1, "password": password });
        self.ask("reset", body).await
    }

    async fn logs_in(&self, email: &str, password: &str) -> Option<String> {
        let reply = self.log_in("local-userpass", json!({ "username": email, "password": password })).await;
        assert!([200, 401].contains(&reply.status), "{reply:?}");
        reply.json()["user_id"].as_str().map(str::to_owned)
    }

    async fn is_live(&self, client: &Client) -> bool {
        client.send("GET", "/auth/profile", client.access.as_deref(), None).await.status == 200
    }

    /// A token to move the client's account to another address.
    async fn moving(&self, client: &Client, to: &str) -> (Secret, String) {
        self.app().request_email_change(&self.actor(client).await, to, PAGE).await.unwrap();
        self.mailbox.newest(MailKind::EmailChange)
    }
}

#[track_caller]
fn assert_worthless(reply: &Reply) {
    let expected = json!({ "error": "invalid token data", "error_code": "UserpassTokenInvalid" });
    assert_eq!((reply.status, reply.json()), (400, expected));
}

attack!(attack_64_of_fifty_resets_with_one_token_one_succeeds_and_every_session_ends, |world| {
    let ada = world.person(ADA).await;
    let bob = world.person("bob@club.example").await;
    let token = world.reset_token(ADA).await;
    assert_eq!(world.reset(&token, "x").await.status, 400, "a bad password does not use the token up");
    assert!(world.is_live(&ada).await);
    let world = Arc::new(world);
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (world, token) = (Arc::clone(&world), token.clone());
        tries.spawn(async move { world.reset(&token, NEW).await });
    }
    let replies = tries.join_all().await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    replies.iter().filter(|reply| reply.status != 200).for_each(assert_worthless);
    assert!(!world.is_live(&ada).await && world.is_live(&bob).await);
    let refreshed = ada.send("POST", "/auth/session", ada.refresh.as_deref(), None).await;
    assert_eq!((refreshed.status, &refreshed.json()["error_code"]), (401, &json!("InvalidSession")));
    assert_eq!(world.logs_in(ADA, PASSWORD).await, None);
    assert_eq!(world.logs_in(ADA, NEW).await, ada.user);
});

attack!(attack_64_a_reset_token_is_bound_to_its_account_purpose_and_half_hour, |world| {
    let ada = world.person(ADA).await;
    world.person("bob@club.example").await;
    // A newer one voids the older, and only of the same account.
    let older = world.reset_token(ADA).await;
    let bobs = world.reset_token("bob@club.example").await;
    let newer = world.reset_token(ADA).await;
    assert_worthless(&world.reset(&older, NEW).await);
    // Halves of two tokens are no token.
    for mixed in [(newer.0.clone(), bobs.1.clone()), (bobs.0.clone(), newer.1.clone())] {
        assert_worthless(&world.reset(&mixed, NEW).await);
    }
    // It confirms nothing, and moves no account.
    let body = json!({ "token": newer.0.expose(), "tokenId": newer.1 });
    assert_worthless(&world.ask("confirm", body).await);
    let moved = world.app().confirm_email_change(&newer.0, &newer.1).await.unwrap_err();
    assert_eq!(moved.kind(), ErrorKind::UserpassTokenInvalid);
    for (token, id) in [("", newer.1.as_str()), (&newer.0.expose()[1..], &newer.1), (newer.0.expose(), "x")] {
        let reply = world.reset(&(token.into(), id.to_owned()), NEW).await;
        assert_eq!((reply.status, &reply.json()["error_code"]), (400, &json!("BadRequest")));
    }
    assert!(world.is_live(&ada).await);
    assert_eq!(world.reset(&bobs, NEW).await.status, 200, "the control: bob's is bob's");
    assert!(world.is_live(&ada).await);

    world.clock.advance(Duration::from_secs(30 * 60));
    assert_worthless(&world.reset(&newer, NEW).await);
    let last = world.reset_token(ADA).await;
    world.clock.advance(Duration::from_secs(30 * 60 - 1));
    assert_eq!(world.reset(&last, NEW).await.status, 200);
    assert_eq!(world.logs_in(ADA, NEW).await, ada.user);
});

attack!(attack_65_a_confirmation_is_bound_to_its_address_and_its_registration, |world| {
    let password = Secret::new(PASSWORD);
    let pending = async |email: &str| {
        world.app().register(email, &password).await.unwrap();
        world.mailbox.newest(MailKind::Confirm)
    };
    let confirm = async |(token, id): (Secret, String)| {
        world.ask("confirm", json!({ "token": token.expose(), "tokenId": id })).await
    };
    let (adas, bobs) = (pending(ADA).await, pending("bob@club.example").await);
    for mixed in [(adas.0.clone(), bobs.1.clone()), (bobs.0.clone(), adas.1.clone())] {
        assert_worthless(&confirm(mixed).await);
    }
    assert_eq!(confirm(adas.clone()).await.status, 200);
    assert_worthless(&confirm(adas).await);
    assert!(world.logs_in(ADA, PASSWORD).await.is_some());
    assert_eq!(world.logs_in("bob@club.example", PASSWORD).await, None, "who waits still waits");
    // Somebody registers an address that is not theirs, and gives up; its owner registers it.
    let theirs = pending("eve@club.example").await;
    world.app().users().delete_pending("eve@club.example").await.unwrap();
    pending("eve@club.example").await;
    assert!(confirm(theirs).await.status >= 400);
    assert_eq!(world.logs_in("eve@club.example", PASSWORD).await, None);
});

attack!(attack_65_a_moved_account_leaves_no_token_behind, |world| {
    let ada = world.person(ADA).await;
    let older = world.moving(&ada, "old@club.example").await;
    let newer = world.moving(&ada, "new@club.example").await;
    let reset = world.reset_token(ADA).await;
    let app = world.app();
    assert_eq!(
        app.confirm_email_change(&older.0, &older.1).await.unwrap_err().kind(),
        ErrorKind::UserpassTokenInvalid
    );
    // An address that is taken meanwhile is not taken over.
    let taken = world.moving(&ada, "eve@club.example").await;
    app.users().create("eve@club.example", &Secret::new(NEW)).await.unwrap();
    let refused = app.confirm_email_change(&taken.0, &taken.1).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AccountNameInUse);
    assert!(app.confirm_email_change(&newer.0, &newer.1).await.is_err(), "the third took its place");
    assert!(world.is_live(&ada).await);
    let last = world.moving(&ada, "new@club.example").await;
    app.confirm_email_change(&last.0, &last.1).await.unwrap();
    assert!(!world.is_live(&ada).await);
    assert_worthless(&world.reset(&reset, NEW).await);
    assert_eq!(world.logs_in(ADA, PASSWORD).await, None);
    assert_eq!(world.logs_in("new@club.example", PASSWORD).await, ada.user);
});

attack!(attack_65_whatever_ends_all_sessions_ends_a_move_that_one_of_them_began, |world| {
    for ending in ["a new password", "a reset", "revoked by hand", "disabled"] {
        let email = format!("{}@club.example", ending.replace(' ', "-"));
        let owner = world.person(&email).await;
        // Whoever has stolen a session asks for a move to an address of theirs; the owner notices.
        let stolen = world.moving(&owner, "thief@club.example").await;
        let (actor, users) = (world.actor(&owner).await, world.app().users());
        let user = UserId::parse(owner.user.as_deref().unwrap()).unwrap();
        match ending {
            "a new password" => {
                let (present, new) = (Secret::new(PASSWORD), Secret::new(NEW));
                world.app().change_password(&actor, &present, &new).await.unwrap();
            }
            "a reset" => {
                let token = world.reset_token(&email).await;
                assert_eq!(world.reset(&token, NEW).await.status, 200);
            }
            "revoked by hand" => users.log_out(user).await.unwrap(),
            _ => {
                users.disable(user).await.unwrap();
                users.enable(user).await.unwrap();
            }
        }
        let refused = world.app().confirm_email_change(&stolen.0, &stolen.1).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::UserpassTokenInvalid, "{ending}");
        let password = if ["a new password", "a reset"].contains(&ending) { NEW } else { PASSWORD };
        assert_eq!(world.logs_in(&email, password).await, owner.user, "{ending}");
        assert_eq!(world.ask("reset/send", json!({ "email": "thief@club.example" })).await.status, 404);
    }
});

attack!(attack_65_an_address_that_was_left_is_its_next_owners, |world| {
    let world = world.serving(club_with([oauth_settings("oidc-corp", Some(CORP))]), |builder| builder).await;
    let browser = world.browser();
    // Somebody has an address that is not theirs, and a second way in, and leaves the address.
    let thief = world.person(ADA).await;
    let link = "/app/{app}/auth/providers/oidc-corp/login?link=true";
    let token = || json!({ "id_token": browser.id_token(CORP, "thief", json!({})) });
    assert_eq!(thief.send("POST", link, thief.access.as_deref(), Some(token())).await.status, 200);
    let moving = world.moving(&thief, "thief@club.example").await;
    world.app().confirm_email_change(&moving.0, &moving.1).await.unwrap();
    let thief = world.client().log_in("oidc-corp", token()).await;
    // Its owner takes it. The thief's account has nothing to do with it any more.
    let owner = world.person(ADA).await;
    assert_ne!(owner.user, thief.user);
    let (app, actor) = (world.app(), world.actor(&thief).await);
    let moving = world.moving(&thief, "again@club.example").await;
    app.confirm_email_change(&moving.0, &moving.1).await.unwrap();
    assert_eq!(world.logs_in(ADA, PASSWORD).await, owner.user, "the owner's address did not move along");
    assert_eq!(world.logs_in("again@club.example", PASSWORD).await, thief.user);
    let user = app.users().get(actor.acting_user().unwrap().user.id).await.unwrap();
    let local = user.identities.iter().find(|known| known.provider == "local-userpass").unwrap();
    app.unlink(&actor, "local-userpass", &local.id).await.unwrap();
    assert_eq!(world.logs_in(ADA, PASSWORD).await, owner.user, "nor is it unlinked");
    assert_eq!(world.logs_in("again@club.example", PASSWORD).await, None);
});

attack!(attack_66_to_open_a_link_uses_nothing_up, |world| {
    world.app().register(ADA, &Secret::new(PASSWORD)).await.unwrap();
    let (token, id) = world.mailbox.newest(MailKind::Confirm);
    let base = format!("/api/client/v2.0/app/{APP}/auth/providers/local-userpass");
    let open = async |path: &str, (token, id): (&Secret, &str)| {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let uri =
                format!("{base}/{path}?token={}&tokenId={id}&password=battery%20staple", token.expose());
            let request = Request::builder().method(method).uri(uri).body(Bytes::new()).unwrap();
            let status = world.send(request).await.status;
            assert!(status == 405 || (method == "OPTIONS" && status == 204), "{method} {path}: {status}");
        }
    };
    open("confirm", (&token, &id)).await;
    assert_eq!(world.logs_in(ADA, PASSWORD).await, None);
    let body = json!({ "token": token.expose(), "tokenId": id });
    assert_eq!(world.ask("confirm", body).await.status, 200);
    let reset = world.reset_token(ADA).await;
    open("reset", (&reset.0, &reset.1)).await;
    assert!(world.logs_in(ADA, PASSWORD).await.is_some());
    assert_eq!(world.reset(&reset, NEW).await.status, 200);
});

attack!(attack_67_links_lead_where_the_configuration_says_whatever_the_request_says, |world| {
    let world = world.serving(club_with([oauth_settings("oidc-corp", Some(CORP))]), |builder| builder).await;
    world.person(ADA).await;
    let evil = |request: http::request::Builder| {
        request
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "http")
            .header("x-original-url", "https://evil.example/")
            .header("forwarded", "host=evil.example;proto=http")
            .header("referer", "https://evil.example/")
    };
    let base = format!("https://evil.example/api/client/v2.0/app/{APP}");
    let send = evil(Request::post(format!("{base}/auth/providers/local-userpass/reset/send")));
    let body = Bytes::from(json!({ "email": ADA }).to_string());
    assert_eq!(world.send(send.body(body).unwrap()).await.status, 200);
    let mail = world.mailbox.last();
    let link = &mail.token.as_ref().unwrap().link;
    assert!(link.starts_with("https://club.example/reset?token="), "{link}");
    assert!(!mail.body.contains("evil.example") && mail.body.contains(link.as_str()));
    let register = evil(Request::post(format!("{base}/auth/providers/local-userpass/register")));
    let body = Bytes::from(json!({ "email": "bob@club.example", "password": PASSWORD }).to_string());
    assert_eq!(world.send(register.body(body).unwrap()).await.status, 201);
    let mail = world.mailbox.last();
    assert!(mail.token.unwrap().link.starts_with("https://club.example/confirm?token="));

    let location = evil(Request::get(format!("{base}/location"))).body(Bytes::new()).unwrap();
    let location = world.send(location).await;
    assert_eq!(location.json()["hostname"], "https://api.club.example");
    let begin = format!("https://evil.example/api/client/v2.0{}", world.browser().login_path("oidc-corp"));
    let begun = world.send(evil(Request::get(begin)).body(Bytes::new()).unwrap()).await;
    let location = begun.headers["location"].to_str().unwrap();
    assert!(
        location.starts_with(CORP) && location.contains("redirect_uri=https%3A%2F%2Fapi.club.example%2F")
    );
    let cookie = begun.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("Secure") && !cookie.contains("evil"), "{cookie}");
});
