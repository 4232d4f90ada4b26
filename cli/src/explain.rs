//! `backstitch explain APP_DIR`.

use std::path::{Path, PathBuf};

use backstitch::report::Report;
use backstitch::rules::{Action, Query, Question, parse_query};
use bson::RawDocumentBuf;

use crate::Failure;
use crate::args::Explain;
use crate::offline::{actor, document, raw, read_json, with_app};

/// Prints what the rules say, and why; the answer is negative where they deny.
pub(crate) fn run(args: &Explain) -> Result<(), Failure> {
    let action = Action::named(&args.action).ok_or_else(|| Failure::usage("there is no such action"))?;
    let stored = read_document(args.document.as_ref())?;
    let before = read_document(args.before.as_ref())?;
    if action == Action::Update && stored.is_some() != before.is_some() {
        return Err(Failure::usage("an update takes --before and --document, or neither"));
    }
    if action != Action::Update && before.is_some() {
        return Err(Failure::usage("only an update has a document --before"));
    }
    let filter = match &args.query {
        None => Query::default().filter,
        Some(file) => read_query(file)?,
    };
    let user = read_json(&args.user)?;
    let explanation = with_app(&args.directory, args.secrets.as_deref(), async |app| {
        let actor = actor(app, &user, &named(&args.user))?;
        let Some(collection) = app.config().named_collection(&args.collection) else {
            let text =
                format!("there is no collection `{}`, or several: say database.collection", args.collection);
            return Err(Failure::usage(text));
        };
        let question = Question {
            action,
            document: stored.as_deref(),
            before: before.as_deref(),
            query: Query { filter, ..Query::default() },
        };
        app.explain(&actor, &collection, &question).await.map_err(Failure::negative)
    })?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&explanation).map_err(Failure::negative)?);
    } else {
        println!("{explanation}");
    }
    match explanation.allowed {
        Some(false) => Err(Failure::silent()),
        Some(true) | None => Ok(()),
    }
}

fn read_document(file: Option<&PathBuf>) -> Result<Option<RawDocumentBuf>, Failure> {
    file.map(|file| raw(&document(&read_json(file)?, &named(file))?, &named(file))).transpose()
}

fn read_query(file: &Path) -> Result<backstitch::filter::Filter, Failure> {
    let mut report = Report::default();
    parse_query(&read_json(file)?, &named(file), &mut report).ok_or_else(|| Failure::usage(&report))
}

fn named(file: &Path) -> String {
    file.display().to_string()
}
