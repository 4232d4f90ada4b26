//! Attacks 35 to 42: tokens and claims where they do not belong.

use backstitch::app::CollectionConfig;
use backstitch::auth::config::{CustomTokenConfig, MetadataField, TokenAlgorithm, TokenKeySource};
use backstitch::env::MailKind;
use backstitch::id::{AppId, UserId};
use backstitch::rules::Access;
use backstitch::secret::Secret;
use backstitch::store::TransactionOptions;
use backstitch_tests::{Client, Signer};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::forge::{Door, Entrance, bare, custom_tokens, derived, encode, parts, record};
use crate::world::{APP, OTHER, PASSWORD, START, TOKEN_SECRET, World, club};

attack!(attack_35_a_token_of_one_class_is_not_taken_for_another, |world| {
    let doors = world.doors().await;
    for door in &doors {
        door.admits(&door.token(), "the control").await;
        for other in doors.iter().filter(|other| other.entrance != door.entrance) {
            // As it is, and with the right key on it.
            door.refuses(&other.token(), &format!("{:?} as it is", other.entrance)).await;
            let mut resigned = other.clone();
            (resigned.signer, resigned.header) = (door.signer.clone(), door.header.clone());
            // A custom token and an ID token differ in their audience, which is what refuses them.
            door.refuses(&resigned.token(), &format!("{:?} with the right key", other.entrance)).await;
        }
        for typ in ["refresh+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "JOSE", ""] {
            door.refuses(&door.with_header(&json!({ "typ": typ })), typ).await;
        }
        if door.is_own() {
            for typ in
                [json!("refresh"), json!("access"), json!("ID"), json!("Bearer"), json!(null), json!("-")]
            {
                if typ != door.claims["typ"] {
                    door.refuses(&door.with_claims(&json!({ "typ": typ })), &typ.to_string()).await;
                }
            }
        }
    }
    elsewhere(&world, &doors[0]).await;
    assert_eq!(world.mailbox.count(), 0, "nobody was written to");
    mailed_tokens(&world, &doors).await;
});

attack!(attack_36_a_token_of_one_app_is_none_at_another_with_the_same_key, |world| {
    let key = record(&Signer::Hs256(vec![7; 32]));
    let engine = world
        .engine_with(club(), |builder| {
            let builder = builder.signing_keys(AppId::new(APP), vec![key.clone()]);
            builder.signing_keys(AppId::new(OTHER), vec![key.clone()])
        })
        .await;
    let here = Client::new(&engine, APP).guest().await;
    let there = Client::new(&engine, OTHER).guest().await;
    for (client, other) in [(&here, OTHER), (&there, APP)] {
        let (access, refresh) = (client.access.as_deref(), client.refresh.as_deref());
        assert_eq!(client.send("GET", "/auth/profile", access, None).await.status, 200, "the control");
        assert_eq!(client.send("POST", "/auth/session", refresh, None).await.status, 201, "the control");
        // Where the path names the app, the other one's token is none.
        let query = json!({ "query": "{ __typename }" });
        let at_home = client.send("POST", "/app/{app}/graphql", access, Some(query.clone())).await;
        assert_eq!(at_home.status, 200, "the control");
        let reply = client.send("POST", &format!("/app/{other}/graphql"), access, Some(query)).await;
        assert_eq!(reply.json(), json!({ "error": "invalid session", "error_code": "InvalidSession" }));
        assert_eq!(reply.status, 401);
        // Where the token names it, the other app's name does not fit the key that it was signed with.
        let domain =
            parts(if other == OTHER { there.access.as_deref() } else { here.access.as_deref() }.unwrap());
        let domain = &domain.1["baas_domain_id"];
        for (entrance, token) in [(Entrance::Access, access), (Entrance::Refresh, refresh)] {
            let (header, mut claims) = parts(token.unwrap());
            (claims["baas_domain_id"], claims["stitch_domainId"]) = (domain.clone(), domain.clone());
            let home = if other == OTHER { APP } else { OTHER };
            for app in [home, other] {
                let signer = Signer::Hs256(derived(&key.secret, entrance, app));
                let token = signer.token(header.to_string(), claims.to_string());
                let (method, path) = if entrance == Entrance::Access {
                    ("GET", "/auth/profile")
                } else {
                    ("POST", "/auth/session")
                };
                let reply = client.send(method, path, Some(&token), None).await;
                assert_eq!(reply.status, 401, "{entrance:?} signed by {app}: {reply:?}");
                assert_eq!(reply.json()["error_code"], "InvalidSession");
            }
        }
    }
    foreign_tokens_of_another_app(&world).await;
});

