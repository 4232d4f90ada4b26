//! `backstitch serve --store postgres://…` and `backstitch store copy|backup`: a team that began on SQLite moves.

use std::path::Path;

use backstitch_test_postgres::Server as Postgres;
use serde_json::{Value, json};

use crate::operate::{EMAIL, PASSWORD, World};
use crate::running::{Server, backstitch, root};

const FILMS: &str = "{ movies(limit: 2, sortBy: TITLE_ASC) { title year } }";

fn run(words: &[&str], folder: &Path) -> (i32, String, String) {
    let output = backstitch(words, folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().trim().to_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn films(server: &Server, tokens: &Value) -> Value {
    let token = tokens["access_token"].as_str().unwrap();
    server.send("POST /app/{app}/graphql", token, &json!({ "query": FILMS })).1
}

#[test]
fn a_team_moves_from_sqlite_to_postgres_by_one_command_and_nobody_logs_in_again() {
    let Some(postgres) = Postgres::shared() else { return };
    let url = postgres.url();
    let world = World::movies();
    world.person();
    let tokens = world.server.log_in("local-userpass", &json!({ "username": EMAIL, "password": PASSWORD })).1;
    let before = films(&world.server, &tokens);
    let folder = world.folder;
    world.server.end();

    let copy = ["store", "copy", "--from", "sqlite:test.db", "--to", &url];
    let (code, told, complaint) = run(&copy, folder.path());
    assert_eq!(code, 0, "{complaint}");
    assert!(told.ends_with("both stores hold the same"), "{told}");
    assert!(
        told.lines().any(|line| line.contains("documents of") && line.contains("movies.movies")),
        "{told}"
    );
    // Once more changes nothing, and answers machines.
    let (code, again, _) = run(&[&copy[..], &["--json"]].concat(), folder.path());
    let parts: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(code, 0);
    assert!(
        parts.as_array().unwrap().iter().all(|part| part["sha256"].as_str().unwrap().len() == 64),
        "{again}"
    );

    let directory = root().join("examples/movies");
    let serve = ["serve", "--store", &url, "--listen", "127.0.0.1:0", directory.to_str().unwrap()];
    let server = Server::start(&serve, folder.path());
    assert_eq!((server.profile(&tokens), server.refresh(&tokens)), (200, 201));
    assert_eq!(films(&server, &tokens), before);
    let app = server.app().to_owned();
    let (code, users, complaint) = run(&["users", "list", "--store", &url, "--app", &app], folder.path());
    assert_eq!(code, 0, "{complaint}");
    assert!(users.contains(EMAIL), "{users}");
    let (code, _, complaint) =
        run(&["users", "list", "--store", &url, "--app", "films-abcde"], folder.path());
    assert_eq!(
        (code, complaint.contains("the PostgreSQL store has no app `films-abcde`")),
        (1, true),
        "{complaint}"
    );
    server.end();
    // And back again.
    let (code, _, complaint) =
        run(&["store", "copy", "--from", &url, "--to", "sqlite:back.db"], folder.path());
    assert_eq!(code, 0, "{complaint}");
}

#[test]
fn a_backup_is_made_while_the_store_is_served() {
    let world = World::movies();
    world.person();
    let (code, told, complaint) =
        run(&["store", "backup", "copy.db", "--store", "sqlite:test.db"], world.folder.path());
    assert_eq!((code, told.as_str()), (0, "{\"backup\":\"copy.db\"}"), "{complaint}");
    let app = world.server.app().to_owned();
    let users = run(&["users", "list", "--store", "sqlite:copy.db", "--app", &app], world.folder.path());
    assert!(users.1.contains(EMAIL), "{users:?}");
    let again = run(&["store", "backup", "copy.db", "--store", "sqlite:test.db"], world.folder.path());
    assert_eq!((again.0, again.2.as_str()), (1, "`copy.db` is there already"));
    world.server.end();
}

#[test]
fn a_copy_that_cannot_be_made_is_told_and_no_password_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "postgres://ada:hunter2@127.0.0.1:1/app";
    for (words, code, complaint) in [
        (["--from", "sqlite:a.db", "--to", "sqlite:b.db"], 1, "there is no store at `a.db`"),
        (["--from", "sqlite:a.db", "--to", "memory"], 2, "a store in memory ends with its process"),
        (["--from", "sqlite:a.db", "--to", "sqlite:a.db"], 2, "not copied into itself"),
        (["--from", secret, "--to", "sqlite:b.db"], 1, "cannot open the PostgreSQL store"),
    ] {
        let (ended, _, told) = run(&[&["store", "copy"][..], &words].concat(), folder.path());
        assert_eq!(ended, code, "{words:?}: {told}");
        assert!(told.contains(complaint) && !told.contains("hunter2"), "{words:?}: {told}");
    }
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing was made");
}
