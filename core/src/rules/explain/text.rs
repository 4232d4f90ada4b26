//! An explanation in lines of text.

use std::fmt;

use super::{Explanation, RoleOutcome, Source, Trace};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.action.name(), self.collection)?;
        let rules = match self.rules {
            Source::Own => "the collection's own",
            Source::Default => "the default rule of the data source",
            Source::None => "none: nothing is allowed",
            Source::System => "none: the system may do everything",
        };
        writeln!(f, "rules: {rules}")?;
        for filter in &self.filters {
            let applies = filter.apply_when.holds == Some(true);
            writeln!(f, "filter `{}` {}", filter.name, if applies { "applies" } else { "does not apply" })?;
            indented(f, &filter.apply_when, 1)?;
            if applies {
                indented(f, &filter.query, 1)?;
            }
        }
        for role in &self.roles {
            let outcome = match role.outcome {
                RoleOutcome::Decides => "decides",
                RoleOutcome::MayDecide => "decides on some documents",
                RoleOutcome::DoesNotApply => "does not apply",
                RoleOutcome::NotReached => "is not reached",
            };
            let closed = if role.closed { " (closed: it grants nothing)" } else { "" };
            writeln!(f, "role `{}` {outcome}{closed}", role.name)?;
            indented(f, &role.apply_when, 1)?;
        }
        for check in &self.checks {
            writeln!(f, "{} ({})", check.part, check.image)?;
            indented(f, &check.trace, 1)?;
        }
        if let Some(query) = &self.query {
            let beside = if query.per_document { ", and each document is judged" } else { "" };
            writeln!(f, "asked of the store: {}{beside}", query.pushed)?;
        }
        if !self.cut.is_empty() {
            writeln!(f, "not shown: {}", self.cut.join(", "))?;
        }
        match (&self.allowed, &self.denied_by) {
            (Some(true), _) => f.write_str("allowed"),
            (_, Some(why)) => write!(f, "denied: {why}"),
            (Some(false), None) => f.write_str("denied"),
            (None, None) => f.write_str("depends on the document"),
        }
    }
}

fn indented(f: &mut fmt::Formatter<'_>, trace: &Trace, depth: usize) -> fmt::Result {
    let word = match trace.holds {
        Some(true) => "yes",
        Some(false) => "no ",
        None => "?  ",
    };
    write!(f, "{:indent$}{word} {}", "", trace.rule, indent = depth * 2)?;
    for beside in [&trace.values, &trace.open].into_iter().flatten() {
        write!(f, "   [{beside}]")?;
    }
    writeln!(f)?;
    trace.parts.iter().try_for_each(|part| indented(f, part, depth + 1))
}
