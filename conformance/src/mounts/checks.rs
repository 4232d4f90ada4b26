//! The checks, in one visible list.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{APP_ID, Client, Reply};

type Check = fn(Client) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! checks {
    ($($name:ident,)*) => {
        /// Every check: its name says what a mount does.
        pub(super) const CHECKS: &[(&str, Check)] = &[$((stringify!($name), |client| Box::pin($name(client))),)*];
    };
}

checks! {
    location_names_the_host_and_carries_the_exact_content_type,
    an_unknown_app_is_404_in_the_wire_format,
    an_unknown_route_is_404,
    another_method_is_405_and_names_the_right_ones,
    an_encoded_app_id_is_decoded,
    an_anonymous_login_answers_four_strings,
    a_login_without_a_body_is_a_login_with_an_empty_one,
    a_login_ignores_keys_that_it_does_not_know,
    a_body_that_is_no_json_is_400,
    a_body_that_is_no_object_is_400,
    a_provider_that_is_not_there_is_404,
    a_redirect_to_a_provider_that_is_not_there_is_404,
    a_return_of_nobody_who_left_is_401_by_get_and_by_form,
    a_registration_is_201_without_a_body,
    a_second_registration_is_409,
    a_wrong_password_and_an_unknown_user_look_alike,
    a_refresh_is_201_with_exactly_an_access_token,
    an_access_token_does_not_refresh,
    a_logout_is_204_without_a_content_type,
    a_second_logout_names_the_missing_refresh_token,
    a_logout_ends_the_access_token_at_once,
    a_profile_has_what_the_clients_read,
    a_call_of_the_data_service_is_answered_in_canonical_json,
    a_call_of_an_unknown_function_is_404_in_the_wire_format,
    graphql_without_a_token_is_401_in_the_wire_format,
    graphql_with_another_scheme_is_401_invalid_session,
    graphql_with_a_forged_token_is_401_invalid_session,
    graphql_answers_json_of_the_exact_type,
    a_graphql_error_is_200_with_errors,
    graphql_in_its_own_media_type_is_400_when_nothing_ran,
    graphql_by_get_reads_and_does_not_write,
    a_batch_of_graphql_is_answered_in_order,
    graphql_that_is_not_said_to_be_json_is_415,
    a_chunked_body_is_read,
    an_announced_body_over_the_limit_is_413_at_once,
    a_chunked_body_over_the_limit_is_413,
    a_broken_body_leaves_the_server_alive,
    ten_thousand_aliases_are_refused_in_no_time,
    five_thousand_braces_are_refused_in_no_time,
    a_preflight_names_methods_and_headers,
    an_origin_is_named_in_answers_and_in_errors,
    fifty_requests_at_once_are_all_answered,
    health_answers_without_an_app,
}

fn app(rest: &str) -> String {
    format!("/api/client/v2.0/app/{APP_ID}/{rest}")
}

const SESSION: &str = "/api/client/v2.0/auth/session";
const PROFILE: &str = "/api/client/v2.0/auth/profile";

struct Tokens {
    access: String,
    refresh: String,
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).to_owned()
}

async fn guest(client: Client) -> Tokens {
    let reply = client.send("POST", &app("auth/providers/anon-user/login"), &[], Some("{}")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    Tokens { access: text(&reply.json(), "access_token"), refresh: text(&reply.json(), "refresh_token") }
}

async fn with_token(client: Client, method: &str, path: &str, token: &str, body: Option<&str>) -> Reply {
    client.send(method, path, &[("authorization", &format!("Bearer {token}"))], body).await
}

async fn register(client: Client, email: &str) -> Reply {
    let body = json!({"email": email, "password": "correct horse"}).to_string();
    client.send("POST", &app("auth/providers/local-userpass/register"), &[], Some(&body)).await
}

async fn login(client: Client, email: &str, password: &str) -> Reply {
    let body = json!({"username": email, "password": password}).to_string();
    client.send("POST", &app("auth/providers/local-userpass/login"), &[], Some(&body)).await
}

async fn graphql(client: Client, token: &str, query: &str) -> Reply {
    with_token(client, "POST", &app("graphql"), token, Some(&json!({ "query": query }).to_string())).await
}

fn assert_error(reply: &Reply, status: u16, code: Option<&str>) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/json"), "{reply:?}");
    let body = reply.json();
    assert!(body["error"].is_string(), "{body}");
    assert_eq!(body.get("error_code").and_then(Value::as_str), code, "{body}");
}

