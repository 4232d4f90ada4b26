//! A process that serves the app of these tests, and what is asked of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The client app id.
pub(crate) const APP: &str = "load-abcde";

/// One process.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
}

impl Process {
    /// Starts it on a store, and waits until it is ready.
    pub(crate) fn start(store: &str) -> Self {
        let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/processes/app");
        let mut command = Command::new(env!("CARGO_BIN_EXE_backstitch"));
        command.arg("serve").arg(app).args(["--listen", "127.0.0.1:0", "--store", store]);
        command.env("RUST_LOG", "off").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        output.read_line(&mut ready).unwrap();
        let address = ready.split("http://").nth(1).and_then(|rest| rest.split(' ').next());
        let address = address.unwrap_or_else(|| panic!("it is not ready: {ready}")).to_owned();
        // Nobody reads on, and a pipe that is full would stop it.
        std::thread::spawn(move || output.lines().for_each(drop));
        Self { child, address }
    }

    /// Ends it at once, whatever it is doing.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The answer to a request, or why there is none.
pub(crate) type Answer = std::io::Result<(u16, Value)>;

/// Sends a request below `/api/client/v2.0` on a connection of its own.
pub(crate) async fn ask(address: &str, route: &str, token: &str, body: &Value) -> Answer {
    let (method, path) = route.split_once(' ').unwrap();
    let body = body.to_string();
    let request = format!(
        "{method} /api/client/v2.0{path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    // What is cut short is no answer.
    if length.is_some_and(|length: usize| length != body.len()) {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok((status.ok_or(std::io::ErrorKind::InvalidData)?, serde_json::from_str(body).unwrap_or_default()))
}

/// A user's tokens.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// A guest logs in; `None` when there is no answer, or the store is busy.
pub(crate) async fn log_in(address: &str) -> Option<Tokens> {
    let route = format!("POST /app/{APP}/auth/providers/anon-user/login");
    let (status, body) = ask(address, &route, "", &json!({})).await.ok()?;
    assert!([200, 503].contains(&status), "{status} {body}");
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    Some(Tokens { access: text("access_token")?, refresh: text("refresh_token")? })
}

/// Runs a GraphQL document.
pub(crate) async fn graphql(address: &str, token: &str, query: &str, variables: Value) -> Answer {
    let body = json!({ "query": query, "variables": variables });
    ask(address, &format!("POST /app/{APP}/graphql"), token, &body).await
}