attack!(attack_37_a_token_from_before_the_user_s_epoch_is_refused, |world| {
    for event in ["reset", "password", "disable", "delete", "log out everywhere", "e-mail"] {
        let email = format!("{}@club.example", event.replace(' ', "-"));
        let person = world.person(&email).await;
        let bystander = world.client().guest().await;
        let (access, refresh) = (person.access.as_deref(), person.refresh.as_deref());
        assert_eq!(person.send("GET", "/auth/profile", access, None).await.status, 200, "the control");
        assert_eq!(person.send("POST", "/auth/session", refresh, None).await.status, 201, "the control");
        end_sessions(&world, event, &email, &person).await;
        for (method, path, token) in [("GET", "/auth/profile", access), ("POST", "/auth/session", refresh)] {
            let reply = person.send(method, path, token, None).await;
            assert_eq!(reply.status, 401, "{event}, {path}: {reply:?}");
            assert_eq!(reply.json()["error_code"], "InvalidSession", "{event}, {path}");
        }
        // Nobody else's session has ended.
        let reply = bystander.send("GET", "/auth/profile", bystander.access.as_deref(), None).await;
        assert_eq!(reply.status, 200, "{event}");
    }
});

attack!(attack_38_users_and_api_keys_have_no_common_names, |world| {
    let person = world.person("ada@club.example").await;
    let name = Some(json!({ "name": "laptop" }));
    let made = person.send("POST", "/auth/api_keys", person.refresh.as_deref(), name).await.json();
    let key_id = made["_id"].as_str().unwrap();
    let server = world.app().api_keys().create("server").await.unwrap();
    let other = world.client().guest().await;
    // Our own tokens, with the right key: the session is one user's and nobody else's.
    for door in world.own_doors(&world.engine).await {
        door.admits(&door.token(), "the control").await;
        for subject in [
            key_id.to_owned(),
            server.id.clone(),
            person.user.clone().unwrap(),
            other.user.clone().unwrap(),
            format!("key:{key_id}"),
            format!("api-key/{key_id}"),
            "laptop".to_owned(),
            String::new(),
        ] {
            let hostile = door.with_claims(&json!({ "sub": subject }));
            let reply = door.show(&hostile).await.unwrap();
            assert_eq!(reply.status, 401, "{subject} at {:?}: {reply:?}", door.entrance);
            assert_eq!(reply.json()["error_code"], "InvalidSession");
        }
    }
    // Somebody else's tokens: a subject that is an id of ours finds nobody of ours.
    let door = world.custom_door(&world.engine, Signer::Hs256(TOKEN_SECRET.into()));
    let ours = [person.user.as_deref().unwrap(), other.user.as_deref().unwrap()];
    for subject in [key_id, server.id.as_str(), ours[0], ours[1], made["key"].as_str().unwrap()] {
        let reply = door.admits(&door.with_claims(&json!({ "sub": subject })), "a name like any other").await;
        assert!(!ours.contains(&reply.json()["user_id"].as_str().unwrap()), "{subject}");
    }
    // And the id of a key is no key.
    for key in [key_id, server.id.as_str(), ours[0]] {
        let reply = world.log_in("api-key", json!({ "key": key })).await;
        assert_eq!(reply.status, 401, "{reply:?}");
    }
    assert_eq!(world.log_in("api-key", json!({ "key": made["key"] })).await.status, 200, "the control");
});

attack!(attack_39_one_subject_at_two_providers_is_two_users, |world| {
    let federated = world.federated().await;
    let custom = world.custom_door(&federated, Signer::EdDsa);
    let id = world.id_door(&federated);
    let person = world.person("u1@club.example").await;
    let user_id = UserId::parse(person.user.as_deref().unwrap()).unwrap();
    let user = world.store.user(&AppId::new(APP), user_id).await.unwrap().unwrap();
    let identity = user.identities[0].id.clone();
    for subject in ["u1", "u1@club.example", identity.as_str(), person.user.as_deref().unwrap()] {
        let claims = json!({ "sub": subject, "email": "u1@club.example", "email_verified": true });
        let mut users = vec![person.user.clone().unwrap()];
        for door in [&custom, &id] {
            let reply = door.admits(&door.with_claims(&claims), subject).await.json();
            users.push(reply["user_id"].as_str().unwrap().to_owned());
            let again = door.admits(&door.with_claims(&claims), subject).await.json();
            assert_eq!(again["user_id"], reply["user_id"], "the control: it is the same one's again");
        }
        users.sort();
        users.dedup();
        assert_eq!(users.len(), 3, "{subject}");
    }
    // Case and spaces make another subject, too.
    let mut users = Vec::new();
    for subject in ["u1", "U1", "u1 ", " u1", "u1\u{0}", "\u{ff55}1"] {
        let reply = custom.admits(&custom.with_claims(&json!({ "sub": subject })), subject).await.json();
        users.push(reply["user_id"].as_str().unwrap().to_owned());
    }
    users.sort();
    users.dedup();
    assert_eq!(users.len(), 6);
});

