//! Attacks 63 and 87: what slows guesses down, turned against the owner, or gone around.

use std::net::IpAddr;
use std::time::Duration;

use backstitch::http::{Network, PeerAddress};
use backstitch::secret::Secret;
use backstitch_tests::Reply;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::world::{APP, PASSWORD, World, club};

const WRONG: &str = "battery staple";
const ADA: &str = "ada@club.example";

impl World {
    async fn from(&self, peer: Option<&str>, headers: &[(&str, &str)], (path, body): (&str, Value)) -> Reply {
        let uri = format!("/api/client/v2.0/app/{APP}/auth/providers/{path}/login");
        let mut request = Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(peer) = peer {
            request = request.extension(PeerAddress(peer.parse::<IpAddr>().unwrap()));
        }
        self.send(request.body(Bytes::from(body.to_string())).unwrap()).await
    }

    async fn behind_proxies(self) -> Self {
        let proxies: [Network; 1] = ["10.0.0.0/8".parse().unwrap()];
        let world = self.serving(club(), |builder| builder.trusted_proxies(proxies)).await;
        world.app().users().create(ADA, &Secret::new(PASSWORD)).await.unwrap();
        world
    }
}

/// A log-in of a name.
fn credential(name: &str, password: &str, device: Option<&str>) -> (&'static str, Value) {
    let device = json!({ "device": { "deviceId": device } });
    ("local-userpass", json!({ "username": name, "password": password, "options": device }))
}

/// The status, and the seconds to wait.
fn outcome(reply: &Reply) -> (u16, Option<u32>) {
    let seconds = reply.headers.get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
    (reply.status, seconds)
}

attack!(attack_63_guesses_do_not_shut_the_owner_out, |world| {
    let world = world.behind_proxies().await;
    world.app().users().create("bob@club.example", &Secret::new(PASSWORD)).await.unwrap();
    let enter = async |name: &str, password: &str, device: Option<&str>| {
        world.from(None, &[], credential(name, password, device)).await
    };
    let device =
        async |name: &str| enter(name, PASSWORD, None).await.json()["device_id"].as_str().unwrap().to_owned();
    let (known, foreign) = (device(ADA).await, device("bob@club.example").await);
    for _ in 0..20 {
        assert_eq!(enter(ADA, WRONG, None).await.status, 401);
    }
    let blocked = enter(ADA, PASSWORD, None).await;
    assert_eq!(outcome(&blocked), (429, Some(1)), "never 401: the password is right");
    assert_eq!(blocked.json()["error_code"], "TooManyRequests");
    // Another account's device is no way in, the account's own is, and with the right password alone.
    assert_eq!(enter(ADA, PASSWORD, Some(&foreign)).await.status, 429);
    assert_eq!(enter(ADA, WRONG, Some(&known)).await.status, 401);
    assert_eq!(enter(ADA, PASSWORD, Some(&known)).await.status, 200);
    assert_eq!(enter("bob@club.example", PASSWORD, None).await.status, 200);

    // Whoever goes on guessing makes the owner wait a quarter of an hour at most.
    let mut longest = 0;
    for _ in 0..60 {
        let reply = enter(ADA, WRONG, None).await;
        if let (429, Some(seconds)) = outcome(&reply) {
            longest = longest.max(seconds);
            world.clock.advance(Duration::from_secs(u64::from(seconds)));
        }
    }
    assert!((1..=900).contains(&longest), "{longest}");
    world.clock.advance(Duration::from_secs(900));
    assert_eq!(enter(ADA, PASSWORD, None).await.status, 200);
    // No session of theirs has ended.
    assert_eq!(world.users().await.len(), 2);
});

attack!(attack_63_a_stolen_device_is_known_no_more, |world| {
    let world = world.behind_proxies().await;
    let enter = async |password: &str, device: Option<&str>| {
        world.from(None, &[], credential(ADA, password, device)).await
    };
    let known = enter(PASSWORD, None).await.json()["device_id"].as_str().unwrap().to_owned();
    let mut tried = 0;
    while enter(WRONG, Some(&known)).await.status == 401 {
        tried += 1;
        assert!(tried < 100, "its guesses are counted too");
    }
    assert!(tried >= 20, "{tried}");
    assert_eq!(enter(PASSWORD, Some(&known)).await.status, 429);
});

