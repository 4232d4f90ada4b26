//! A mailer for development and tests: mails are kept instead of sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::outbound::{Mail, Mailer};
use crate::error::Result;

/// The newest mails that are kept.
const MAX_MAILS: usize = 1_000;

/// Keeps mails, the newest thousand, instead of sending them. **For development.**
///
/// A host may show them: whoever can ask [`answer`](Self::answer) can take over every account. Clones share
/// their mails.
///
/// ```
/// use std::sync::Arc;
/// use backstitch::env::{DevMailbox, Env};
///
/// let mailbox = DevMailbox::default();
/// let env = Env { mailer: Arc::new(mailbox.clone()), ..Env::system() };
/// assert_eq!(mailbox.answer("kind=confirm&email=ada@example.test").status(), 404);
/// ```
#[derive(Clone, Default)]
pub struct DevMailbox(Arc<Mutex<VecDeque<Mail>>>);

impl DevMailbox {
    /// The newest mail that is wanted.
    pub fn newest(&self, wanted: impl Fn(&Mail) -> bool) -> Option<Mail> {
        self.lock().iter().rev().find(|mail| wanted(mail)).cloned()
    }

    /// Answers a request whose query is `app=&kind=&email=` with the newest match as JSON; what is left out
    /// matches every mail. 404 when there is none.
    pub fn answer(&self, query: &str) -> Response<String> {
        let wanted = Wanted::parse(query);
        let (status, body) = match self.newest(|mail| wanted.matches(mail)) {
            Some(mail) => (StatusCode::OK, shown(&mail)),
            None => (StatusCode::NOT_FOUND, json!({ "error": "no such mail" })),
        };
        let mut response = Response::new(body.to_string());
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Mail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mailer for DevMailbox {
    async fn send(&self, mail: Mail) -> Result<()> {
        let mut mails = self.lock();
        if mails.len() >= MAX_MAILS {
            mails.pop_front();
        }
        mails.push_back(mail);
        Ok(())
    }
}

impl std::fmt::Debug for DevMailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DevMailbox({} mails)", self.lock().len())
    }
}

/// Which mail is asked for; what is not given matches every mail.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    app: Option<String>,
    kind: Option<String>,
    email: Option<String>,
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
    json!({
        "kind": mail.kind.as_str(),
        "email": mail.to,
        "token": token.map(|token| token.token.expose()),
        "tokenId": token.map(|token| &token.token_id),
        "link": token.map(|token| &token.link),
        "subject": mail.subject,
        "body": mail.body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{MailKind, MailToken};
    use crate::id::AppId;
    use crate::secret::Secret;

    fn mail(app: &str, kind: MailKind, to: &str, token: Option<&str>) -> Mail {
        let token = token.map(|token| MailToken {
            token: Secret::new(token),
            token_id: format!("id-of-{token}"),
            link: format!("https://shop.example/confirm?token={token}"),
        });
        let (app, to) = (AppId::new(app), to.to_owned());
        Mail { app, kind, to, subject: "Hello".to_owned(), body: "Welcome".to_owned(), token }
    }

    fn answer(mailbox: &DevMailbox, query: &str) -> (u16, Value) {
        let answer = mailbox.answer(query);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        (answer.status().as_u16(), serde_json::from_str(answer.body()).unwrap())
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
            mailbox.clone().send(mail).await.unwrap();
        }
        for (query, found) in [
            ("app=shop-a&kind=confirm&email=a%2Bb%40x.test", json!("two")),
            ("app=shop-a&email=a+b@x.test&other=1", json!("three")),
            ("kind=already-registered", Value::Null),
            ("", Value::Null),
        ] {
            let (status, mail) = answer(&mailbox, query);
            assert_eq!((status, &mail["token"]), (200, &found), "{query}");
        }
        for query in ["app=shop-b&kind=confirm", "email="] {
            assert_eq!(answer(&mailbox, query), (404, json!({ "error": "no such mail" })), "{query}");
        }
        let expected = json!({
            "kind": "reset", "email": "a+b@x.test", "token": "three", "tokenId": "id-of-three",
            "link": "https://shop.example/confirm?token=three", "subject": "Hello", "body": "Welcome",
        });
        assert_eq!(answer(&mailbox, "kind=reset"), (200, expected));
    }

    #[tokio::test]
    async fn a_thousand_mails_are_kept() {
        let mailbox = DevMailbox::default();
        for number in 0..=MAX_MAILS {
            let to = format!("{number}@x.test");
            mailbox.send(mail("shop-a", MailKind::Confirm, &to, Some("t"))).await.unwrap();
        }
        assert_eq!(format!("{mailbox:?}"), "DevMailbox(1000 mails)");
        assert!(mailbox.newest(|mail| mail.to == "0@x.test").is_none());
        assert!(mailbox.newest(|mail| mail.to == "1@x.test").is_some());
        assert!(mailbox.newest(|mail| mail.to == "1000@x.test").is_some());
    }
}