attack!(attack_40_a_claim_that_is_copied_takes_no_reserved_name, |world| {
    let names = ["sub", "exp", "iat", "iss", "sid", "typ", "aud", "id", "user_id", "baas_id", "stitch_id"];
    let names = names.into_iter().chain(["baas_domain_id", "user_data", "provider_type", "type", "_id"]);
    let names: Vec<&str> = names.collect();
    let metadata = names.iter().map(|name| field("evil", name)).collect();
    let door = mapped(&world, metadata).await;
    let hostile = "65a000000000000000000001";
    let reply =
        door.admits(&door.with_claims(&json!({ "evil": hostile })), "the claims are copied").await.json();
    let (access, refresh) =
        (reply["access_token"].as_str().unwrap(), reply["refresh_token"].as_str().unwrap());
    let plain =
        door.admits(&door.with_claims(&json!({ "sub": "u2", "evil": "-" })), "the control").await.json();
    for (name, token) in [("access_token", access), ("refresh_token", refresh)] {
        let (own, control) = (parts(token).1, parts(plain[name].as_str().unwrap()).1);
        let members = |claims: &Value| claims.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(members(&own), members(&control), "no claim more or fewer");
        assert_eq!(own["sub"], reply["user_id"]);
        assert!(own["exp"].is_i64() && own["iat"] == START && !own.to_string().contains(hostile), "{own}");
    }
    // The copies are data of the user, and the user is who the subject says.
    let profile = world.client().send("GET", "/auth/profile", Some(access), None).await.json();
    assert_eq!(profile["user_id"], reply["user_id"]);
    assert_eq!((&profile["identities"][0]["id"], &profile["type"]), (&json!("u1"), &json!("normal")));
    for name in names {
        assert_eq!(profile["data"][name], hostile, "{name}");
    }
});

attack!(attack_41_names_in_claims_are_data_and_reach_no_rule, |world| {
    let names = ["__proto__", "constructor", "$where", "$ne", "a.b", "%%user", "role"];
    let door = mapped(&world, names.iter().map(|name| field(name, name)).collect()).await;
    let claims = json!({
        "__proto__": { "admin": true }, "constructor": { "prototype": { "admin": true } },
        "$where": "sleep(1000)", "$ne": 1, "a.b": { "c.d": 1 }, "%%user": { "id": "x" }, "role": "reader",
    });
    let user = came_in(&door, &claims).await;
    let profile = user.send("GET", "/auth/profile", user.access.as_deref(), None).await.json();
    assert_eq!(profile["data"], claims, "stored as they came");
    assert_eq!(profile["type"], "normal");
    // A rule that compares a field with a claim: an operator in the claim is a value, which nothing equals.
    let notes = async |role: Value| {
        let claims = json!({ "sub": format!("a reader with {role}"), "role": role });
        let data = came_in(&door, &claims).await.data("{ notes { text } }", json!({})).await;
        data["notes"].clone()
    };
    for role in [
        json!({ "$ne": null }),
        json!({ "$exists": true }),
        json!({ "$gt": "" }),
        json!({ "$in": ["editor"] }),
        json!({ "$regex": ".*" }),
        json!({ "%or": [{}, {}] }),
        json!({ "$oid": "65a000000000000000000001" }),
        json!("%%true"),
        json!("%%root.role"),
        json!("$role"),
        json!(true),
        json!([{ "$ne": null }]),
        json!([["editor"]]),
        json!("editor "),
        json!(null),
        json!("-"),
    ] {
        assert_eq!(notes(role.clone()).await, json!([]), "{role}");
    }
    // A list of roles contains its elements, as the original has it.
    for role in [json!("editor"), json!(["reader", "editor"])] {
        assert_eq!(notes(role).await, json!([{ "text": "for editors" }]), "the control");
    }
});

