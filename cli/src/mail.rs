//! `--smtp`: mails are handed to a mail server.

use std::time::Duration;

use async_trait::async_trait;
use backstitch::env::{Mail, Mailer};
use backstitch::error::{Error, ErrorKind, Result};
use backstitch::secret::Secret;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use percent_encoding::percent_decode_str;

use crate::Failure;

/// Where the password comes from: what is typed can be read in the list of processes.
pub(crate) const PASSWORD: &str = "BACKSTITCH_SMTP_PASSWORD";

/// How long a mail server may take for one step: the client of the request waits for it.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Hands mails to a mail server.
pub(crate) struct SmtpMailer {
    from: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl SmtpMailer {
    /// `smtps://USER@HOST`, or `smtp://USER@HOST?tls=required` (STARTTLS); without encryption only to this
    /// machine.
    pub(crate) fn new(url: &str, from: &str, password: Option<Secret>) -> std::result::Result<Self, Failure> {
        let server = Server::parse(url)?;
        let from = from
            .parse()
            .map_err(|error| Failure::usage(format!("`--mail-from {from}` is no mail address: {error}")))?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|error| Failure::usage(format!("`--smtp`: {error}")))?;
        let builder = match (server.user, password) {
            (Some(user), Some(password)) => {
                builder.credentials(Credentials::new(user, password.expose().to_owned()))
            }
            (Some(_), None) => return Err(Failure::usage(format!("`--smtp` names a user: set {PASSWORD}"))),
            (None, _) => builder,
        };
        Ok(Self { from, transport: builder.timeout(Some(TIMEOUT)).build() })
    }

    fn message(&self, mail: Mail) -> Result<Message> {
        let to: Address = mail.to.parse().map_err(|error| {
            Error::new(ErrorKind::InvalidParameter, "no mail can be sent to this address").with_cause(error)
        })?;
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body)
            .map_err(Error::internal)
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: Mail) -> Result<()> {
        let message = self.message(mail)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(Error::internal(error)),
            Err(error) => {
                let text = "the mail cannot be sent now, try again";
                Err(Error::new(ErrorKind::Unavailable, text).with_retry_after(60).with_cause(error))
            }
        }
    }
}

/// What we look at ourselves in the URL; lettre reads the rest.
#[derive(Debug, PartialEq, Eq)]
struct Server {
    user: Option<String>,
}

impl Server {
    fn parse(url: &str) -> std::result::Result<Self, Failure> {
        let usage = |text: &str| Err(Failure::usage(format!("`--smtp` {text}")));
        let Some((scheme, rest)) = url.split_once("://") else {
            return usage("must be smtps://HOST or smtp://HOST?tls=required");
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return usage(&format!("must not hold the password: set {PASSWORD}"));
        }
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        let encrypted = scheme == "smtps" || query.split('&').any(|pair| pair == "tls=required");
        if !encrypted && !is_this_machine(host) {
            return usage("must be smtps://… or end in ?tls=required: mails carry what opens accounts");
        }
        let decoded = |user: &str| percent_decode_str(user).decode_utf8_lossy().into_owned();
        Ok(Self { user: user.filter(|user| !user.is_empty()).map(decoded) })
    }
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use backstitch::env::MailKind;
    use backstitch::id::AppId;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    fn mail(to: &str, subject: &str) -> Mail {
        Mail {
            app: AppId::new("shop-a"),
            kind: MailKind::Confirm,
            to: to.to_owned(),
            subject: subject.to_owned(),
            body: "Follow https://shop.example/confirm".to_owned(),
            token: None,
        }
    }