attack!(attack_87_an_address_is_one_bucket_however_it_is_written, |world| {
    let world = world.behind_proxies().await;
    for (number, (failing, same, other)) in [
        (
            vec!["198.51.100.7"],
            vec!["198.51.100.7", "::ffff:198.51.100.7", "::FFFF:c633:6407"],
            "198.51.100.8",
        ),
        (vec!["::ffff:203.0.113.9"], vec!["203.0.113.9"], "203.0.113.10"),
        (
            vec!["2001:db8::1", "2001:DB8::2", "2001:db8:0:0:1::", "2001:0db8::ffff:0:0:1"],
            vec!["2001:db8::3", "2001:db8:0:0:ffff:ffff:ffff:ffff"],
            "2001:db8:0:1::1",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        for attempt in 0..100 {
            let peer = failing[attempt % failing.len()];
            let name = format!("{number}-{attempt}@club.example");
            let reply = world.from(Some(peer), &[], credential(&name, WRONG, None)).await;
            assert_eq!(reply.status, 401, "{peer} {attempt}");
        }
        for peer in &same {
            let reply = world.from(Some(peer), &[], credential(ADA, PASSWORD, None)).await;
            assert_eq!(outcome(&reply), (429, Some(60)), "{peer}");
            // What a proxy of ours writes is read likewise, in brackets, with a port, in capitals.
            let port = match peer.parse::<IpAddr>().unwrap() {
                IpAddr::V4(_) => format!("{peer}:4711"),
                IpAddr::V6(_) => format!("[{peer}]:4711"),
            };
            for forwarded in [(*peer).to_owned(), peer.to_uppercase(), port] {
                let headers = [("x-forwarded-for", forwarded.as_str())];
                let reply = world.from(Some("10.0.0.1"), &headers, credential(ADA, PASSWORD, None)).await;
                assert_eq!(outcome(&reply), (429, Some(60)), "{forwarded}");
            }
        }
        let reply = world.from(Some(other), &[], credential(ADA, PASSWORD, None)).await;
        assert_eq!(reply.status, 200, "{other}");
        world.clock.advance(Duration::from_secs(60));
        let reply = world.from(Some(same[0]), &[], credential(ADA, PASSWORD, None)).await;
        assert_eq!(reply.status, 200, "{same:?}, a minute later");
    }
});

attack!(attack_87_an_address_that_is_made_up_counts_for_nothing, |world| {
    let world = world.behind_proxies().await;
    for attempt in 0..100 {
        // The left-most address is what the client made up.
        let forwarded = format!("203.0.113.{attempt}, 198.51.100.7");
        let headers = [("x-forwarded-for", forwarded.as_str())];
        let name = format!("user{attempt}@club.example");
        let tried = match attempt % 2 {
            0 => credential(&name, WRONG, None),
            _ => ("custom-token", json!({ "token": "no.token.atall" })),
        };
        assert_eq!(world.from(Some("10.0.0.1"), &headers, tried).await.status, 401, "{attempt}");
    }
    for (peer, forwarded, expected) in [
        (Some("198.51.100.7"), "1.1.1.1", (429, Some(60))),
        (Some("10.0.0.1"), "1.1.1.1, 198.51.100.7", (429, Some(60))),
        (Some("10.0.0.1"), "1.1.1.1, 198.51.100.7, 10.9.9.9", (429, Some(60))),
        (Some("10.0.0.1"), "198.51.100.7, 1.1.1.1", (200, None)),
        (Some("192.0.2.1"), "198.51.100.7", (200, None)),
        (None, "198.51.100.7", (200, None)),
    ] {
        let headers = [
            ("x-forwarded-for", forwarded),
            ("x-real-ip", "198.51.100.7"),
            ("forwarded", "for=198.51.100.7"),
            ("true-client-ip", "198.51.100.7"),
        ];
        let reply = world.from(peer, &headers, credential(ADA, PASSWORD, None)).await;
        assert_eq!(outcome(&reply), expected, "{peer:?} {forwarded}");
    }
    world.clock.advance(Duration::from_secs(60));
    let reply = world.from(Some("198.51.100.7"), &[], credential(ADA, PASSWORD, None)).await;
    assert_eq!(reply.status, 200);
});

attack!(attack_87_a_name_in_capitals_is_no_second_run_at_an_account, |world| {
    // It is another account (attack 69): guesses at it are no guesses at the first.
    let world = world.behind_proxies().await;
    for name in ["ADA@club.example", "Ada@club.example"] {
        assert_eq!(world.from(None, &[], credential(name, PASSWORD, None)).await.status, 401, "{name}");
        for _ in 1..20 {
            assert_eq!(world.from(None, &[], credential(name, WRONG, None)).await.status, 401);
        }
        assert_eq!(world.from(None, &[], credential(name, WRONG, None)).await.status, 429, "{name}");
    }
    assert_eq!(world.from(None, &[], credential(ADA, PASSWORD, None)).await.status, 200);
});