attack!(attack_42_an_algorithm_of_one_provider_is_none_of_another_s, |world| {
    // One app: custom tokens are HS256, ID tokens EdDSA.
    let mut app = crate::forge::federated();
    let secret = Signer::Hs256(TOKEN_SECRET.into());
    app.auth.providers.retain(|provider| provider.kind.type_name() != "custom-token");
    let keys = TokenKeySource::Keys { algorithm: TokenAlgorithm::Hs256, keys: vec![TOKEN_SECRET.into()] };
    app = app.provider(backstitch::auth::config::ProviderKind::CustomToken(custom_tokens(keys)));
    let engine = world.engine_with(app, |builder| builder).await;
    let (custom, id) = (world.custom_door(&engine, secret.clone()), world.id_door(&engine));
    for (door, stranger) in [(&custom, Signer::EdDsa), (&id, secret)] {
        door.admits(&door.token(), "the control").await;
        let mut forged = door.clone();
        forged.signer = stranger.clone();
        for kid in ["k", "-", "host-1"] {
            let header = json!({ "alg": stranger.alg(), "kid": kid });
            door.refuses(&forged.with_header(&header), "the other provider's key and algorithm").await;
            door.refuses(&forged.with_header(&json!({ "kid": kid })), "its key alone").await;
        }
        door.refuses(&door.with_header(&json!({ "alg": stranger.alg() })), "its algorithm alone").await;
    }
    // Nor is what signs our own access tokens good for either, or theirs for ours.
    let own = world.access_door(&world.signing(&Signer::Es256).await, Signer::Es256).await;
    own.admits(&own.token(), "the control").await;
    for signer in [Signer::EdDsa, Signer::Hs256(TOKEN_SECRET.into())] {
        let mut forged = own.clone();
        forged.signer = signer.clone();
        own.refuses(&forged.with_header(&json!({ "alg": signer.alg() })), "a provider's key").await;
    }
    for door in [&custom, &id] {
        let mut forged = door.clone();
        forged.signer = Signer::Es256;
        door.refuses(&forged.with_header(&json!({ "alg": "ES256", "kid": "host-1" })), "our own key").await;
    }
});

