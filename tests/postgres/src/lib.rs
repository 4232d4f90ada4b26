//! A private PostgreSQL server for tests and benchmarks, started from installed binaries.
//!
//! Its data lie in a temporary folder, it listens on a socket in that folder alone, and it ends with the process that has
//! started it, however that ends: it is told by the end of a pipe.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot have its server fails by panicking"
)]

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where there has to be a server, so that a test may not be skipped.
const REQUIRED: &str = "BACKSTITCH_REQUIRE_POSTGRES";

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. It is stopped when this is dropped.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    binaries: PathBuf,
    /// More settings, as `name=value`.
    settings: Vec<String>,
    /// The shell that watches the server, and the pipe that tells it to stop.
    running: Option<(Child, ChildStdin)>,
}

impl Server {
    /// The server that the tests of this process share; `None`, and a line that says so, when PostgreSQL is not installed.
    ///
    /// # Panics
    /// When it is not installed and `BACKSTITCH_REQUIRE_POSTGRES` is set, or when it does not start.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// A server of one's own: to kill it.
    ///
    /// # Panics
    /// As [`shared`](Self::shared) does.
    pub fn start() -> Option<Self> {
        Self::start_with(|_| Vec::new())
    }

    /// One with more settings (`name=value`), made with the folder in which it has its data.
    ///
    /// # Panics
    /// As [`shared`](Self::shared) does.
    pub fn start_with(settings: impl FnOnce(&Path) -> Vec<String>) -> Option<Self> {
        let Some(binaries) = binaries() else {
            assert!(std::env::var_os(REQUIRED).is_none(), "{REQUIRED} is set, and no PostgreSQL found");
            println!("skipped: no PostgreSQL found");
            return None;
        };
        let folder = TempDir::with_prefix("backstitch-pg").unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        if let Some(user) = unprivileged() {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
            chown(folder.path(), Some(user), None).unwrap();
            chown(&data, Some(user), None).unwrap();
        }
        let mut server = Self { folder, binaries, settings: Vec::new(), running: None };
        server.initialize(&data);
        server.settings = settings(&data);
        server.go();
        Some(server)
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        let folder = self.folder.path().to_str().unwrap().replace('/', "%2F");
        format!("postgres://postgres@{folder}/postgres")
    }

    /// Runs statements with `psql`, as somebody at a terminal would; what they print, one row a line.
    ///
    /// # Panics
    /// When they fail.
    pub fn psql(&self, sql: &str) -> String {
        let mut command = self.command("psql");
        command.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h"]);
        command.arg(self.folder.path()).args(["-p", self.port()]);
        let output = command.args(["-d", "postgres", "-c", sql]).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Stops it at once, as a crash would: nothing is written in a hurry.
    pub fn kill(&mut self) {
        let pid = fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap();
        // The postmaster ends its children before it goes; an immediate shutdown is what `kill -9` of the machine is.
        let killed = Command::new("kill").args(["-QUIT", pid]).status().unwrap();
        assert!(killed.success());
        self.wait();
    }

    /// Starts it again, on the same data.
    ///
    /// # Panics
    /// When it does not start.
    pub fn go(&mut self) {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        // The end of the pipe without a word is the end of the tests' process.
        let script =
            "folder=\"$0\"; \"$@\" & server=$!; read -r word; kill -INT $server 2>/dev/null; wait $server;
                      [ \"$word\" = stay ] || rm -rf \"$folder\"";
        let mut command = as_unprivileged("sh");
        command.args(["-c", script]).arg(self.folder.path()).arg(self.binaries.join("postgres"));
        command.arg("-D").arg(self.folder.path().join("data"));
        command.arg("-k").arg(self.folder.path()).args(["-c", "listen_addresses=", "-c", "port=5432"]);
        // It is never the machine that fails here, only the server.
        for setting in ["fsync=off", "full_page_writes=off", "max_connections=200", "log_min_messages=fatal"]
        {
            command.args(["-c", setting]);
        }
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = command.spawn().unwrap();
        let pipe = child.stdin.take().unwrap();
        self.running = Some((child, pipe));
        let until = Instant::now() + PATIENCE;
        while !self.is_ready() {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "PostgreSQL does not start: {}", log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn port(&self) -> &str {
        self.settings.iter().find_map(|setting| setting.strip_prefix("port=")).unwrap_or("5432")
    }

    fn is_ready(&self) -> bool {
        let mut command = self.command("pg_isready");
        command.args(["-q", "-p", self.port(), "-h"]).arg(self.folder.path());
        command.status().unwrap().success()
    }

    fn initialize(&self, data: &Path) {
        let mut command = as_unprivileged(self.binaries.join("initdb"));
        command.arg("-D").arg(data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn command(&self, name: &str) -> Command {
        Command::new(self.binaries.join(name))
    }

    fn wait(&mut self) {
        if let Some((mut child, mut pipe)) = self.running.take() {
            // Where the shell is gone already, there is nobody to tell.
            let _ = pipe.write_all(b"stay\n");
            drop(pipe);
            child.wait().expect("the server ends");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.wait();
    }
}

/// The newest installed server's programs.
fn binaries() -> Option<PathBuf> {
    let is_whole = |folder: &PathBuf| {
        ["initdb", "postgres", "psql", "pg_isready"].iter().all(|name| folder.join(name).is_file())
    };
    let numbered = |folder: &PathBuf| {
        let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        version.and_then(|version| version.parse::<u32>().ok())
    };
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin")).collect();
    folders.sort_by_key(numbered);
    folders.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders.into_iter().find(is_whole)
}

/// The user that a server runs as where the tests run as root, which PostgreSQL refuses to be.
fn unprivileged() -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let id = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        line.split(':').nth(2)?.parse().ok()
    };
    if is_root { id("postgres").or_else(|| id("nobody")) } else { None }
}

fn as_unprivileged(program: impl AsRef<std::ffi::OsStr>) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    if let Some(user) = unprivileged() {
        command.uid(user);
    }
    // Where root has started, its own folder is nothing that others may look at.
    command.current_dir("/");
    command
}
