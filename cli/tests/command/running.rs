//! The command as a process: what it prints, what it answers, how it ends.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

pub(crate) fn backstitch(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backstitch"));
    command.args(arguments).current_dir(folder).env("RUST_LOG", "warn");
    command
}

pub(crate) struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
    pub(crate) ready: String,
    pub(crate) guide: Vec<String>,
}

impl Server {
    /// Starts the server and reads what it prints until the last of the three lines.
    pub(crate) fn start(arguments: &[&str], folder: &Path) -> Self {
        let mut child =
            backstitch(arguments, folder).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        output.read_line(&mut ready).unwrap();
        let mut guide = Vec::new();
        while guide.iter().filter(|line: &&String| line.contains("curl")).count() < 3 {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "the output ended early: {ready} {guide:?}");
            guide.push(line.trim().to_owned());
        }
        Self { child, output, ready: ready.trim().to_owned(), guide }
    }

    pub(crate) fn base(&self) -> &str {
        self.ready.split(' ').nth(1).unwrap()
    }

    pub(crate) fn app(&self) -> &str {
        self.ready.split(' ').nth(3).unwrap()
    }

    pub(crate) fn curl_lines(&self) -> Vec<&str> {
        self.guide.iter().map(String::as_str).filter(|line| line.contains("curl")).collect()
    }

    /// Sends a request below `/api/client/v2.0`, `{app}` standing for the app's id; status and JSON come back.
    pub(crate) fn send(&self, route: &str, token: &str, body: &Value) -> (u16, Value) {
        let (method, path) = route.split_once(' ').unwrap();
        let url = format!("{}/api/client/v2.0{}", self.base(), path.replace("{app}", self.app()));
        let output = Command::new("curl")
            .args(["-s", "-w", "\n%{http_code}", "-X", method, &url])
            .args(["-H", &format!("authorization: Bearer {token}"), "-d", &body.to_string()])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
    }

    pub(crate) fn log_in(&self, provider: &str, credential: &Value) -> (u16, Value) {
        self.send(&format!("POST /app/{{app}}/auth/providers/{provider}/login"), "", credential)
    }

    /// The status that an access token gets.
    pub(crate) fn profile(&self, tokens: &Value) -> u16 {
        self.send("GET /auth/profile", tokens["access_token"].as_str().unwrap(), &json!({})).0
    }

    /// The status that a refresh token gets.
    pub(crate) fn refresh(&self, tokens: &Value) -> u16 {
        self.send("POST /auth/session", tokens["refresh_token"].as_str().unwrap(), &json!({})).0
    }

    /// Sends SIGTERM and expects a clean end.
    pub(crate) fn end(mut self) -> String {
        let done = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(done.success());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
        rest
    }
}

/// A test that fails leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs lines in one shell, as somebody who pastes them.
pub(crate) fn shell(lines: &[&str]) -> String {
    let output = Command::new("sh").arg("-c").arg(lines.join("\n")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
