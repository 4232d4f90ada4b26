//! `backstitch check APP_DIR`.

use backstitch::app::AppConfig;
use backstitch::engine::{
    Checked, CheckedCollection, CheckedRole, FunctionKind, Inventory, ListedFunction, ListedTrigger,
    check_with,
};
use backstitch::report::{Problem, Report, Severity};
use serde_json::{Value, json};

use crate::Failure;
use crate::args::Check;
use crate::functions::runtime;
use crate::serve::read_secrets;

/// What was found in a directory that can be served.
type Found = (Checked, Inventory);

/// Prints what is wrong with an app directory, errors first, and what rules it has.
///
/// It fails where there is nothing to serve. What is only closed is told.
pub(crate) fn run(args: &Check) -> Result<(), Failure> {
    let secrets = read_secrets(args.secrets.as_deref())?;
    let (report, found) = match AppConfig::import_with(&args.directory, &secrets) {
        Ok((config, mut report)) => {
            let runtime = runtime();
            let checked = check_with(&config, runtime.as_deref(), &mut report);
            (report, Some((checked, Inventory::of(&config, &|_| false))))
        }
        Err(error) => (error.report, None),
    };
    if args.json {
        println!("{}", as_json(&report, found.as_ref()));
    } else {
        print!("{}", as_text(&report, found.as_ref()));
    }
    match found {
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

fn as_text(report: &Report, found: Option<&Found>) -> String {
    let groups = grouped(report);
    let mut lines: Vec<String> = Vec::new();
    for (_, problems) in &groups {
        lines.extend(folded(problems));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    if let Some((checked, inventory)) = found {
        lines.extend(summary(checked, inventory.relationships));
        lines.extend(made_of(inventory));
    }
    lines.push(groups.map(|(word, problems)| counted(problems.len(), word)).join(", "));
    lines.join("\n") + "\n"
}

/// One line for each problem; what is the same in many files is told once, with the first of them.
fn folded(problems: &[&Problem]) -> Vec<String> {
    const FEW: usize = 3;
    let same = |problem: &Problem| problems.iter().filter(|other| other.message == problem.message).count();
    let mut told: Vec<&str> = Vec::new();
    let mut lines = Vec::new();
    for problem in problems {
        let count = same(problem);
        if count <= FEW {
            lines.push(problem.to_string());
        } else if !told.contains(&problem.message.as_str()) {
            told.push(&problem.message);
            lines.push(format!("{problem} (and {} more places)", count - 1));
        }
    }
    lines
}

/// What the app is made of, and what it needs; nothing is said of what is not there.
fn made_of(inventory: &Inventory) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = |what: &str, items: Vec<String>| {
        if !items.is_empty() {
            lines.push(format!("{what}: {}", items.join(", ")));
        }
    };
    let providers = |on: bool| {
        let these = inventory.providers.iter().filter(|(_, enabled)| *enabled == on);
        these.map(|(name, _)| name.clone()).collect()
    };
    line("log-in by", providers(true));
    line("log-in that is off", providers(false));
    line(
        "resolvers",
        inventory.resolvers.iter().map(|(field, function)| format!("{field} ({function})")).collect(),
    );
    let functions = |kind: FunctionKind| {
        let these = inventory.functions.iter().filter(move |function| function.kind == kind);
        let told = |function: &ListedFunction| match function.used_by.as_slice() {
            [] => function.name.clone(),
            users => format!("{} ({})", function.name, users.join(", ")),
        };
        these.map(told).collect::<Vec<_>>()
    };
    line("functions in JavaScript", functions(FunctionKind::JavaScript));
    line("functions that need a callback", functions(FunctionKind::Missing));
    let trigger =
        |trigger: &ListedTrigger| format!("{} ({} → {})", trigger.name, trigger.kind, trigger.function);
    line("triggers", inventory.triggers.iter().map(trigger).collect());
    line("secrets that are missing", inventory.missing_secrets.clone());
    for trigger in &inventory.triggers {
        if let Some(collection) = &trigger.inserts_into {
            lines.push(format!(
                "hint: `{}` seems to do nothing but insert a document into {collection}; `userDocument` in backstitch.json does that \
                 without JavaScript, before the first token is made",
                trigger.name
            ));
        }
    }
    lines
}

fn summary(checked: &Checked, relationships: usize) -> Vec<String> {
    let collections = &checked.collections;
    let ruled = collections.iter().filter(|collection| !collection.roles.is_empty()).count();
    let roles: usize = collections.iter().map(|collection| collection.roles.len()).sum();
    let mut first = format!(
        "{} with rules, {} without, {}",
        counted(ruled, "collection"),
        collections.len() - ruled,
        counted(roles, "role")
    );
    if relationships > 0 {
        first += &format!(", {}", counted(relationships, "relationship"));
    }
    let mut lines = vec![first];
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

fn as_json(report: &Report, found: Option<&Found>) -> Value {
    let problems: Vec<Value> = grouped(report)
        .into_iter()
        .flat_map(|(severity, problems)| {
            problems.into_iter().map(move |problem| {
                let Problem { file, pointer, message, .. } = problem;
                json!({ "severity": severity, "file": file, "pointer": pointer, "message": message })
            })
        })
        .collect();
    let collections = found.iter().flat_map(|(checked, _)| &checked.collections).map(collection_json);
    json!({
        "served": found.is_some(),
        "problems": problems,
        "collections": collections.collect::<Vec<_>>(),
        "app": found.map(|(_, inventory)| inventory_json(inventory)),
    })
}

fn inventory_json(inventory: &Inventory) -> Value {
    let provider = |(name, enabled): &(String, bool)| json!({ "type": name, "enabled": enabled });
    let resolver = |(field, function): &(String, String)| json!({ "field": field, "function": function });
    let function = |function: &ListedFunction| {
        let kind = match function.kind {
            FunctionKind::Native => "native",
            FunctionKind::JavaScript => "javascript",
            FunctionKind::Missing => "missing",
        };
        json!({ "name": function.name, "kind": kind, "used_by": function.used_by })
    };
    let trigger = |trigger: &ListedTrigger| {
        json!({
            "name": trigger.name, "operation": trigger.kind, "function": trigger.function,
            "inserts_into": trigger.inserts_into,
        })
    };
    json!({
        "providers": inventory.providers.iter().map(provider).collect::<Vec<_>>(),
        "relationships": inventory.relationships,
        "resolvers": inventory.resolvers.iter().map(resolver).collect::<Vec<_>>(),
        "functions": inventory.functions.iter().map(function).collect::<Vec<_>>(),
        "triggers": inventory.triggers.iter().map(trigger).collect::<Vec<_>>(),
        "missing_secrets": inventory.missing_secrets,
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
