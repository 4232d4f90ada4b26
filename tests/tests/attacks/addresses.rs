//! Attacks 57 and 69, where the engine does as the original did (decision 58): what is told of addresses, and
//! when two of them are one.

use backstitch::env::MailKind;
use backstitch::secret::Secret;
use backstitch_tests::Reply;
use serde_json::{Value, json};

use crate::world::{PASSWORD, World};

const ADA: &str = "ada@club.example";

impl World {
    async fn post(&self, flow: &str, body: Value) -> Reply {
        let path = format!("/app/{{app}}/auth/providers/local-userpass/{flow}");
        self.client().send("POST", &path, None, Some(body)).await
    }
}

attack!(attack_57_to_register_a_taken_address_is_refused_and_gives_no_session, |world| {
    let ada = world.person(ADA).await;
    world.app().register("pending@club.example", &Secret::new(PASSWORD)).await.unwrap();
    let pending = world.mailbox.newest(MailKind::Confirm);
    let (mails, users) = (world.mailbox.count(), world.users().await);
    for email in [ADA, "pending@club.example"] {
        for password in [PASSWORD, "battery staple"] {
            let reply = world.post("register", json!({ "email": email, "password": password })).await;
            let expected = json!({ "error": "name already in use", "error_code": "AccountNameInUse" });
            assert_eq!((reply.status, reply.json()), (409, expected), "{email}");
            assert!(reply.headers.get("set-cookie").is_none());
        }
    }
    assert_eq!(
        (world.mailbox.count(), world.users().await),
        (mails, users),
        "nobody is written to, or changed"
    );
    let stranger = json!({ "username": ADA, "password": "battery staple" });
    assert_eq!(world.log_in("local-userpass", stranger).await.status, 401);
    assert_eq!(ada.send("GET", "/auth/profile", ada.access.as_deref(), None).await.status, 200);
    // The first one's confirmation is still good, for the first one's password.
    let body = json!({ "token": pending.0.expose(), "tokenId": pending.1 });
    assert_eq!(world.post("confirm", body).await.status, 200);
    let second = json!({ "username": "pending@club.example", "password": "battery staple" });
    assert_eq!(world.log_in("local-userpass", second).await.status, 401);
    // A new address is answered without a session as well.
    let fresh = world.post("register", json!({ "email": "new@club.example", "password": PASSWORD })).await;
    assert_eq!((fresh.status, fresh.body.len(), world.mailbox.count()), (201, 0, mails + 1));
    // Of many at once one is first.
    let mut racing = tokio::task::JoinSet::new();
    for number in 0..20 {
        let client = world.client();
        let body = json!({ "email": "race@club.example", "password": format!("{PASSWORD} {number}") });
        let path = "/app/{app}/auth/providers/local-userpass/register";
        racing.spawn(async move { client.send("POST", path, None, Some(body)).await.status });
    }
    let statuses = racing.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409, 429].contains(status)), "{statuses:?}");
});

attack!(attack_69_addresses_that_differ_in_a_byte_are_accounts_of_their_own, |world| {
    let ada = world.person(ADA).await;
    let variants = [
        "ADA@club.example",
        "ada@CLUB.example",
        "a.da@club.example",
        "ada+1@club.example",
        "\u{430}da@club.example",
        "ad\u{e1}@club.example",
        "ada\u{301}@club.example",
        "ada@club.example.",
        "ada@club.ex\u{430}mple",
    ];
    let mut users = vec![ada.user.clone().unwrap()];
    for variant in variants {
        // Before it is registered it is nobody's, and its mails are not Ada's.
        let mails = world.mailbox.count();
        let own = json!({ "username": variant, "password": PASSWORD });
        assert_eq!(world.log_in("local-userpass", own).await.status, 401, "{variant}");
        assert_eq!(world.post("reset/send", json!({ "email": variant })).await.status, 404, "{variant}");
        assert_eq!(world.mailbox.count(), mails, "{variant}");

        let registered = json!({ "email": variant, "password": "battery staple" });
        assert_eq!(world.post("register", registered).await.status, 201, "{variant}");
        assert_eq!(world.mailbox.last().to, variant, "to the byte");
        let (token, id) = world.mailbox.newest(MailKind::Confirm);
        world.app().confirm(&token, &id).await.unwrap();
        let own = json!({ "username": variant, "password": "battery staple" });
        let client = world.client().log_in("local-userpass", own).await;
        users.push(client.user.unwrap());
        // A reset of it resets it alone.
        assert_eq!(world.post("reset/send", json!({ "email": variant })).await.status, 200);
        assert_eq!(world.mailbox.last().to, variant);
        let (token, id) = world.mailbox.newest(MailKind::Reset);
        let body = json!({ "token": token.expose(), "tokenId": id, "password": "yet another one" });
        assert_eq!(world.post("reset", body).await.status, 200);
    }
    users.sort_unstable();
    users.dedup();
    assert_eq!(users.len(), variants.len() + 1);
    assert_eq!(ada.send("GET", "/auth/profile", ada.access.as_deref(), None).await.status, 200);
    for spaced in
        [" ada@club.example", "ada@club.example ", "ada@club.example\n", "ada@club.example,b@c.example"]
    {
        let reply = world.post("register", json!({ "email": spaced, "password": PASSWORD })).await;
        assert_eq!(
            (reply.status, &reply.json()["error_code"]),
            (400, &json!("InvalidParameter")),
            "{spaced:?}"
        );
    }
});