async fn location_names_the_host_and_carries_the_exact_content_type(client: Client) {
    let reply = client.send("GET", &app("location"), &[], None).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let body = reply.json();
    for name in ["hostname", "ws_hostname", "deployment_model", "location"] {
        assert!(!text(&body, name).is_empty(), "{name}");
        assert!(!text(&body, name).ends_with('/'), "{name}");
    }
}

async fn an_unknown_app_is_404_in_the_wire_format(client: Client) {
    let reply = client.send("GET", "/api/client/v2.0/app/nope-abcde/location", &[], None).await;
    assert_error(&reply, 404, None);
    assert_eq!(reply.json()["error"], "cannot find app using Client App ID 'nope-abcde'");
}

async fn an_unknown_route_is_404(client: Client) {
    for path in ["/", "/api/client/v2.0/nothing", "/api/client/v2.0/app/x/location/more"] {
        assert_error(&client.send("GET", path, &[], None).await, 404, None);
    }
}

async fn another_method_is_405_and_names_the_right_ones(client: Client) {
    let reply = client.send("PUT", SESSION, &[], None).await;
    assert_error(&reply, 405, None);
    assert_eq!(reply.header("allow"), Some("POST, DELETE"));
}

async fn an_encoded_app_id_is_decoded(client: Client) {
    let encoded: String = APP_ID.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let reply = client.send("GET", &format!("/api/client/v2.0/app/{encoded}/location"), &[], None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

async fn an_anonymous_login_answers_four_strings(client: Client) {
    let reply = client.send("POST", &app("auth/providers/anon-user/login"), &[], Some("{}")).await;
    assert_eq!(reply.status, 200);
    for name in ["access_token", "refresh_token"] {
        assert_eq!(text(&reply.json(), name).split('.').count(), 3, "{name}");
    }
    for name in ["user_id", "device_id"] {
        let id = text(&reply.json(), name);
        assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}: {id}");
    }
}

async fn a_login_without_a_body_is_a_login_with_an_empty_one(client: Client) {
    assert_eq!(client.send("POST", &app("auth/providers/anon-user/login"), &[], None).await.status, 200);
}

async fn a_login_ignores_keys_that_it_does_not_know(client: Client) {
    let body = json!({"provider": "anon-user", "what": [1], "options": {"device": {"sdk": "x", "more": {}}}});
    let reply =
        client.send("POST", &app("auth/providers/anon-user/login"), &[], Some(&body.to_string())).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

async fn a_body_that_is_no_json_is_400(client: Client) {
    let reply = client.send("POST", &app("auth/providers/anon-user/login"), &[], Some("{\"a\":")).await;
    assert_error(&reply, 400, Some("BadRequest"));
}

async fn a_body_that_is_no_object_is_400(client: Client) {
    let reply = client.send("POST", &app("auth/providers/anon-user/login"), &[], Some("[]")).await;
    assert_error(&reply, 400, Some("BadRequest"));
}

async fn a_provider_that_is_not_there_is_404(client: Client) {
    let reply = client.send("POST", &app("auth/providers/oauth2-google/login"), &[], Some("{}")).await;
    assert_error(&reply, 404, Some("AuthProviderNotFound"));
}

async fn a_redirect_to_a_provider_that_is_not_there_is_404(client: Client) {
    let path = app("auth/providers/oauth2-google/login?redirect=https%3A%2F%2Fa.example&state=x");
    let reply = client.send("GET", &path, &[], None).await;
    assert_error(&reply, 404, Some("AuthProviderNotFound"));
    assert!(reply.header("location").is_none(), "{reply:?}");
}

async fn a_return_of_nobody_who_left_is_401_by_get_and_by_form(client: Client) {
    let path = "/api/client/v2.0/auth/callback";
    let reply = client.send("GET", &format!("{path}?code=c&state=a.b"), &[], None).await;
    assert_error(&reply, 401, Some("AuthError"));
    let form = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://a.example")];
    let reply = client.send("POST", path, &form, Some("code=c&state=a.b")).await;
    assert_error(&reply, 401, Some("AuthError"));
    assert!(reply.header("location").is_none() && reply.header("set-cookie").is_none(), "{reply:?}");
}

async fn a_registration_is_201_without_a_body(client: Client) {
    let reply = register(client, "mount-a@example.test").await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert!(reply.body.is_empty() && reply.header("content-type").is_none(), "{reply:?}");
}

async fn a_second_registration_is_409(client: Client) {
    register(client, "mount-b@example.test").await;
    let reply = register(client, "mount-b@example.test").await;
    assert_error(&reply, 409, Some("AccountNameInUse"));
    assert_eq!(reply.json()["error"], "name already in use");
}

async fn a_wrong_password_and_an_unknown_user_look_alike(client: Client) {
    register(client, "mount-c@example.test").await;
    let wrong = login(client, "mount-c@example.test", "battery staple").await;
    let unknown = login(client, "mount-nobody@example.test", "battery staple").await;
    assert_error(&wrong, 401, Some("InvalidPassword"));
    assert_eq!(wrong.json()["error"], "unauthorized");
    assert_eq!(wrong.json(), unknown.json());
}

async fn a_refresh_is_201_with_exactly_an_access_token(client: Client) {
    let tokens = guest(client).await;
    let reply = with_token(client, "POST", SESSION, &tokens.refresh, None).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let body = reply.json();
    assert_eq!(
        body.as_object().map(|members| members.keys().collect::<Vec<_>>()),
        Some(vec![&"access_token".to_owned()])
    );
    assert_eq!(graphql(client, &text(&body, "access_token"), "{ __typename }").await.status, 200);
}

async fn an_access_token_does_not_refresh(client: Client) {
    let tokens = guest(client).await;
    let reply = with_token(client, "POST", SESSION, &tokens.access, None).await;
    assert_error(&reply, 401, Some("InvalidSession"));
    let other_way = graphql(client, &tokens.refresh, "{ __typename }").await;
    assert_error(&other_way, 401, Some("InvalidSession"));
}

async fn a_logout_is_204_without_a_content_type(client: Client) {
    let tokens = guest(client).await;
    let reply = with_token(client, "DELETE", SESSION, &tokens.refresh, None).await;
    assert_eq!(reply.status, 204, "{reply:?}");
    assert!(reply.header("content-type").is_none() && reply.body.is_empty(), "{reply:?}");
}

async fn a_second_logout_names_the_missing_refresh_token(client: Client) {
    let tokens = guest(client).await;
    with_token(client, "DELETE", SESSION, &tokens.refresh, None).await;
    let reply = with_token(client, "DELETE", SESSION, &tokens.refresh, None).await;
    assert_error(&reply, 401, Some("InvalidSession"));
    assert!(text(&reply.json(), "error").contains("failed to find refresh token"));
}

async fn a_logout_ends_the_access_token_at_once(client: Client) {
    let tokens = guest(client).await;
    with_token(client, "DELETE", SESSION, &tokens.refresh, None).await;
    assert_error(&graphql(client, &tokens.access, "{ __typename }").await, 401, Some("InvalidSession"));
    assert_error(
        &with_token(client, "POST", SESSION, &tokens.refresh, None).await,
        401,
        Some("InvalidSession"),
    );
}

async fn a_profile_has_what_the_clients_read(client: Client) {
    let tokens = guest(client).await;
    let reply = with_token(client, "GET", PROFILE, &tokens.access, None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = reply.json();
    assert_eq!(body["type"], "normal");
    assert!(
        body["data"].is_object() && body["user_id"].is_string() && body["domain_id"].is_string(),
        "{body}"
    );
    assert_eq!(body["identities"][0]["provider_type"], "anon-user");
    assert!(body["identities"][0]["id"].is_string(), "{body}");
}

async fn graphql_without_a_token_is_401_in_the_wire_format(client: Client) {
    let reply = client.send("POST", &app("graphql"), &[], Some("{\"query\":\"{ __typename }\"}")).await;
    assert_error(&reply, 401, Some("MissingAuthReq"));
}

async fn graphql_with_another_scheme_is_401_invalid_session(client: Client) {
    let headers = [("authorization", "Basic dXNlcjpwYXNz")];
    let reply = client.send("POST", &app("graphql"), &headers, Some("{\"query\":\"{ __typename }\"}")).await;
    assert_error(&reply, 401, Some("InvalidSession"));
}

async fn graphql_with_a_forged_token_is_401_invalid_session(client: Client) {
    let tokens = guest(client).await;
    let mut forged = tokens.access.clone();
    forged.truncate(forged.len() - 4);
    for token in [forged.as_str(), "x", "a.b.c", ""] {
        assert_error(&graphql(client, token, "{ __typename }").await, 401, Some("InvalidSession"));
    }
}

async fn call(client: Client, body: &Value) -> Reply {
    let tokens = guest(client).await;
    with_token(client, "POST", &app("functions/call"), &tokens.access, Some(&body.to_string())).await
}

async fn a_call_of_the_data_service_is_answered_in_canonical_json(client: Client) {
    let count = json!({"database": "app", "collection": "things"});
    let body = json!({"name": "count", "arguments": [count], "service": "mongodb-atlas"});
    let reply = call(client, &body).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(reply.json(), json!({"$numberLong": "0"}));
}

async fn a_call_of_an_unknown_function_is_404_in_the_wire_format(client: Client) {
    let reply = call(client, &json!({"name": "gone", "arguments": []})).await;
    assert_error(&reply, 404, Some("FunctionNotFound"));
}

async fn graphql_answers_json_of_the_exact_type(client: Client) {
    let tokens = guest(client).await;
    let reply = graphql(client, &tokens.access, "{ things { name } }").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.json(), json!({"data": {"things": []}}));
}

async fn a_graphql_error_is_200_with_errors(client: Client) {
    let tokens = guest(client).await;
    let reply = graphql(client, &tokens.access, "{ nothing }").await;
    assert_eq!(reply.status, 200);
    assert!(reply.json()["errors"][0]["message"].is_string() && reply.json().get("data").is_none());
}

async fn graphql_in_its_own_media_type_is_400_when_nothing_ran(client: Client) {
    let tokens = guest(client).await;
    let bearer = format!("Bearer {}", tokens.access);
    let headers = [("authorization", bearer.as_str()), ("accept", "application/graphql-response+json")];
    for (query, status) in [("{ things { name } }", 200), ("{ nothing }", 400), ("{", 400)] {
        let body = json!({ "query": query }).to_string();
        let reply = client.send("POST", &app("graphql"), &headers, Some(&body)).await;
        assert_eq!(reply.status, status, "{query}: {reply:?}");
        let content_type = reply.header("content-type").unwrap_or_default();
        assert!(content_type.starts_with("application/graphql-response+json"), "{content_type}");
    }
}

async fn graphql_by_get_reads_and_does_not_write(client: Client) {
    let tokens = guest(client).await;
    let token = tokens.access.as_str();
    let get = async |query: &str| {
        with_token(client, "GET", &format!("{}?query={query}", app("graphql")), token, None).await
    };
    let reply = get("%7B%20things%20%7B%20name%20%7D%20%7D").await;
    assert_eq!((reply.status, reply.json()), (200, json!({"data": {"things": []}})));
    let reply = get("mutation%7BdeleteManyThings%7BdeletedCount%7D%7D").await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")), "{reply:?}");
}

async fn a_batch_of_graphql_is_answered_in_order(client: Client) {
    let tokens = guest(client).await;
    let one = json!({ "query": "{ things { name } }" });
    let batch = json!([one, { "query": "{" }, { "query": "{ a: __typename }" }]).to_string();
    let reply = with_token(client, "POST", &app("graphql"), &tokens.access, Some(&batch)).await;
    let answers = reply.json();
    assert_eq!((reply.status, answers.as_array().map(Vec::len)), (200, Some(3)));
    assert_eq!(answers[0], json!({"data": {"things": []}}));
    assert!(answers[1]["errors"][0]["message"].is_string());
    assert_eq!(answers[2], json!({"data": {"a": "Query"}}));
    let eleven = Value::from(vec![one; 11]).to_string();
    let reply = with_token(client, "POST", &app("graphql"), &tokens.access, Some(&eleven)).await;
    assert_error(&reply, 400, Some("BadRequest"));
}

async fn graphql_that_is_not_said_to_be_json_is_415(client: Client) {
    let tokens = guest(client).await;
    let bearer = format!("Bearer {}", tokens.access);
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
    let body = json!({ "query": "{ __typename }" }).to_string();
    let reply = client.send("POST", &app("graphql"), &headers, Some(&body)).await;
    assert_error(&reply, 415, Some("BadRequest"));
}

fn chunked(token: &str, chunks: &[&[u8]], finished: bool) -> Vec<u8> {
    let mut request = format!(
        "POST {} HTTP/1.1\r\nhost: test\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
        app("graphql")
    )
    .into_bytes();
    for chunk in chunks {
        request.extend(format!("{:x}\r\n", chunk.len()).bytes());
        request.extend_from_slice(chunk);
        request.extend_from_slice(b"\r\n");
    }
    if finished {
        request.extend_from_slice(b"0\r\n\r\n");
    }
    request
}

async fn a_chunked_body_is_read(client: Client) {
    let tokens = guest(client).await;
    let request = chunked(&tokens.access, &[b"{\"query\":", b"\"{ __typename }\"}"], true);
    let reply = client.exchange(&request).await.expect("an answer");
    assert_eq!(reply.json(), json!({"data": {"__typename": "Query"}}));
}

async fn an_announced_body_over_the_limit_is_413_at_once(client: Client) {
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: test\r\ncontent-length: 104857600\r\nconnection: close\r\n\r\n",
        app("graphql")
    );
    let started = Instant::now();
    let reply = client.exchange(head.as_bytes()).await.expect("an answer before the body");
    assert_error(&reply, 413, Some("BadRequest"));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

async fn a_chunked_body_over_the_limit_is_413(client: Client) {
    let tokens = guest(client).await;
    let megabyte = vec![b' '; 1024 * 1024];
    let chunks: Vec<&[u8]> = std::iter::repeat_n(megabyte.as_slice(), 20).collect();
    if let Some(reply) = client.exchange(&chunked(&tokens.access, &chunks, true)).await {
        assert_error(&reply, 413, Some("BadRequest"));
    }
    assert_eq!(graphql(client, &tokens.access, "{ __typename }").await.status, 200, "the server lives");
}

async fn a_broken_body_leaves_the_server_alive(client: Client) {
    let tokens = guest(client).await;
    client.exchange(&[chunked(&tokens.access, &[b"{\"query\":"], false), b"zz\r\n".to_vec()].concat()).await;
    assert_eq!(graphql(client, &tokens.access, "{ __typename }").await.status, 200);
}

async fn refused_in_no_time(client: Client, query: &str) {
    let tokens = guest(client).await;
    let started = Instant::now();
    let reply = graphql(client, &tokens.access, query).await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(reply.json()["errors"][0]["message"].is_string(), "{reply:?}");
    assert!(reply.json().get("data").is_none(), "{reply:?}");
    assert_eq!(graphql(client, &tokens.access, "{ __typename }").await.status, 200, "the server lives");
}

async fn ten_thousand_aliases_are_refused_in_no_time(client: Client) {
    let aliases: String = (0..10_000).map(|index| format!("a{index}: things {{ name }} ")).collect();
    refused_in_no_time(client, &format!("{{ {aliases} }}")).await;
}

async fn five_thousand_braces_are_refused_in_no_time(client: Client) {
    refused_in_no_time(client, &format!("{}{}", "{ things ".repeat(5_000), "}".repeat(5_000))).await;
    refused_in_no_time(client, &"{".repeat(5_000)).await;
}

async fn a_preflight_names_methods_and_headers(client: Client) {
    let headers = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let reply = client.send("OPTIONS", &app("graphql"), &headers, None).await;
    assert_eq!(reply.status, 204, "{reply:?}");
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.example"));
    assert!(reply.header("access-control-allow-methods").is_some_and(|methods| methods.contains("POST")));
    assert!(
        reply.header("access-control-allow-headers").is_some_and(|names| names.contains("authorization"))
    );
}

async fn an_origin_is_named_in_answers_and_in_errors(client: Client) {
    for path in [app("location"), "/api/client/v2.0/app/nope/location".to_owned()] {
        let reply = client.send("GET", &path, &[("origin", "https://app.example")], None).await;
        assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.example"), "{reply:?}");
        assert_eq!(reply.header("vary"), Some("origin"), "{reply:?}");
    }
}

async fn fifty_requests_at_once_are_all_answered(client: Client) {
    let tokens = guest(client).await;
    let requests = (0..50).map(|_| graphql(client, &tokens.access, "{ things { name } }"));
    for reply in futures_util::future::join_all(requests).await {
        assert_eq!(reply.status, 200);
    }
}

async fn health_answers_without_an_app(client: Client) {
    let reply = client.send("GET", "/health", &[], None).await;
    assert_eq!((reply.status, reply.json()), (200, json!({"status": "ok"})));
    assert_eq!(client.send("HEAD", "/health", &[], None).await.status, 200);
}
