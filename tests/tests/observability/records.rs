//! The record itself: what it serialises to, who gets one, and how much a log may want.

use backstitch::auth::config::ProviderKind;
use backstitch::engine::Engine;
use backstitch::graphql::GraphqlRequest;
use backstitch::observe::{Detail, RequestRecord};
use backstitch_tests::Client;
use http::Request;
use serde_json::json;

use crate::world::{APP, PEER, on_each_store};

#[test]
fn a_record_has_the_originals_names() {
    on_each_store(Detail::Rules, |world| async move {
        let client = world.client().guest().await;
        let token = client.access.as_deref();
        let body = json!({ "query": "query Length { notes { length } fails }", "operationName": "Length" });
        world.store("notes", [bson::doc! { "_id": 1, "kind": "shared", "text": "a" }]).await;
        world.send_json("POST", "/app/{app}/graphql", token, body).await;
        let mut record = world.records.json().pop().unwrap();
        let id = record["_id"].as_str().unwrap().to_owned();
        assert_eq!(id.len(), 24);
        let session = record["session_id"].take();
        assert_eq!(session.as_str().map(str::len), Some(24));
        let domain = record["domain_id"].take();
        assert_eq!(domain.as_str().map(str::len), Some(24));
        let expected = json!({
            "_id": id, "co_id": id, "type": "GRAPHQL", "domain_id": null, "app_id": APP,
            "request_url": "/app/{app}/graphql", "request_method": "POST",
            "started": "2027-01-15T08:00:00Z", "completed": "2027-01-15T08:00:00Z",
            "user_id": client.user, "session_id": null, "remote_ip_address": PEER.to_string(), "status": 200,
            "error_code": "FunctionExecutionError", "graphql_operation": "Length",
            "functions": { "length": 1, "fails": 1 },
            "rule_metrics": { "namespaces_metrics": { "app.notes": {
                "roles": { "reader": { "matching_documents": 1, "evaluated_fields": 0, "discarded_fields": 0 } },
                "no_matching_role": 0
            }}}
        });
        assert_eq!(record, expected);
    });
}

#[test]
fn a_log_in_tells_the_provider_the_user_and_the_sdk() {
    on_each_store(Detail::Request, |world| async move {
        let device =
            json!({ "platform": "node", "platformVersion": "22", "sdk": "realm-web", "sdkVersion": "2.0" });
        let body = json!({ "options": { "device": device } });
        let reply =
            world.send_json("POST", "/app/{app}/auth/providers/anon-user/login", None, body).await.json();
        let record = world.records.json().pop().unwrap();
        for (name, value) in [
            ("type", json!("AUTH")),
            ("auth_event", json!({ "type": "LOGIN", "provider": "anon-user" })),
            ("user_id", reply["user_id"].clone()),
            ("platform", json!("node")),
            ("platform_version", json!("22")),
            ("sdk_name", json!("realm-web")),
            ("sdk_version", json!("2.0")),
        ] {
            assert_eq!(record[name], value, "{name}");
        }
    });
}

#[test]
fn a_text_that_was_composed_is_left_out_and_a_ready_one_is_told() {
    on_each_store(Detail::Request, |world| async move {
        for (path, text) in
            [("/auth/profile", json!("must authenticate first")), ("/app/lost/location", json!(null))]
        {
            world.send("GET", path, &[], "").await;
            assert_eq!(world.records.json().pop().unwrap()["error"], text, "{path}");
        }
    });
}

#[test]
fn a_log_gets_as_much_as_it_wants() {
    for detail in [Detail::Nothing, Detail::Request, Detail::Rules] {
        on_each_store(detail, |world| async move {
            let client = world.client().guest().await;
            world.store("notes", [bson::doc! { "_id": 1, "kind": "shared" }]).await;
            client.data("{ notes { text } }", json!({})).await;
            let records = world.records.all();
            assert_eq!(records.len(), if detail == Detail::Nothing { 0 } else { 2 });
            let counted = records.iter().filter(|record| record.rule_metrics.is_some()).count();
            assert_eq!(counted, usize::from(detail == Detail::Rules));
        });
    }
}

#[test]
fn what_a_host_asks_in_process_is_recorded_and_health_is_not() {
    on_each_store(Detail::Request, |world| async move {
        let client = world.client().guest().await;
        let app = world.engine.app(APP).unwrap();
        let bearer = format!("Bearer {}", client.access.as_deref().unwrap());
        let head = Request::get("/mine").header("authorization", bearer).body(()).unwrap().into_parts().0;
        let actor = app.authenticate(&head).await.unwrap();
        app.graphql(&actor, &GraphqlRequest::new("{ lost }")).await;
        let health = Request::get("/health").body(bytes::Bytes::new()).unwrap();
        assert_eq!(world.engine.handle(health).await.status(), 200);
        let record = world.records.all().pop().unwrap();
        assert_eq!((record.status, record.endpoint, record.method), (None, None, None));
        assert_eq!(record.error_code, Some("GRAPHQL_VALIDATION_FAILED"));
        assert_eq!(record.user_id.map(|id| id.to_hex()), client.user);
        assert_eq!(world.records.all().len(), 2, "the log-in and this");
        assert_eq!(
            crate::counted::sum("backstitch_requests_total{app=none,method=GET,endpoint=/health"),
            1.0
        );
    });
}

#[test]
fn a_body_that_no_mount_could_read_is_recorded_too() {
    on_each_store(Detail::Request, |world| async move {
        let uri = format!("/api/client/v2.0/app/{APP}/graphql");
        let head = Request::post(uri).body(()).unwrap().into_parts().0;
        for (refused, status) in
            [(world.engine.refuse_large_body(&head), 413), (world.engine.refuse_broken_body(&head), 400)]
        {
            assert_eq!(refused.status(), status);
        }
        let told = |record: &serde_json::Value| (record["request_url"].clone(), record["status"].clone());
        let told: Vec<_> = world.records.json().iter().map(told).collect();
        assert_eq!(told, [413, 400].map(|status| (json!("/app/{app}/graphql"), json!(status))));
    });
}

#[test]
fn a_log_that_panics_takes_no_answer_from_a_client() {
    on_each_store(Detail::Nothing, |world| async move {
        let app = backstitch::app::AppConfig::new("other").provider(ProviderKind::Anonymous);
        let builder =
            Engine::builder().store(world.store.clone()).public_url("http://other.example").app(app);
        let engine = builder.request_log(|_: &RequestRecord| panic!("no room")).build().await.unwrap();
        let id = engine.apps().next().unwrap().id().to_string();
        assert!(Client::new(&engine, &id).guest().await.access.is_some());
        let events = world.capture.events("backstitch::observe::watch");
        assert_eq!(
            events.iter().map(|event| event.field("message")).collect::<Vec<_>>(),
            ["the request log panicked"]
        );
    });
}

#[test]
fn every_metric_is_described_when_an_engine_is_built() {
    on_each_store(Detail::Nothing, |_| async {
        let described = crate::counted::described();
        for metric in backstitch::observe::metrics::METRICS {
            assert_eq!(described.get(metric.name).map(String::as_str), Some(metric.help));
        }
        assert_eq!(described.len(), backstitch::observe::metrics::METRICS.len());
    });
}
