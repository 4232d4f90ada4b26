//! `--dev-mailbox`: mails are kept instead of sent, and can be read at `GET /_dev/mailbox`.
//!
//! Whoever can reach the route can take over every account: it is for development and tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use backstitch::env::{Mail, Mailer};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// The newest mails that are kept.
const MAX_MAILS: usize = 1_000;
const PATH: &str = "/_dev/mailbox";

/// Keeps mails.
#[derive(Clone, Default)]
pub(crate) struct DevMailbox(Arc<Mutex<VecDeque<Mail>>>);

/// Which mail is asked for; what is not given matches every mail.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    app: Option<String>,
    kind: Option<String>,
    email: Option<String>,
}

impl DevMailbox {
    /// The route that shows the newest match.
    pub(crate) fn router(&self) -> axum::Router {
        axum::Router::new().route(PATH, get(newest)).with_state(self.clone())
    }

    fn newest(&self, wanted: &Wanted) -> Option<Value> {
        self.lock().iter().rev().find(|mail| wanted.matches(mail)).map(shown)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Mail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mailer for DevMailbox {
    async fn send(&self, mail: Mail) -> backstitch::error::Result<()> {
        let mut mails = self.lock();
        if mails.len() >= MAX_MAILS {
            mails.pop_front();
        }
        mails.push_back(mail);
        Ok(())
    }
}

impl Wanted {
    /// Reads `app=&kind=&email=`. A `+` stands for itself: addresses have it, and no spaces.
    fn parse(query: &str) -> Self {
        let mut wanted = Self::default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = Some(percent_decode_str(value).decode_utf8_lossy().into_owned());
            match name {
                "app" => wanted.app = value,
                "kind" => wanted.kind = value,
                "email" => wanted.email = value,
                _ => {}
            }
        }
        wanted
    }

    fn matches(&self, mail: &Mail) -> bool {
        let is =
            |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        is(&self.app, mail.app.as_str()) && is(&self.kind, mail.kind.as_str()) && is(&self.email, &mail.to)
    }
}

fn shown(mail: &Mail) -> Value {
    let token = mail.token.as_ref();
    let mut shown = json!({
        "kind": mail.kind.as_str(),
        "email": mail.to,
        "token": token.map(|token| token.token.expose()),
        "tokenId": token.map(|token| &token.token_id),
        "link": token.map(|token| &token.link),
        "subject": mail.subject,
        "body": mail.body,
    });
    if let (Some(html), Some(members)) = (&mail.html, shown.as_object_mut()) {
        members.insert("html".to_owned(), html.as_str().into());
    }
    shown
}

async fn newest(State(mailbox): State<DevMailbox>, RawQuery(query): RawQuery) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    match mailbox.newest(&Wanted::parse(query.as_deref().unwrap_or_default())) {
        Some(mail) => (headers, mail.to_string()).into_response(),
        None => {
            (StatusCode::NOT_FOUND, headers, json!({ "error": "no such mail" }).to_string()).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backstitch::env::{MailKind, MailToken};
    use backstitch::id::AppId;
    use backstitch::secret::Secret;

    fn mail(app: &str, kind: MailKind, to: &str, token: Option<&str>) -> Mail {
        let token = token.map(|token| MailToken {
            token: Secret::new(token),
            token_id: format!("id-of-{token}"),
            link: format!("https://shop.example/confirm?token={token}"),
        });
        let (app, to) = (AppId::new(app), to.to_owned());
        let (subject, body) = ("Hello".to_owned(), "Welcome".to_owned());
        Mail { app, kind, to, subject, body, html: None, token }
    }

    fn token(mailbox: &DevMailbox, query: &str) -> Option<String> {
        let mail = mailbox.newest(&Wanted::parse(query))?;
        Some(mail["token"].as_str().unwrap_or("none").to_owned())
    }

    #[tokio::test]
    async fn the_newest_match_is_shown_whole() {
        let mailbox = DevMailbox::default();
        for mail in [
            mail("shop-a", MailKind::Confirm, "a+b@x.test", Some("one")),
            mail("shop-a", MailKind::Confirm, "a+b@x.test", Some("two")),
            mail("shop-a", MailKind::Reset, "a+b@x.test", Some("three")),
            mail("shop-b", MailKind::AlreadyRegistered, "c@x.test", None),
        ] {
            mailbox.send(mail).await.unwrap();
        }
        for (query, found) in [
            ("app=shop-a&kind=confirm&email=a%2Bb%40x.test", Some("two")),
            ("app=shop-a&email=a+b@x.test&other=1", Some("three")),
            ("kind=already-registered", Some("none")),
            ("", Some("none")),
            ("app=shop-b&kind=confirm", None),
            ("email=", None),
        ] {
            assert_eq!(token(&mailbox, query).as_deref(), found, "{query}");
        }
        let shown = mailbox.newest(&Wanted::parse("kind=reset"));
        let expected = json!({
            "kind": "reset", "email": "a+b@x.test", "token": "three", "tokenId": "id-of-three",
            "link": "https://shop.example/confirm?token=three", "subject": "Hello", "body": "Welcome",
        });
        assert_eq!(shown, Some(expected));
        let html = mail("shop-c", MailKind::Confirm, "d@x.test", None);
        mailbox.send(Mail { html: Some("<p>".to_owned()), ..html }).await.unwrap();
        assert_eq!(mailbox.newest(&Wanted::parse("app=shop-c")).unwrap()["html"], "<p>");
    }

    #[tokio::test]
    async fn a_thousand_mails_are_kept() {
        let mailbox = DevMailbox::default();
        for number in 0..=MAX_MAILS {
            let to = format!("{number}@x.test");
            mailbox.send(mail("shop-a", MailKind::Confirm, &to, Some("t"))).await.unwrap();
        }
        assert_eq!(mailbox.lock().len(), MAX_MAILS);
        assert_eq!(token(&mailbox, "email=0@x.test"), None);
        assert!(token(&mailbox, "email=1@x.test").is_some());
        assert!(token(&mailbox, "email=1000@x.test").is_some());
    }
}
