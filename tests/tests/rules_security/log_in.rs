//! Many log-ins in one request: there is no way to ask for them.
//!
//! Logging in is no field of the GraphQL schema, so that aliases multiply none; how many log-ins may fail is counted
//! for each account and address (`throttling.rs`, `attacks/throttling.rs`).

use serde_json::json;

use crate::notes::{Notes, each_store};

#[tokio::test]
async fn a_list_of_log_ins_logs_nobody_in() {
    each_store(|notes: Notes| async move {
        let client = notes.everything().await;
        let path = "/app/{app}/auth/providers/local-userpass/login";
        let body = json!({ "email": "ada@example.test", "password": "correct horse" });
        let register = "/app/{app}/auth/providers/local-userpass/register";
        assert_eq!(client.send("POST", register, None, Some(body)).await.status, 201);
        let right = json!({ "username": "ada@example.test", "password": "correct horse" });
        let wrong = json!({ "username": "ada@example.test", "password": "wrong" });
        for several in [
            json!([right]),
            json!([wrong, right]),
            json!({ "0": right, "1": right }),
            json!({ "username": "ada@example.test", "password": ["wrong", "correct horse"] }),
            json!({ "username": ["ada@example.test"], "password": "correct horse" }),
        ] {
            let reply = client.send("POST", path, None, Some(several.clone())).await;
            assert!(reply.status == 400 || reply.status == 401, "{several}: {reply:?}");
            assert!(reply.json().get("access_token").is_none(), "{reply:?}");
        }
        assert_eq!(client.send("POST", path, None, Some(right)).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn no_field_of_the_schema_logs_in() {
    each_store(|notes: Notes| async move {
        let client = notes.everything().await;
        let fields = "{ __schema { queryType { fields { name } } mutationType { fields { name } } } }";
        let schema = client.data(fields, json!({})).await;
        for root in ["queryType", "mutationType"] {
            for field in schema["__schema"][root]["fields"].as_array().unwrap() {
                let name = field["name"].as_str().unwrap();
                assert!(["note", "tag"].iter().any(|of| name.to_lowercase().contains(of)), "{name}");
            }
        }
    })
    .await;
}
