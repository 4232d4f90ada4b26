//! What the rules said against what was expected.

use backstitch::filter::equal;
use bson::Bson;
use serde_json::Value;

use super::ask::{Answer, value};
use super::file::Expected;

/// What differs, and why the rules say so.
pub(super) fn compare(expected: &Expected, answers: &[Answer]) -> (Vec<String>, String) {
    let mut found = Differences::default();
    let allowed = answers.iter().any(|answer| answer.explanation.allowed != Some(false));
    let first = answers.first();
    found.compare("allowed", expected.allowed, Some(allowed), first);
    if let Some(wanted) = &expected.denied_by {
        let denied = answers.iter().find_map(|answer| answer.explanation.denied_by.as_deref());
        if !denied.is_some_and(|denied| denied.contains(wanted.as_str())) {
            found.add(format!("denied by: expected `{wanted}`, got {}", quoted(denied)), first);
        }
    }
    if let Some(wanted) = &expected.visible {
        compare_visible(wanted, answers, &mut found);
    }
    for answer in answers.iter().filter(|answer| is_seen(answer) || answers.len() == 1) {
        compare_one(expected.role.as_deref(), expected.fields.as_deref(), answer, &mut found);
    }
    for wanted in &expected.documents {
        let id = value(&wanted.id);
        let answer = answers.iter().find(|answer| same(answer.id.as_ref(), id.as_ref()));
        match answer {
            Some(answer) => {
                compare_one(wanted.role.as_deref(), wanted.fields.as_deref(), answer, &mut found);
            }
            None => found.add(format!("document {}: it is not asked for", wanted.id), first),
        }
    }
    (found.texts, found.explanation)
}

#[derive(Default)]
struct Differences {
    texts: Vec<String>,
    /// Of the first.
    explanation: String,
}

impl Differences {
    fn add(&mut self, text: String, answer: Option<&Answer>) {
        if self.texts.is_empty() {
            self.explanation = answer.map(|answer| answer.explanation.to_string()).unwrap_or_default();
        }
        self.texts.push(text);
    }

    fn compare<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        expected: Option<T>,
        got: Option<T>,
        answer: Option<&Answer>,
    ) {
        if let Some(expected) = expected
            && got.as_ref() != Some(&expected)
        {
            let got = got.map_or("none".to_owned(), |got| format!("{got:?}"));
            self.add(format!("{what}: expected {expected:?}, got {got}"), answer);
        }
    }
}

fn compare_visible(wanted: &[Value], answers: &[Answer], found: &mut Differences) {
    let seen: Vec<&Answer> = answers.iter().filter(|answer| is_seen(answer)).collect();
    let is_wanted = |answer: &Answer| wanted.iter().any(|id| same(value(id).as_ref(), answer.id.as_ref()));
    for answer in seen.iter().filter(|answer| !is_wanted(answer)) {
        found.add(format!("visible: {} is seen", shown(answer)), Some(answer));
    }
    for id in wanted {
        let one = answers.iter().find(|answer| same(value(id).as_ref(), answer.id.as_ref()));
        if !one.is_some_and(is_seen) {
            found.add(format!("visible: {id} is not seen"), one.or(answers.first()));
        }
    }
}

fn compare_one(role: Option<&str>, fields: Option<&[String]>, answer: &Answer, found: &mut Differences) {
    let explanation = &answer.explanation;
    found.compare("role", role, explanation.role.as_deref(), Some(answer));
    if let Some(fields) = fields {
        let mut wanted: Vec<&str> = fields.iter().map(String::as_str).collect();
        let seen = explanation.visible.as_ref().and_then(Value::as_object);
        let mut seen: Vec<&str> = seen.into_iter().flat_map(|seen| seen.keys()).map(String::as_str).collect();
        wanted.sort_unstable();
        seen.sort_unstable();
        found.compare(&format!("fields of {}", shown(answer)), Some(wanted), Some(seen), Some(answer));
    }
}

fn is_seen(answer: &Answer) -> bool {
    answer.explanation.visible.is_some()
}

fn same(one: Option<&Bson>, other: Option<&Bson>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => equal(one, other),
        _ => false,
    }
}

fn shown(answer: &Answer) -> String {
    answer.id.clone().map_or("a document".to_owned(), |id| id.into_relaxed_extjson().to_string())
}

fn quoted(text: Option<&str>) -> String {
    text.map_or("nothing".to_owned(), |text| format!("`{text}`"))
}
