//! `backstitch serve` as a new user types it: the movies example, the printed lines pasted into a shell, a second
//! start that keeps everything, and a clean end.

use crate::running::{Server, backstitch, root, shell};

#[test]
fn the_printed_lines_work_when_pasted_and_a_second_start_keeps_users_and_data() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("test.db").display());
    let arguments = ["serve", "--store", &store, "--listen", "127.0.0.1:0"];

    let server = Server::start(&arguments, &root());
    let words: Vec<&str> = server.ready.split(' ').collect();
    assert_eq!((words[0], words[2]), ("ready", "app"), "{}", server.ready);
    assert!(words[1].starts_with("http://127.0.0.1:") && words[3].starts_with("movies-"), "{}", server.ready);
    assert!(server.guide.iter().all(|line| !line.starts_with("ready")), "one ready line only");
    let answers = shell(&server.curl_lines());
    let answers: Vec<serde_json::Value> =
        answers.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    assert!(answers[0]["refresh_token"].is_string(), "{}", answers[0]);
    let rows = answers[1]["data"].as_object().unwrap().values().next().unwrap();
    assert!(rows.as_array().is_some_and(|rows| !rows.is_empty()), "{}", answers[1]);
    assert!(answers[2]["access_token"].is_string(), "{}", answers[2]);

    let (base, app) = (words[1].to_owned(), words[3].to_owned());
    let register = |base: &str| {
        shell(&[&format!(
            "curl -s -o /dev/null -w '%{{http_code}}' -X POST \
             {base}/api/client/v2.0/app/{app}/auth/providers/local-userpass/register \
             -d '{{\"email\": \"a@example.test\", \"password\": \"correct horse\"}}'"
        )])
    };
    assert_eq!(register(&base), "201");
    assert!(!server.end().contains("ready"));

    let server = Server::start(&arguments, &root());
    let base = server.ready.split(' ').nth(1).unwrap().to_owned();
    assert_eq!(register(&base), "409", "the address is still taken");
    let again = shell(&server.curl_lines());
    assert!(again.contains("\"data\""), "{again}");
    server.end();
}

#[test]
fn the_mailbox_is_there_only_when_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let movies = root().join("examples/movies");
    let ask = |extra: &[&str]| {
        let mut arguments = vec!["serve", "--store", "memory", "--listen", "127.0.0.1:0"];
        arguments.extend(extra);
        arguments.push(movies.to_str().unwrap());
        let server = Server::start(&arguments, folder.path());
        let base = server.ready.split(' ').nth(1).unwrap().to_owned();
        let answer = shell(&[&format!("curl -s -w ' %{{http_code}}' '{base}/_dev/mailbox?kind=confirm'")]);
        server.end();
        answer
    };
    assert_eq!(ask(&["--dev-mailbox"]), r#"{"error":"no such mail"} 404"#);
    let without = ask(&[]);
    assert!(without.ends_with(" 404") && !without.contains("no such mail"), "{without}");
}

#[test]
fn without_an_app_it_says_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let output = backstitch(&["serve"], folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("backstitch serve APP_DIR"));
    assert!(output.stdout.is_empty());
}

#[test]
fn wrong_usage_is_2_and_a_failure_is_1() {
    let folder = tempfile::tempdir().unwrap();
    let movies = root().join("examples/movies");
    let movies = movies.to_str().unwrap();
    let code = |arguments: &[&str]| backstitch(arguments, folder.path()).output().unwrap().status.code();
    assert_eq!(code(&["serve", "--store", "mysql://x", movies]), Some(2));
    assert_eq!(code(&["serve", "--secrets", "nowhere.json", movies]), Some(2));
    assert_eq!(code(&["serve", "nowhere"]), Some(1));
    assert_eq!(code(&["serve", "--store", "sqlite:/nowhere/at/all.db", movies]), Some(1));
    assert_eq!(code(&["nonsense"]), Some(2));
    let smtp = "smtps://mail.example.test";
    assert_eq!(code(&["serve", "--smtp", smtp, movies]), Some(2), "no sender");
    assert_eq!(code(&["serve", "--smtp", smtp, "--mail-from", "a@x.test", "--dev-mailbox", movies]), Some(2));
    let memory = ["serve", "--store", "memory", "--listen", "127.0.0.1:0"];
    let with =
        |smtp: &'static str| [&memory[..], &["--smtp", smtp, "--mail-from", "a@x.test", movies]].concat();
    assert_eq!(code(&with("smtps://a:hunter2@mail.example.test")), Some(2), "a password that can be read");
    assert_eq!(code(&with("smtp://mail.example.test")), Some(2), "not encrypted");
}
