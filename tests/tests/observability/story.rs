//! Requests with what has to be told of each, and with what may be told nowhere.

use backstitch_tests::{CLIENT_SECRET, Reply};
use serde_json::Value;

use crate::counted;
use crate::world::{FAILURE, TOKEN_SECRET, World};

/// Every secret that is known beforehand is one of these, or has the first in it.
const MARKS: [&str; 4] = ["s3cret", FAILURE, TOKEN_SECRET, CLIENT_SECRET];
pub const LOGIN: &str = "/app/{app}/auth/providers/{provider}/login";
pub const PASSWORDS: &str = "/app/{app}/auth/providers/local-userpass";

pub struct Story {
    pub world: World,
    pub secrets: Vec<String>,
    /// Of each request: kind, method, endpoint, status, event, provider, code.
    pub expected: Vec<String>,
}

impl Story {
    pub fn secret(&mut self, secret: impl Into<String>) -> String {
        let secret = secret.into();
        assert!(secret.len() >= 8, "no trace: {secret}");
        // Of a token, each part alone is a trace, but for the header, which all tokens of a key share.
        self.secrets.extend(secret.split('.').skip(1).filter(|part| part.len() > 8).map(str::to_owned));
        self.secrets.push(secret.clone());
        secret
    }

    pub fn expect(&mut self, reply: &Reply, status: u16, line: &str) {
        assert_eq!(reply.status, status, "{line}: {reply:?}");
        let (target, rest) = line.split_once(" | ").unwrap();
        self.expected.push(format!("{target} {status} {rest}"));
    }

    /// Sends JSON and says what the record has to be: `KIND METHOD endpoint | event provider code`.
    pub async fn ask(
        &mut self,
        (method, path, token): (&str, &str, Option<&str>),
        body: Value,
        (status, line): (u16, &str),
    ) -> Reply {
        let reply = self.world.send_json(method, path, token, body).await;
        self.expect(&reply, status, line);
        reply
    }

    pub async fn log_in(&mut self, provider: &str, credential: Value, (status, code): (u16, &str)) -> Reply {
        let path = LOGIN.replace("{provider}", provider);
        let told = if provider.starts_with("s3cret") { "-" } else { provider };
        let line = format!("AUTH POST {LOGIN} | LOGIN {told} {code}");
        let reply = self.ask(("POST", &path, None), credential, (status, &line)).await;
        if status == 200 {
            for token in ["access_token", "refresh_token"] {
                self.secret(reply.json()[token].as_str().unwrap());
            }
        }
        reply
    }

    pub async fn passwords(&mut self, flow: &str, body: Value, (status, told): (u16, &str)) {
        let path = format!("{PASSWORDS}/{flow}");
        let line = format!("AUTH POST {path} | {told}");
        self.ask(("POST", &path, None), body, (status, &line)).await;
    }

    /// What may be told nowhere.
    pub fn watched(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(String::as_str).chain(MARKS)
    }

    /// All that was told, as text.
    pub fn told(&self) -> String {
        let records: Vec<String> =
            self.world.records.all().iter().map(|record| format!("{record:?}")).collect();
        let json: Vec<String> = self.world.records.json().iter().map(Value::to_string).collect();
        let metrics: Vec<String> = counted::values().into_keys().collect();
        [self.world.capture.text(), records.join("\n"), json.join("\n"), metrics.join("\n")].join("\n")
    }

    #[track_caller]
    pub fn assert_unseen(&self, text: &str) {
        for secret in self.watched() {
            if let Some(at) = text.find(secret) {
                let around: String = text[..at].chars().rev().take(300).collect();
                panic!("`{secret}` is seen behind: {}", around.chars().rev().collect::<String>());
            }
        }
    }

