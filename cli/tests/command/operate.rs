//! `backstitch api-keys`, `users` and `keys` on a store that a server has open, and what the server's clients
//! see of it.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::running::{Server, backstitch, root};

pub(crate) const EMAIL: &str = "ada@example.test";
pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const USERPASS: &str = "local-userpass";

/// A served app and the store that it is in.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    store: String,
    directory: String,
    pub(crate) server: Server,
}

/// How a command ended: its code, the lines of its output as JSON, and its complaint.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) lines: Vec<Value>,
    pub(crate) complaint: String,
}

impl World {
    pub(crate) fn movies() -> Self {
        Self::serve(tempfile::tempdir().unwrap(), root().join("examples/movies").to_str().unwrap())
    }

    pub(crate) fn serve(folder: TempDir, directory: &str) -> Self {
        let store = format!("sqlite:{}", folder.path().join("test.db").display());
        let directory = directory.to_owned();
        let server = Self::start(&folder, &store, &directory);
        Self { folder, store, directory, server }
    }

    fn start(folder: &TempDir, store: &str, directory: &str) -> Server {
        let arguments = ["serve", "--store", store, "--listen", "127.0.0.1:0", "--dev-mailbox", directory];
        Server::start(&arguments, folder.path())
    }

    fn restart(&mut self) {
        let fresh = Self::start(&self.folder, &self.store, &self.directory);
        std::mem::replace(&mut self.server, fresh).end();
    }

    pub(crate) fn command(&self, words: &str) -> Command {
        let mut arguments: Vec<&str> = words.split(' ').collect();
        arguments.extend(["--store", &self.store, "--app", self.server.app()]);
        let mut command = backstitch(&arguments, self.folder.path());
        command.env_remove("BACKSTITCH_PASSWORD").env_remove("BACKSTITCH_PASSWORD_HASH");
        command
    }

    pub(crate) fn run(&self, words: &str) -> Outcome {
        outcome(&mut self.command(words))
    }

    pub(crate) fn run_with(&self, words: &str, variable: &str, value: &str) -> Outcome {
        outcome(self.command(words).env(variable, value))
    }

    /// Runs what has to succeed.
    pub(crate) fn lines(&self, words: &str) -> Vec<Value> {
        let outcome = self.run(words);
        assert_eq!((outcome.code, outcome.complaint.as_str()), (0, ""), "{words}");
        outcome.lines
    }

    /// Runs what has to succeed and say nothing.
    pub(crate) fn done(&self, words: &str) {
        assert_eq!(self.lines(words), [] as [Value; 0], "{words}");
    }

    fn refused(&self, words: &str, complaint: &str) {
        let outcome = self.run(words);
        assert_eq!((outcome.code, outcome.complaint.as_str()), (1, complaint), "{words}");
        assert!(outcome.lines.is_empty(), "{outcome:?}");
    }

    pub(crate) fn log_in(&self, email: &str, password: &str) -> (u16, Value) {
        self.server.log_in(USERPASS, &json!({ "username": email, "password": password }))
    }

    /// The id of a person who has an account.
    pub(crate) fn person(&self) -> String {
        if self.log_in(EMAIL, PASSWORD).0 != 200 {
            let made = self.run_with(&format!("users create {EMAIL}"), "BACKSTITCH_PASSWORD", PASSWORD);
            assert_eq!(made.code, 0, "{made:?}");
        }
        text(&self.tokens(EMAIL, PASSWORD)["user_id"]).to_owned()
    }

    /// Tokens of somebody who logs in.
    fn tokens(&self, email: &str, password: &str) -> Value {
        let (status, tokens) = self.log_in(email, password);
        assert_eq!(status, 200, "{tokens}");
        tokens
    }
}

