//! `backstitch test APP_DIR`: what the rules are expected to say, in `rule_tests/*.json`.
//!
//! 1. A file is about one collection: users, documents, and questions with the expected answers.
//! 2. A question is put to the rules as [`App::explain`](backstitch::engine::App::explain) puts it, so that a test that
//!    fails tells why.
//! 3. What is misspelt is an error, and so is a test that expects nothing: it could not fail.

mod ask;
mod compare;
mod file;

use std::fs;
use std::path::{Path, PathBuf};

use backstitch::engine::App;
use serde_json::json;

use self::file::TestFile;
use crate::Failure;
use crate::args::Test;
use crate::offline::{read_json, with_app};

const FOLDER: &str = "rule_tests";

/// What came of one test.
struct Outcome {
    file: String,
    name: String,
    /// What differs from what was expected; empty when the test has passed.
    differences: Vec<String>,
    /// Why the rules say so.
    explanation: String,
}

/// Runs all tests, and prints what differs.
pub(crate) fn run(args: &Test) -> Result<(), Failure> {
    let files = files(&args.directory)?;
    let outcomes = with_app(&args.directory, args.secrets.as_deref(), async |app| {
        let mut outcomes = Vec::new();
        for file in &files {
            outcomes.extend(run_file(app, &args.directory, file).await?);
        }
        Ok(outcomes)
    })?;
    let failed = outcomes.iter().filter(|outcome| !outcome.differences.is_empty()).count();
    if args.json {
        print_json(&outcomes, failed);
    } else {
        print_text(&outcomes, failed);
    }
    if failed == 0 { Ok(()) } else { Err(Failure::silent()) }
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = directory.join(FOLDER);
    let entries = fs::read_dir(&folder)
        .map_err(|error| Failure::usage(format!("no rule tests in `{}`: {error}", folder.display())))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::usage(format!("no rule tests in `{}`", folder.display())));
    }
    Ok(files)
}

async fn run_file(app: &App, directory: &Path, path: &Path) -> Result<Vec<Outcome>, Failure> {
    let name = format!("{FOLDER}/{}", path.file_name().unwrap_or_default().to_string_lossy());
    let file = TestFile::read(read_json(path)?, &name)?;
    let collection = app.config().named_collection(&file.collection).ok_or_else(|| {
        Failure::usage(format!("{name}: there is no collection `{}`, or several", file.collection))
    })?;
    let documents = file.documents(directory, &collection)?;
    let mut outcomes = Vec::new();
    for (place, test) in file.tests.iter().enumerate() {
        let at = format!("{name}: test {} ({})", place + 1, test.name);
        let actor = file.actor(app, test, &at)?;
        let answers = ask::ask(app, (&actor, &collection), test, (&documents, &at)).await?;
        let (differences, explanation) = compare::compare(&test.expect, &answers);
        outcomes.push(Outcome { file: name.clone(), name: test.name.clone(), differences, explanation });
    }
    Ok(outcomes)
}

fn print_text(outcomes: &[Outcome], failed: usize) {
    for Outcome { file, name, differences, explanation } in outcomes {
        if differences.is_empty() {
            println!("ok      {file}: {name}");
            continue;
        }
        println!("FAILED  {file}: {name}");
        for difference in differences {
            println!("        {difference}");
        }
        for line in explanation.lines() {
            println!("        | {line}");
        }
    }
    println!("\n{} rule tests, {failed} failed", outcomes.len());
}

fn print_json(outcomes: &[Outcome], failed: usize) {
    let tests: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            let Outcome { file, name, differences, .. } = outcome;
            json!({ "file": file, "name": name, "passed": differences.is_empty(), "differences": differences })
        })
        .collect();
    println!("{}", json!({ "failed": failed, "tests": tests }));
}
