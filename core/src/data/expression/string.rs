//! Strings.

use bson::{Bson, Document, doc};
use regex::Captures;

use super::{Arguments, Operator, Outcome, Value, is_absent};
use crate::data::number::{narrow, whole};
use crate::filter::Pattern;

const INPUT: Arguments = Arguments::Named(1, &["input", "chars"]);
const REGEX: Arguments = Arguments::Named(2, &["input", "regex", "options"]);
const REPLACE: Arguments = Arguments::Named(3, &["input", "find", "replacement"]);

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$concat", arguments: Arguments::Listed(0, usize::MAX), apply: concat },
    Operator {
        name: "$toLower",
        arguments: Arguments::Listed(1, 1),
        apply: |given| cased(given, str::to_lowercase),
    },
    Operator {
        name: "$toUpper",
        arguments: Arguments::Listed(1, 1),
        apply: |given| cased(given, str::to_uppercase),
    },
    Operator { name: "$substr", arguments: Arguments::Listed(3, 3), apply: substring_of_bytes },
    Operator { name: "$substrBytes", arguments: Arguments::Listed(3, 3), apply: substring_of_bytes },
    Operator { name: "$substrCP", arguments: Arguments::Listed(3, 3), apply: substring },
    Operator {
        name: "$strLenCP",
        arguments: Arguments::Listed(1, 1),
        apply: |given| length(given, |text| text.chars().count()),
    },
    Operator {
        name: "$strLenBytes",
        arguments: Arguments::Listed(1, 1),
        apply: |given| length(given, str::len),
    },
    Operator { name: "$split", arguments: Arguments::Listed(2, 2), apply: split },
    Operator { name: "$trim", arguments: INPUT, apply: |given| trimmed(given, true, true) },
    Operator { name: "$ltrim", arguments: INPUT, apply: |given| trimmed(given, true, false) },
    Operator { name: "$rtrim", arguments: INPUT, apply: |given| trimmed(given, false, true) },
    Operator {
        name: "$indexOfCP",
        arguments: Arguments::Listed(2, 2),
        apply: |given| index_of(given, |before| before.chars().count()),
    },
    Operator {
        name: "$indexOfBytes",
        arguments: Arguments::Listed(2, 2),
        apply: |given| index_of(given, str::len),
    },
    Operator { name: "$strcasecmp", arguments: Arguments::Listed(2, 2), apply: compare_folded },
    Operator { name: "$regexMatch", arguments: REGEX, apply: regex_match },
    Operator { name: "$regexFind", arguments: REGEX, apply: regex_find },
    Operator { name: "$regexFindAll", arguments: REGEX, apply: regex_find_all },
    Operator { name: "$replaceOne", arguments: REPLACE, apply: |given| replaced(given, Some(1)) },
    Operator { name: "$replaceAll", arguments: REPLACE, apply: |given| replaced(given, None) },
];

/// The longest string that an expression makes, bytes: as long as a document may be.
const MOST: usize = 16 * 1024 * 1024;

/// The most parts that a string is taken into.
const PARTS: usize = 100_000;

const NULL: Outcome = Ok(Some(Bson::Null));

fn few(parts: Vec<Bson>) -> Outcome {
    if parts.len() > PARTS { Err(format!("more than {PARTS} parts")) } else { Ok(Some(Bson::Array(parts))) }
}

/// A string; null and nothing are none.
fn text(value: Option<&Value>) -> Result<Option<&str>, String> {
    match value {
        Some(Some(Bson::String(text))) => Ok(Some(text)),
        Some(value) if is_absent(value) => Ok(None),
        None => Ok(None),
        Some(Some(other)) => Err(format!("a string is needed, not {other}")),
        Some(None) => Ok(None),
    }
}

/// What counts as text where numbers and dates do too; null is empty.
fn shown(value: Option<&Value>) -> Result<String, String> {
    match value.and_then(Option::as_ref) {
        None | Some(Bson::Null) => Ok(String::new()),
        Some(Bson::String(text)) => Ok(text.clone()),
        Some(Bson::Int32(number)) => Ok(number.to_string()),
        Some(Bson::Int64(number)) => Ok(number.to_string()),
        Some(Bson::Double(number)) => Ok(number.to_string()),
        Some(Bson::DateTime(date)) => Ok(super::date::iso(*date)),
        Some(other) => Err(format!("{other} is no string")),
    }
}

fn string(text: impl Into<String>) -> Outcome {
    let text = text.into();
    if text.len() > MOST {
        Err(format!("a string of more than {MOST} bytes"))
    } else {
        Ok(Some(Bson::String(text)))
    }
}

fn count(number: usize) -> Bson {
    narrow(i64::try_from(number).unwrap_or(i64::MAX))
}

fn concat(given: &[Value]) -> Outcome {
    let mut whole = String::new();
    for part in given {
        let Some(part) = text(Some(part))? else { return NULL };
        if whole.len() + part.len() > MOST {
            return Err(format!("a string of more than {MOST} bytes"));
        }
        whole.push_str(part);
    }
    string(whole)
}

fn cased(given: &[Value], change: fn(&str) -> String) -> Outcome {
    string(change(&shown(given.first())?))
}

fn place(value: Option<&Value>, what: &str) -> Result<i64, String> {
    value.and_then(Option::as_ref).and_then(whole).ok_or_else(|| format!("{what} must be a whole number"))
}