/// A token counts where the endpoint looks for it, once, and nowhere else.
async fn elsewhere(world: &World, door: &Door) {
    let token = door.token();
    let (bearer, basic) = (format!("Bearer {token}"), format!("Basic {token}"));
    let profile = "/api/client/v2.0/auth/profile";
    let in_query = format!("{profile}?access_token={token}");
    let both = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    for (path, headers, status) in [
        (profile, &both[..1], 200),
        (profile, &both[..], 401),
        (profile, &[("authorization", basic.as_str())], 401),
        (profile, &[("authorization", token.as_str())], 401),
        (profile, &[("cookie", &format!("access_token={token}"))], 401),
        (profile, &[("jwttokenstring", &token)], 401),
        (in_query.as_str(), &[], 401),
    ] {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let reply = world.send(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(reply.status, status, "{path} {headers:?}: {reply:?}");
    }
}

/// What is mailed is good for what it was mailed for, at its own address.
async fn mailed_tokens(world: &World, doors: &[Door]) {
    let email = "mailed@club.example";
    let path = "/app/{app}/auth/providers/local-userpass";
    let client = world.client();
    let registration = json!({ "email": email, "password": PASSWORD });
    client.send("POST", &format!("{path}/register"), None, Some(registration)).await;
    let (confirm, confirm_id) = world.mailbox.newest(MailKind::Confirm);
    for door in doors {
        for token in [confirm.expose(), &confirm_id] {
            door.refuses(token, "a confirmation").await;
            door.refuses(&format!("{}.{}.{}", encode("{}"), encode("{}"), encode(token)), "dressed up").await;
        }
    }
    let body = |token: &Secret, id: &str| json!({ "token": token.expose(), "tokenId": id, "password": "another one" });
    let reset = format!("{path}/reset");
    let crossed = client.send("POST", &reset, None, Some(body(&confirm, &confirm_id))).await;
    assert_eq!(crossed.status, 400, "a confirmation as a reset: {crossed:?}");
    let confirmed =
        client.send("POST", &format!("{path}/confirm"), None, Some(body(&confirm, &confirm_id))).await;
    assert_eq!(confirmed.status, 200, "the control: {confirmed:?}");
    client.send("POST", &format!("{path}/reset/send"), None, Some(json!({ "email": email }))).await;
    let (token, id) = world.mailbox.newest(MailKind::Reset);
    for door in doors {
        for token in [token.expose(), &id] {
            door.refuses(token, "a reset").await;
        }
    }
    let crossed = client.send("POST", &format!("{path}/confirm"), None, Some(body(&token, &id))).await;
    assert_eq!(crossed.status, 400, "a reset as a confirmation: {crossed:?}");
    assert_eq!(client.send("POST", &reset, None, Some(body(&token, &id))).await.status, 200, "the control");
}

/// Two apps that trust one issuer's key: its tokens are for the one that they name.
async fn foreign_tokens_of_another_app(world: &World) {
    let engine = world
        .engine_with(club(), |builder| {
            let keys =
                TokenKeySource::Keys { algorithm: TokenAlgorithm::Hs256, keys: vec![TOKEN_SECRET.into()] };
            builder.app(bare(custom_tokens(keys)).with_id(AppId::new("third-abcde")))
        })
        .await;
    let door = world.custom_door(&engine, Signer::Hs256(TOKEN_SECRET.into()));
    door.admits(&door.token(), "the control").await;
    let theirs = door.with_claims(&json!({ "aud": "third-abcde" }));
    door.refuses(&theirs, "the other app's").await;
    let third = Client::new(&engine, "third-abcde");
    let path = "/app/{app}/auth/providers/custom-token/login";
    for (token, status) in [(door.token(), 401), (theirs, 200)] {
        assert_eq!(third.send("POST", path, None, Some(json!({ "token": token }))).await.status, status);
    }
}

/// Ends every session of a person in one of the ways that there are.
async fn end_sessions(world: &World, event: &str, email: &str, person: &Client) {
    let (app, new) = (world.app(), Secret::new("quite another one"));
    let user = UserId::parse(person.user.as_deref().unwrap()).unwrap();
    let path = "/app/{app}/auth/providers/local-userpass";
    match event {
        "reset" => {
            person.send("POST", &format!("{path}/reset/send"), None, Some(json!({ "email": email }))).await;
            let (token, id) = world.mailbox.newest(MailKind::Reset);
            let body = json!({ "token": token.expose(), "tokenId": id, "password": new.expose() });
            assert_eq!(person.send("POST", &format!("{path}/reset"), None, Some(body)).await.status, 200);
        }
        "password" => app.users().set_password(email, &new).await.unwrap(),
        "disable" => app.users().disable(user).await.unwrap(),
        "delete" => {
            let reply = person.send("DELETE", "/auth/delete", person.access.as_deref(), None).await;
            assert_eq!(reply.status, 204, "{reply:?}");
        }
        "log out everywhere" => app.users().log_out(user).await.unwrap(),
        _ => {
            let actor = world.actor(&person).await;
            app.request_email_change(&actor, "new@club.example", "https://club.example/new").await.unwrap();
            let (token, id) = world.mailbox.newest(MailKind::EmailChange);
            app.confirm_email_change(&token, &id).await.unwrap();
        }
    }
}

fn field(claim: &str, name: &str) -> MetadataField {
    MetadataField { path: vec![claim.to_owned()], field_name: name.to_owned(), required: false }
}

/// The door of an app that copies these claims, with a note for whoever has the role of an editor.
async fn mapped(world: &World, metadata: Vec<MetadataField>) -> Door {
    let keys = TokenKeySource::Keys { algorithm: TokenAlgorithm::Hs256, keys: vec![TOKEN_SECRET.into()] };
    let schema = json!({ "title": "Note", "properties": {
        "_id": { "bsonType": "int" }, "role": { "bsonType": "string" }, "text": { "bsonType": "string" },
    }});
    let of_the_role = json!({ "role": "%%user.data.role" });
    let rules = json!({ "roles": [{
        "name": "reader", "apply_when": {}, "read": true,
        "document_filters": { "read": of_the_role, "write": of_the_role },
    }]});
    let app = bare(CustomTokenConfig { metadata, ..custom_tokens(keys) })
        .collection(CollectionConfig::new("notes").schema(&schema).rules(rules));
    let notes = Access::system(app.collections[0].id.clone());
    let engine = world.engine_with(app, |builder| builder).await;
    let note = bson::rawdoc! { "_id": 1, "role": "editor", "text": "for editors" };
    let mut transaction = world.store.begin(TransactionOptions::default()).await.unwrap();
    transaction.write(&[notes.insert(note).unwrap()]).await.unwrap();
    transaction.commit().await.unwrap();
    world.custom_door(&engine, Signer::Hs256(TOKEN_SECRET.into()))
}

/// Whoever comes in by a token of these claims.
async fn came_in(door: &Door, claims: &Value) -> Client {
    let reply = door.admits(&door.with_claims(claims), "whoever that is").await.json();
    let mut client = Client::new(door.engine(), APP);
    client.access = reply["access_token"].as_str().map(str::to_owned);
    client
}