fn outcome(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    Outcome {
        code: output.status.code().unwrap(),
        lines: lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        complaint: String::from_utf8(output.stderr).unwrap().trim().to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn a_server_key_is_shown_once_and_logs_in_until_it_is_switched_off_or_deleted() {
    let world = World::movies();
    assert_eq!(world.lines("api-keys list"), [] as [Value; 0]);
    let made = world.lines("api-keys create backend").remove(0);
    let (id, key) = (text(&made["_id"]), text(&made["key"]));
    assert_eq!((key.len(), &made["name"], &made["disabled"]), (64, &json!("backend"), &json!(false)));

    let by_key = || world.server.log_in("api-key", &json!({ "key": key }));
    let (status, tokens) = by_key();
    assert_eq!((status, world.server.profile(&tokens)), (200, 200));
    let user = world.lines(&format!("users show {}", text(&tokens["user_id"]))).remove(0);
    assert_eq!((&user["type"], &user["providers"]), (&json!("server"), &json!(["api-key"])));

    let shown = |disabled: bool| [json!({ "_id": id, "name": "backend", "disabled": disabled })];
    assert_eq!(world.lines("api-keys list"), shown(false), "the key itself is never shown again");
    world.refused("api-keys create backend", "an API key of this name exists");

    world.done(&format!("api-keys disable {id}"));
    assert_eq!(world.lines("api-keys list"), shown(true));
    assert_eq!((by_key().0, world.server.profile(&tokens)), (401, 401), "its sessions end with it");
    world.done(&format!("api-keys enable {id}"));
    let (status, tokens) = by_key();
    assert_eq!(status, 200);
    world.done(&format!("api-keys delete {id}"));
    assert_eq!((by_key().0, world.server.profile(&tokens)), (401, 401));
    assert_eq!(world.lines("api-keys list"), [] as [Value; 0]);
    for verb in ["delete", "disable", "enable"] {
        world.refused(&format!("api-keys {verb} {id}"), "API key not found");
    }
    world.server.end();
}

#[test]
fn an_account_is_made_shown_disabled_and_deleted() {
    let world = World::movies();
    let create = format!("users create {EMAIL}");
    let made = world.run_with(&create, "BACKSTITCH_PASSWORD", PASSWORD);
    assert_eq!((made.code, made.lines.len()), (0, 0), "{made:?}");
    let again = world.run_with(&create, "BACKSTITCH_PASSWORD", PASSWORD);
    assert_eq!((again.code, again.complaint.as_str()), (1, "name already in use"));
    let short = world.run_with("users create b@example.test", "BACKSTITCH_PASSWORD", "12345");
    assert_eq!(short.code, 1);
    assert!(short.complaint.contains("between 6 and 128 characters"), "{short:?}");

    let tokens = world.tokens(EMAIL, PASSWORD);
    let user = text(&tokens["user_id"]);
    let listed = world.lines("users list");
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(world.lines(&format!("users show {user}")), listed);
    let account = &listed[0];
    assert_eq!((&account["_id"], &account["type"]), (&json!(user), &json!("normal")));
    assert_eq!(account["data"], json!({ "email": EMAIL }));
    assert_eq!((&account["providers"], &account["disabled"]), (&json!([USERPASS]), &json!(false)));
    assert_eq!(world.lines(&format!("users list --after {user}")), [] as [Value; 0]);

    world.done(&format!("users disable {user}"));
    assert_eq!((world.server.profile(&tokens), world.server.refresh(&tokens)), (401, 401));
    let (status, answer) = world.log_in(EMAIL, PASSWORD);
    assert_eq!((status, &answer["error_code"]), (401, &json!("UserDisabled")));
    assert_eq!(world.lines("users list")[0]["disabled"], true);
    world.done(&format!("users enable {user}"));
    assert_eq!(world.server.profile(&tokens), 401, "what has ended stays ended");
    let tokens = world.tokens(EMAIL, PASSWORD);

    world.done(&format!("users delete {user}"));
    assert_eq!((world.server.profile(&tokens), world.server.refresh(&tokens)), (401, 401));
    assert_eq!(world.log_in(EMAIL, PASSWORD).0, 401);
    assert_eq!(world.lines("users list"), [] as [Value; 0]);
    for verb in ["show", "delete", "disable", "enable", "log-out", "sessions"] {
        world.refused(&format!("users {verb} {user}"), "user not found");
        world.refused(&format!("users {verb} ada"), "`ada` is no user id");
    }
    world.server.end();
}

#[test]
fn sessions_are_listed_and_end_one_by_one_or_all_at_once() {
    let world = World::movies();
    world.run_with(&format!("users create {EMAIL}"), "BACKSTITCH_PASSWORD", PASSWORD);
    let [one, two] = [(); 2].map(|()| world.tokens(EMAIL, PASSWORD));
    let user = text(&one["user_id"]);
    let sessions = world.lines(&format!("users sessions {user}"));
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    assert!(sessions.iter().all(|session| session["provider"] == USERPASS), "{sessions:?}");

    let end = format!("users end-session {user} {}", text(&sessions[0]["_id"]));
    world.done(&end);
    assert_eq!((world.server.profile(&one), world.server.profile(&two)), (401, 200));
    world.refused(&end, "the user has no such session");
    world.refused(&format!("users end-session {user} first"), "the user has no such session");
    assert_eq!(world.lines(&format!("users sessions {user}")), sessions[1..]);
    world.done(&format!("users log-out {user}"));
    assert_eq!((world.server.profile(&two), world.server.refresh(&two)), (401, 401));

    let three = world.tokens(EMAIL, PASSWORD);
    let set = format!("users set-password {EMAIL}");
    let outcome = world.run_with(&set, "BACKSTITCH_PASSWORD", "battery staple");
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(world.server.profile(&three), 401, "a new password ends every session");
    assert_eq!((world.log_in(EMAIL, PASSWORD).0, world.log_in(EMAIL, "battery staple").0), (401, 200));
    let unknown = world.run_with("users set-password b@example.test", "BACKSTITCH_PASSWORD", PASSWORD);
    assert_eq!((unknown.code, unknown.complaint.as_str()), (1, "user not found"));
    world.server.end();
}

#[test]
fn a_password_of_another_system_comes_as_its_hash() {
    // bcrypt of `user1password`.
    let hash = "$2a$04$abcdefghijklmnopqrstuunQyUw6zg0jclhYTlg5/zHyfwGycQZ8W";
    let world = World::movies();
    let import = format!("users import-hash {EMAIL}");
    let outcome = world.run_with(&import, "BACKSTITCH_PASSWORD_HASH", hash);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    world.tokens(EMAIL, "user1password");
    let twice = world.run_with(&import, "BACKSTITCH_PASSWORD_HASH", hash);
    assert_eq!((twice.code, twice.complaint.as_str()), (1, "name already in use"));
    let plain = world.run_with("users import-hash b@example.test", "BACKSTITCH_PASSWORD_HASH", "hunter2");
    assert_eq!(plain.code, 1);
    assert!(!plain.complaint.contains("hunter2"), "{plain:?}");
    world.server.end();
}

#[test]
fn an_address_that_waits_is_confirmed_or_removed_by_the_operator() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("club");
    fs::create_dir_all(directory.join("auth")).unwrap();
    fs::write(directory.join("root_config.json"), json!({ "name": "club" }).to_string()).unwrap();
    let config = json!({ "emailConfirmationUrl": "https://club.example/confirm", "autoConfirm": false });
    let providers = json!({ USERPASS: { "name": USERPASS, "type": USERPASS, "config": config } });
    fs::write(directory.join("auth/providers.json"), providers.to_string()).unwrap();
    let world = World::serve(folder, directory.to_str().unwrap());

    for email in ["a@example.test", "b@example.test"] {
        let body = json!({ "email": email, "password": PASSWORD });
        let register = format!("POST /app/{{app}}/auth/providers/{USERPASS}/register");
        assert_eq!(world.server.send(&register, "", &body).0, 201);
        assert_eq!(world.log_in(email, PASSWORD).0, 401);
    }
    let emails = |words: &str| -> Vec<Value> {
        world.lines(words).iter().map(|waiting| waiting["email"].clone()).collect()
    };
    assert_eq!(emails("users pending"), ["a@example.test", "b@example.test"]);
    assert_eq!(emails("users pending --after a@example.test"), ["b@example.test"]);
    world.done("users confirm a@example.test");
    world.tokens("a@example.test", PASSWORD);
    world.done("users delete-pending b@example.test");
    assert_eq!(world.lines("users pending"), [] as [Value; 0]);
    world.refused("users delete-pending a@example.test", "user not found");
    world.refused("users delete-pending b@example.test", "user not found");
    world.refused("users confirm b@example.test", "user not found");
    world.server.end();
}

#[test]
fn a_rotation_of_the_keys_ends_no_session() {
    let mut world = World::movies();
    let guest = |world: &World| world.server.log_in("anon-user", &json!({})).1;
    let before = guest(&world);
    world.done("keys rotate --algorithm ES256");
    assert_eq!((world.server.profile(&before), world.server.refresh(&before)), (200, 201));
    world.restart();
    assert_eq!((world.server.profile(&before), world.server.refresh(&before)), (200, 201));
    let after = guest(&world);
    // {"alg":"ES256" in base64url
    assert!(text(&after["access_token"]).starts_with("eyJhbGciOiJFUzI1NiI"), "{after}");
    assert!(!text(&before["access_token"]).starts_with("eyJhbGciOiJFUzI1NiI"), "{before}");
    world.done("keys rotate");
    world.restart();
    assert!([before, after].iter().all(|tokens| world.server.refresh(tokens) == 201));
    world.server.end();
}

#[test]
fn a_wrong_call_is_2_and_what_is_not_there_is_1_and_is_not_made() {
    let world = World::movies();
    let run = |words: &[&str]| outcome(&mut backstitch(words, world.folder.path()));
    let (store, app) = (world.store.as_str(), world.server.app());
    for (words, complaint) in [
        (["api-keys", "list", "--store", store].as_slice(), "name the app with --app ID"),
        (&["api-keys", "list", "--store", "mysql://x", "--app", app], "unknown store `mysql://x`"),
        (&["api-keys", "list", "--store", "memory", "--app", app], "a store in memory"),
        (&["users", "create", EMAIL, "--store", store, "--app", app], "BACKSTITCH_PASSWORD"),
        (&["users", "import-hash", EMAIL, "--store", store, "--app", app], "BACKSTITCH_PASSWORD_HASH"),
        (&["keys", "rotate", "--algorithm", "none", "--store", store, "--app", app], "invalid value"),
        (&["users", "rename"], "unrecognized subcommand"),
        (&["api-keys", "create"], "NAME"),
    ] {
        let outcome = run(words);
        assert_eq!(outcome.code, 2, "{words:?}: {outcome:?}");
        assert!(outcome.complaint.contains(complaint), "{words:?}: {outcome:?}");
    }
    for verb in [["api-keys", "list"], ["users", "list"], ["keys", "rotate"]] {
        let at = |store: &str, app: &str| run(&[&verb[..], &["--store", store, "--app", app]].concat());
        let unknown = at(store, "films-abcde");
        assert_eq!(unknown.code, 1, "{unknown:?}");
        assert!(unknown.complaint.contains("has no app `films-abcde`"), "{unknown:?}");
        let nowhere = at("sqlite:nowhere.db", app);
        assert_eq!((nowhere.code, nowhere.complaint.as_str()), (1, "there is no store at `nowhere.db`"));
    }
    assert!(!world.folder.path().join("nowhere.db").exists());
    fs::write(world.folder.path().join("text.db"), "this is no database, and long enough to be read")
        .unwrap();
    let text = run(&["users", "list", "--store", "sqlite:text.db", "--app", app]);
    assert_eq!(text.code, 1);
    assert!(text.complaint.contains("cannot open `text.db`"), "{text:?}");
    world.server.end();
}