    /// Every request has a record, a span, an event and is counted.
    pub fn assert_told(&self) {
        let records = self.world.records.all();
        let lines: Vec<String> = self.world.records.json().iter().map(line).collect();
        for (line, expected) in lines.iter().zip(&self.expected) {
            assert_eq!(line, expected);
        }
        assert_eq!(lines.len(), self.expected.len());
        let spans = self.world.capture.spans("request");
        assert_eq!(spans.len(), records.len());
        let events = self.world.capture.events("backstitch::request");
        assert_eq!(events.len(), records.len());
        for ((record, span), event) in records.iter().zip(&spans).zip(&events) {
            assert_eq!(span.field("co_id"), record.co_id.to_hex());
            assert_eq!(event.field("co_id"), record.co_id.to_hex());
            assert_eq!(span.field("endpoint"), record.endpoint.unwrap());
            assert_eq!(span.field("status"), record.status.unwrap().to_string());
            assert_eq!(span.fields.get("user_id").cloned(), record.user_id.map(|id| id.to_hex()));
            assert_eq!(span.fields.get("error_code").map(String::as_str), record.error_code);
        }
        self.assert_counted(&spans);
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn assert_counted(&self, spans: &[crate::capture::Told]) {
        assert_eq!(counted::sum("backstitch_requests_total{"), spans.len() as f64);
        assert_eq!(counted::sum("backstitch_request_seconds{"), spans.len() as f64);
        let count =
            |beginning: &str| self.expected.iter().filter(|line| line.starts_with(beginning)).count() as f64;
        for (metric, beginning) in [
            (
                "backstitch_requests_total{app=club-abcde,method=POST,endpoint=/app/{app}/graphql,status=200}",
                "GRAPHQL POST /app/{app}/graphql 200",
            ),
            ("backstitch_requests_total{app=none,method=GET,endpoint=none,status=404}", "API GET none 404"),
            (
                "backstitch_logins_total{app=club-abcde,provider=local-userpass,outcome=ok}",
                "AUTH POST /app/{app}/auth/providers/{provider}/login 200 LOGIN local-userpass",
            ),
            (
                "backstitch_logins_total{app=club-abcde,provider=local-userpass,outcome=InvalidPassword}",
                "AUTH POST /app/{app}/auth/providers/{provider}/login 401 LOGIN local-userpass InvalidPassword",
            ),
            (
                "backstitch_logins_total{app=club-abcde,provider=oidc-corp,",
                "AUTH GET /auth/callback 302 LOGIN oidc-corp",
            ),
        ] {
            let expected = count(beginning);
            assert!(expected > 0.0, "{beginning}");
            assert_eq!(counted::sum(metric), expected, "{metric}: {:#?}", counted::values());
        }
        let capture = &self.world.capture;
        for kind in ["snapshot", "find", "begin", "write", "commit", "rollback"] {
            let expected = capture.spans(kind).len() as f64;
            assert!(expected > 0.0, "{kind}");
            assert_eq!(counted::sum(&format!("backstitch_store_requests_total{{kind={kind}}}")), expected);
        }
        let cached = capture.spans("prepare");
        for (result, cached_as) in [("hit", "true"), ("miss", "false")] {
            let expected = cached.iter().filter(|span| span.field("cached") == cached_as).count() as f64;
            assert!(expected > 0.0, "{result}");
            assert_eq!(
                counted::sum(&format!("backstitch_graphql_plan_cache_total{{result={result}}}")),
                expected
            );
        }
        assert_eq!(counted::sum("backstitch_graphql_total{"), capture.spans("graphql").len() as f64);
        assert_eq!(counted::sum("backstitch_function_calls_total{"), capture.spans("function").len() as f64);
        assert_eq!(counted::sum("backstitch_rate_limited_total"), 1.0);
    }
}

/// A record in one line, as they are expected.
fn line(record: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => "-".to_owned(),
    };
    let event = &record["auth_event"];
    let parts = [
        &record["type"],
        &record["request_method"],
        &record["request_url"],
        &record["status"],
        &event["type"],
        &event["provider"],
        &record["error_code"],
    ];
    parts.map(text).join(" ")
}