    /// A mail server for one mail: answers each line, and returns all that it was told.
    async fn one_mail(listener: TcpListener, to_recipient: &'static str) -> Vec<String> {
        let (socket, _) = listener.accept().await.unwrap();
        let mut socket = BufReader::new(socket);
        socket.write_all(b"220 mail.test\r\n").await.unwrap();
        let (mut told, mut in_data, mut line) = (Vec::new(), false, String::new());
        while socket.read_line(&mut line).await.unwrap() > 0 {
            let text = std::mem::take(&mut line).trim_end().to_owned();
            let answer = match text.as_str() {
                "." => "250 ok",
                _ if in_data => "",
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                recipient if recipient.starts_with("RCPT") => to_recipient,
                _ => "250 ok",
            };
            in_data = (in_data || text == "DATA") && text != ".";
            let done = text == "." || text == "QUIT" || answer.starts_with(['4', '5']);
            told.push(text);
            if !answer.is_empty() {
                socket.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
            if done {
                break;
            }
        }
        told
    }

    async fn send(mail: Mail, to_recipient: &'static str) -> (Result<()>, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let mailer = SmtpMailer::new(&url, "Shop <shop@x.test>", None).unwrap();
        let server = tokio::spawn(one_mail(listener, to_recipient));
        let sent = mailer.send(mail).await;
        drop(mailer);
        (sent, server.await.unwrap())
    }

    #[tokio::test]
    async fn a_mail_is_handed_over_and_its_subject_cannot_add_headers() {
        let (sent, told) = send(mail("a+b@x.test", "Hello\r\nBcc: thief@x.test"), "250 ok").await;
        sent.unwrap();
        assert!(told.contains(&"MAIL FROM:<shop@x.test>".to_owned()), "{told:?}");
        assert!(told.contains(&"RCPT TO:<a+b@x.test>".to_owned()), "{told:?}");
        assert!(told.contains(&"Follow https://shop.example/confirm".to_owned()), "{told:?}");
        assert!(told.iter().any(|line| line.starts_with("From: ") && line.contains("Shop")), "{told:?}");
        assert!(!told.iter().any(|line| line.starts_with("Bcc")), "{told:?}");
    }

    #[tokio::test]
    async fn a_server_that_is_busy_is_unavailable_and_a_refusal_is_ours() {
        let (sent, _) = send(mail("a@x.test", "Hello"), "451 later").await;
        assert_eq!(sent.unwrap_err().kind(), ErrorKind::Unavailable);
        let (sent, _) = send(mail("a@x.test", "Hello"), "550 no").await;
        assert_eq!(sent.unwrap_err().kind(), ErrorKind::InternalServerError);
    }

    #[tokio::test]
    async fn nobody_there_is_unavailable_and_a_strange_address_never_leaves() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        drop(listener);
        let mailer = SmtpMailer::new(&url, "shop@x.test", None).unwrap();
        let refused = mailer.send(mail("a@x.test", "Hello")).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        for to in ["", "a", "a@x.test, b@x.test", "a@x.test\r\nRCPT TO:<b@x.test>"] {
            let refused = mailer.send(mail(to, "Hello")).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidParameter, "{to}");
        }
    }

    #[tokio::test]
    async fn the_url_is_encrypted_or_local_and_holds_no_password() {
        let open = |url: &str, password: Option<&str>| {
            SmtpMailer::new(url, "shop@x.test", password.map(Secret::new))
                .err()
                .map(|failure| failure.message)
        };
        for url in
            ["smtps://mail.test", "smtp://mail.test:587?tls=required", "smtp://localhost:25", "smtp://[::1]"]
        {
            assert_eq!(open(url, None), None, "{url}");
        }
        assert_eq!(open("smtps://me%40x.test@mail.test", Some("hunter2")), None);
        for (url, text) in [
            ("mail.test", "smtps://HOST"),
            ("smtp://mail.test", "tls=required"),
            ("smtp://mail.test?tls=opportunistic", "tls=required"),
            ("smtp://127.0.0.1.mail.test", "tls=required"),
            ("smtps://me:hunter2@mail.test", "must not hold the password"),
            ("smtps://me@mail.test", PASSWORD),
            ("http://localhost", "--smtp"),
        ] {
            let message = open(url, None).unwrap_or_else(|| panic!("{url}"));
            assert!(message.contains(text) && !message.contains("hunter2"), "{url}: {message}");
        }
        assert!(SmtpMailer::new("smtps://mail.test", "nobody", None).is_err());
    }
}
