//! `backstitch check APP_DIR`.

use backstitch::app::AppConfig;
use backstitch::engine::{Checked, CheckedCollection, CheckedRole, check};
use backstitch::report::{Problem, Report, Severity};
use serde_json::{Value, json};

use crate::Failure;
use crate::args::Check;
use crate::functions::runnable;
use crate::serve::read_secrets;

/// Prints what is wrong with an app directory, errors first, and what rules it has.
///
/// It fails where there is nothing to serve. What is only closed is told.
pub(crate) fn run(args: &Check) -> Result<(), Failure> {
    let secrets = read_secrets(args.secrets.as_deref())?;
    let (report, checked) = match AppConfig::import_with(&args.directory, &secrets) {
        Ok((config, mut report)) => {
            // The command has no native functions.
            let functions = runnable(&config, &mut report);
            let checked = check(&config, &|name| functions.contains(name), &mut report);
            (report, Some(checked))
        }
        Err(error) => (error.report, None),
    };
    if args.json {
        println!("{}", as_json(&report, checked.as_ref()));
    } else {
        print!("{}", as_text(&report, checked.as_ref()));
    }
    match checked {
        Some(_) => Ok(()),
        None => Err(Failure::negative("the app cannot be imported")),
    }
}

/// The problems of each severity, errors first.
fn grouped(report: &Report) -> [(&'static str, Vec<&Problem>); 2] {
    [("error", Severity::Error), ("warning", Severity::Warning)].map(|(word, severity)| {
        (word, report.problems().iter().filter(|problem| problem.severity == severity).collect())
    })
}

fn as_text(report: &Report, checked: Option<&Checked>) -> String {
    let groups = grouped(report);
    let mut lines: Vec<String> = Vec::new();
    for (_, problems) in &groups {
        lines.extend(problems.iter().map(ToString::to_string));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    if let Some(checked) = checked {
        lines.extend(summary(checked));
    }
    lines.push(groups.map(|(word, problems)| counted(problems.len(), word)).join(", "));
    lines.join("\n") + "\n"
}

fn summary(checked: &Checked) -> Vec<String> {
    let collections = &checked.collections;
    let ruled = collections.iter().filter(|collection| !collection.roles.is_empty()).count();
    let roles: usize = collections.iter().map(|collection| collection.roles.len()).sum();
    let mut lines = vec![format!(
        "{} with rules, {} without, {}",
        counted(ruled, "collection"),
        collections.len() - ruled,
        counted(roles, "role")
    )];
    for collection in collections {
        let id = &collection.id;
        if collection.roles.is_empty() {
            lines.push(format!("closed: {id} has no rules: nobody may do anything"));
        }
        for role in collection.roles.iter().filter(|role| role.closed) {
            lines.push(format!("closed: role `{}` of {id} grants nothing", role.name));
        }
    }
    lines
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn as_json(report: &Report, checked: Option<&Checked>) -> Value {
    let problems: Vec<Value> = grouped(report)
        .into_iter()
        .flat_map(|(severity, problems)| {
            problems.into_iter().map(move |problem| {
                let Problem { file, pointer, message, .. } = problem;
                json!({ "severity": severity, "file": file, "pointer": pointer, "message": message })
            })
        })
        .collect();
    let collections = checked.iter().flat_map(|checked| &checked.collections).map(collection_json);
    json!({
        "served": checked.is_some(),
        "problems": problems,
        "collections": collections.collect::<Vec<_>>(),
    })
}

fn collection_json(collection: &CheckedCollection) -> Value {
    let names = |closed: Option<bool>| -> Vec<&str> {
        let roles = collection.roles.iter().filter(|role| closed.is_none_or(|closed| role.closed == closed));
        roles.map(|CheckedRole { name, .. }| name.as_str()).collect()
    };
    json!({
        "collection": collection.id.to_string(),
        "roles": names(None),
        "closed_roles": names(Some(true)),
        "filters": collection.filters,
        "default_rules": collection.default_rules,
    })
}
