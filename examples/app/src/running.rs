//! An example that runs, for the examples' tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// An example's process; dropping it ends it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// The base URL.
    pub base: String,
    /// The client app id.
    pub app: String,
}

impl Running {
    /// Starts the program on a free port, with what else it is to be told, and waits for its `ready` line.
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .arg("127.0.0.1:0")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some("ready"), "{line}");
        let base = words.next().expect("a URL").to_owned();
        let app = words.nth(1).expect("an app").to_owned();
        Self { child, base, app }
    }

    /// The URL that the app's routes begin with.
    pub fn app_url(&self) -> String {
        format!("{}/api/client/v2.0/app/{}", self.base, self.app)
    }

    /// What `curl` prints for these arguments, written as in a shell.
    ///
    /// # Panics
    /// When curl cannot be run.
    pub fn curl(&self, arguments: &str) -> String {
        let output =
            Command::new("sh").arg("-c").arg(format!("curl -s {arguments}")).output().expect("curl runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
