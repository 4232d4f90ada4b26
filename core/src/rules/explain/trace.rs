//! An expression, judged part by part with its values.

use std::fmt;

use bson::Bson;
use serde::{Deserialize, Serialize};

use crate::rules::bind::{Facts, bind, rebound};
use crate::rules::condition::{Condition, Judgement, Scene, Verdict};
use crate::rules::expr::{Conversion, Expression, Image, Known, Operand, Relation, VALUE};
use crate::rules::relate;

/// An expression or a part of it, and whether it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The expression in words: `owner = %%user.id`.
    pub rule: String,
    /// Whether it holds; `None` where that depends on the document.
    pub holds: Option<bool>,
    /// The same with the values in their places: `"a" = "b"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<String>,
    /// What is left to be asked of each document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
    /// Its parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Trace>,
}

impl Trace {
    /// A part that the role does not have: it permits nothing.
    pub(super) fn not_given() -> Self {
        let rule = "not given".to_owned();
        Self { rule, holds: Some(false), values: None, open: None, parts: Vec::new() }
    }
}

/// Judges an expression, on a document if there is one.
pub(super) fn trace(expression: &Expression, facts: Facts<'_>, scene: Option<Scene<'_>>) -> Trace {
    let condition = bind(expression, facts);
    let holds = match (&condition, scene) {
        (Condition::Always, _) => Some(true),
        (Condition::Never, _) => Some(false),
        (_, None) => None,
        (condition, Some(scene)) => match condition.judge(scene) {
            Judgement::Holds => Some(true),
            Judgement::Fails => Some(false),
            Judgement::Unknown => None,
        },
    };
    let (rule, values, parts) = match expression {
        Expression::Constant(constant) => (constant.to_string(), None, Vec::new()),
        Expression::All(parts) if parts.is_empty() => ("always".to_owned(), None, Vec::new()),
        Expression::All(parts) => match parts.as_slice() {
            [one] => return trace(one, facts, scene),
            parts => ("all of".to_owned(), None, each(parts, facts, scene)),
        },
        Expression::Any(parts) => ("any of".to_owned(), None, each(parts, facts, scene)),
        Expression::Not(inner) => ("not".to_owned(), None, vec![trace(inner, facts, scene)]),
        Expression::Exists(operand) => {
            let value = value(operand, facts, scene);
            (format!("{operand} exists"), value.map(|value| format!("{value} exists")), Vec::new())
        }
        Expression::Asks(filter) => (filter.to_string(), None, Vec::new()),
        Expression::Relates(left, relation, right) => {
            let values = match (value(left, facts, scene), value(right, facts, scene)) {
                (Some(left), Some(right)) => Some(format!("{left} {relation} {right}")),
                _ => None,
            };
            (format!("{left} {relation} {right}"), values, Vec::new())
        }
    };
    let open = (holds.is_none() && parts.is_empty()).then(|| left_open(condition, facts)).flatten();
    Trace { rule, holds, values, open, parts }
}

fn each(parts: &[Expression], facts: Facts<'_>, scene: Option<Scene<'_>>) -> Vec<Trace> {
    parts.iter().map(|part| trace(part, facts, scene)).collect()
}

/// What a store is asked; `None` where that says nothing.
fn left_open(condition: Condition, facts: Facts<'_>) -> Option<String> {
    match condition.verdict(facts.answers) {
        Verdict::When(filter) => Some(filter.to_string()),
        Verdict::PerDocument(..) => Some("judged document by document".to_owned()),
        Verdict::Always | Verdict::Never => None,
    }
}

/// The value of an operand, in words; `None` as long as there is no document.
fn value(operand: &Operand, facts: Facts<'_>, scene: Option<Scene<'_>>) -> Option<String> {
    Some(match operand {
        Operand::Literal(value) => shown(value),
        Operand::Known(known, path) => {
            relate::lookup(facts.document(*known), path).map_or("nothing".to_owned(), |value| shown(&value))
        }
        Operand::Stored(image, path) => {
            let scene = scene?;
            match scene.image(*image) {
                None => "nothing".to_owned(),
                Some(_) if path.is_empty() => "a document".to_owned(),
                Some(document) => {
                    let document = bson::Document::try_from(document).ok()?;
                    relate::lookup(&document, path).map_or("nothing".to_owned(), |value| shown(&value))
                }
            }
        }
        Operand::List(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| value(item, facts, scene)).collect();
            format!("[{}]", items?.join(", "))
        }
        Operand::Document(_) => operand.to_string(),
        Operand::Convert(..) | Operand::Call(..) => made(operand, facts, scene)?,
    })
}

/// What a conversion or a function gives.
fn made(operand: &Operand, facts: Facts<'_>, scene: Option<Scene<'_>>) -> Option<String> {
    let nowhere = bson::RawDocumentBuf::new();
    let (bound, is_open) = rebound(operand, facts);
    let scene = match scene {
        None if is_open => return None,
        None => Scene::stored(&nowhere, facts.answers),
        Some(scene) => scene,
    };
    let values = relate::values(&bound, scene)?;
    Some(values.first().map_or("nothing".to_owned(), shown))
}

/// A value, whole: the part of a secret would not be known for one.
fn shown(value: &Bson) -> String {
    match value {
        Bson::Document(_) => "a document".to_owned(),
        value => value.clone().into_relaxed_extjson().to_string(),
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(value) => f.write_str(&shown(value)),
            Self::Known(known, path) => named(f, known.name(), path),
            Self::Stored(Image::Root, path) if !path.is_empty() => f.write_str(path),
            Self::Stored(Image::Root, _) => f.write_str("%%root"),
            Self::Stored(Image::Previous | Image::PreviousOfEach, path) => named(f, "prevRoot", path),
            Self::Stored(Image::Next | Image::NextOfEach, path) => write!(f, "{path} after the change"),
            Self::Stored(image @ (Image::Value | Image::PreviousValue), path) => {
                let path = path.strip_prefix(VALUE).unwrap_or(path).trim_start_matches('.');
                named(f, if *image == Image::Value { "this" } else { "prev" }, path)
            }
            Self::List(items) => {
                f.write_str("[")?;
                listed(f, items)?;
                f.write_str("]")
            }
            Self::Document(fields) => {
                f.write_str("{")?;
                for (place, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}{name}: {value}", if place == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
            Self::Convert(conversion, inner) => write!(f, "{}({inner})", conversion.name()),
            Self::Call(function, arguments) => {
                write!(f, "function {function}(")?;
                listed(f, arguments)?;
                f.write_str(")")
            }
        }
    }
}

fn listed(f: &mut fmt::Formatter<'_>, operands: &[Operand]) -> fmt::Result {
    for (place, operand) in operands.iter().enumerate() {
        write!(f, "{}{operand}", if place == 0 { "" } else { ", " })?;
    }
    Ok(())
}

fn named(f: &mut fmt::Formatter<'_>, name: &str, path: &str) -> fmt::Result {
    write!(f, "%%{name}{}{path}", if path.is_empty() { "" } else { "." })
}

impl Known {
    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Values => "values",
            Self::Environment => "environment",
            Self::Request => "request",
        }
    }
}

impl Conversion {
    fn name(self) -> &'static str {
        match self {
            Self::StringToOid => "stringToOid",
            Self::OidToString => "oidToString",
            Self::StringToUuid => "stringToUuid",
            Self::UuidToString => "uuidToString",
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(comparison) | Self::Exactly(comparison) => comparison.fmt(f),
            Self::In => f.write_str("in"),
            Self::All => f.write_str("has all of"),
        }
    }
}