/// A negative length is the rest.
fn substring_of_bytes(given: &[Value]) -> Outcome {
    let text = shown(given.first())?;
    let (start, length) = (place(given.get(1), "the start")?, place(given.get(2), "the length")?);
    let Ok(start) = usize::try_from(start) else { return string("") };
    let rest = text.len().saturating_sub(start);
    let length = usize::try_from(length).unwrap_or(rest).min(rest);
    if start >= text.len() {
        return string("");
    }
    let part = text.get(start..start.saturating_add(length));
    part.map_or_else(|| Err("the range begins or ends inside a character".to_owned()), string)
}

fn substring(given: &[Value]) -> Outcome {
    let text = shown(given.first())?;
    let range = (place(given.get(1), "the start")?, place(given.get(2), "the length")?);
    let (Ok(start), Ok(length)) = (usize::try_from(range.0), usize::try_from(range.1)) else {
        return Err("the start and the length must not be negative".to_owned());
    };
    string(text.chars().skip(start).take(length).collect::<String>())
}

fn length(given: &[Value], of: fn(&str) -> usize) -> Outcome {
    match text(given.first())? {
        Some(text) => Ok(Some(count(of(text)))),
        None => Err("the argument must be a string".to_owned()),
    }
}

fn split(given: &[Value]) -> Outcome {
    match (text(given.first())?, text(given.get(1))?) {
        (Some(_), Some("")) => Err("the separator must not be empty".to_owned()),
        (Some(text), Some(separator)) => few(text.split(separator).map(Bson::from).take(PARTS + 1).collect()),
        _ => NULL,
    }
}

fn trimmed(given: &[Value], start: bool, end: bool) -> Outcome {
    let Some(input) = text(given.first())? else { return NULL };
    let chars = match given.get(1) {
        Some(Some(_)) => match text(given.get(1))? {
            Some(chars) => Some(chars),
            None => return NULL,
        },
        _ => None,
    };
    let is_trimmed =
        |char: char| chars.map_or(char.is_whitespace() || char == '\0', |chars| chars.contains(char));
    let input = if start { input.trim_start_matches(is_trimmed) } else { input };
    string(if end { input.trim_end_matches(is_trimmed) } else { input })
}

fn index_of(given: &[Value], length_of: fn(&str) -> usize) -> Outcome {
    let Some(text_) = text(given.first())? else { return NULL };
    let Some(wanted) = text(given.get(1))? else { return Err("a string to look for is needed".to_owned()) };
    let found = text_.find(wanted).and_then(|at| text_.get(..at)).map(length_of);
    Ok(Some(found.map_or(Bson::Int32(-1), count)))
}

fn compare_folded(given: &[Value]) -> Outcome {
    let (one, other) = (shown(given.first())?.to_uppercase(), shown(given.get(1))?.to_uppercase());
    Ok(Some(Bson::Int32(one.cmp(&other) as i32)))
}

/// The text and the pattern; `None` where either is null.
fn matching(given: &[Value]) -> Result<Option<(&str, Pattern)>, String> {
    let Some(input) = text(given.first())? else { return Ok(None) };
    let options = text(given.get(2))?;
    let pattern = match given.get(1) {
        Some(Some(Bson::String(source))) => Pattern::new(source, options.unwrap_or_default())?,
        Some(Some(Bson::RegularExpression(regex))) => {
            Pattern::new(regex.pattern.as_str(), options.unwrap_or(regex.options.as_str()))?
        }
        Some(value) if is_absent(value) => return Ok(None),
        _ => return Err("'regex' must be a string or a regular expression".to_owned()),
    };
    Ok(Some((input, pattern)))
}

fn regex_match(given: &[Value]) -> Outcome {
    let found = matching(given)?.is_some_and(|(input, pattern)| pattern.is_match(input));
    Ok(Some(Bson::Boolean(found)))
}

fn regex_find(given: &[Value]) -> Outcome {
    let found = matching(given)?.and_then(|(input, pattern)| {
        let captures = pattern.compiled().captures(input)?;
        told(input, &captures)
    });
    Ok(Some(found.map_or(Bson::Null, Bson::Document)))
}

fn regex_find_all(given: &[Value]) -> Outcome {
    let Some((input, pattern)) = matching(given)? else { return Ok(Some(Bson::Array(Vec::new()))) };
    let all = pattern.compiled().captures_iter(input).filter_map(|captures| told(input, &captures));
    few(all.map(Bson::Document).take(PARTS + 1).collect())
}

fn told(input: &str, captures: &Captures<'_>) -> Option<Document> {
    let whole = captures.get(0)?;
    let before = input.get(..whole.start())?.chars().count();
    let group =
        |group: Option<regex::Match<'_>>| group.map_or(Bson::Null, |group| Bson::from(group.as_str()));
    let groups: Vec<Bson> = captures.iter().skip(1).map(group).collect();
    Some(doc! { "match": whole.as_str(), "idx": count(before), "captures": groups })
}

fn replaced(given: &[Value], most: Option<usize>) -> Outcome {
    match (text(given.first())?, text(given.get(1))?, text(given.get(2))?) {
        (Some(input), Some(find), Some(by)) => {
            let times = most.unwrap_or_else(|| input.matches(find).count());
            if input.len() + times.saturating_mul(by.len()) > MOST {
                return Err(format!("a string of more than {MOST} bytes"));
            }
            string(input.replacen(find, by, times))
        }
        _ => NULL,
    }
}
