//! What a projection, `$project`, `$addFields` and `$unset` make of a document.

use bson::{Bson, Document, RawDocumentBuf};

use super::expression::{Expression, Parser, Scope};
use super::number::whole;
use super::segments;
use crate::filter::{Filter, matches};

type Parsed<T> = Result<T, String>;

/// What becomes of a document's fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    mode: Mode,
    fields: Vec<(String, Part)>,
}

/// What becomes of the fields that are not named.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    /// They are left out.
    Only,
    /// They stay.
    Rest,
}

/// What becomes of a field.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Shown,
    Left,
    Computed(Expression),
    /// Some elements of an array: how many are skipped (negative from the end) and how many shown.
    Slice(Option<i64>, i64),
    /// The first element that the filter accepts.
    Element(Filter),
    Below(Shape),
}

/// Which kind of shape is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Project,
    /// A projection of `find`, which also knows `$slice` and `$elemMatch`.
    Find,
    AddFields,
}

impl Shape {
    /// Reads `{"title": 1, "_id": 0, "total": {"$add": […]}}`.
    ///
    /// # Errors
    /// What is not known, or contradicts itself.
    pub(super) fn parse(document: &Document, kind: Kind, parser: &Parser) -> Parsed<Self> {
        if document.is_empty() && kind == Kind::Project {
            return Err("$project needs at least one field".to_owned());
        }
        let mode = match kind {
            Kind::AddFields => Mode::Rest,
            Kind::Project | Kind::Find => mode_of(document, kind)?,
        };
        let mut shape = Self { mode, fields: Vec::new() };
        if mode == Mode::Only && !document.contains_key("_id") {
            shape.fields.push(("_id".to_owned(), Part::Shown));
        }
        for (path, value) in document {
            let keys = segments(path)?;
            if keys.iter().any(|key| key.is_empty()) {
                return Err(format!("'{path}' is no field path"));
            }
            if keys.iter().any(|key| key.starts_with('$')) {
                return Err(format!("'{path}' is not supported in a projection"));
            }
            let part = shape.part(path, value, kind, parser)?;
            shape.put(&keys, part, path)?;
        }
        Ok(shape)
    }

    /// A shape that leaves fields out.
    pub(super) fn without(paths: &[String]) -> Parsed<Self> {
        let mut shape = Self { mode: Mode::Rest, fields: Vec::new() };
        for path in paths {
            shape.put(&segments(path)?, Part::Left, path)?;
        }
        Ok(shape)
    }

    fn part(&self, path: &str, value: &Bson, kind: Kind, parser: &Parser) -> Parsed<Part> {
        match (kind, value) {
            (Kind::Find, Bson::Document(operator))
                if operator.len() == 1 && operator.contains_key("$slice") =>
            {
                slice(operator.get("$slice"))
            }
            (Kind::Find, Bson::Document(operator))
                if operator.len() == 1 && operator.contains_key("$elemMatch") =>
            {
                match operator.get("$elemMatch") {
                    Some(Bson::Document(query)) => {
                        Filter::parse(&bson::doc! { "v": { "$elemMatch": query.clone() } }).map(Part::Element)
                    }
                    _ => Err("$elemMatch needs an object".to_owned()),
                }
            }
            (Kind::Project | Kind::Find, value) if flag(value).is_some() => {
                Ok(if flag(value) == Some(true) { Part::Shown } else { Part::Left })
            }
            (kind, Bson::Document(inner))
                if !inner.keys().any(|key| key.starts_with('$')) && !inner.is_empty() =>
            {
                let mut below = Self { mode: self.mode, fields: Vec::new() };
                for (name, value) in inner {
                    let keys = segments(name)?;
                    let part = below.part(name, value, kind, parser)?;
                    below.put(&keys, part, &format!("{path}.{name}"))?;
                }
                Ok(Part::Below(below))
            }
            (_, value) if self.mode == Mode::Rest && kind != Kind::AddFields => {
                Err(format!("'{path}' cannot be {value} where fields are left out"))
            }
            (_, value) => parser.expression(value).map(Part::Computed),
        }
    }

    fn put(&mut self, keys: &[&str], part: Part, path: &str) -> Parsed<()> {
        let Some((first, rest)) = keys.split_first() else { return Ok(()) };
        let mode = self.mode;
        let place = self.fields.iter_mut().find(|(name, _)| name == first).map(|(_, part)| part);
        match (place, rest.is_empty()) {
            (None, true) => self.fields.push(((*first).to_owned(), part)),
            (None, false) => {
                let mut below = Self { mode, fields: Vec::new() };
                below.put(rest, part, path)?;
                self.fields.push(((*first).to_owned(), Part::Below(below)));
            }
            (Some(Part::Below(below)), false) => below.put(rest, part, path)?,
            (Some(_), _) => return Err(format!("'{path}' is named twice")),
        }
        Ok(())
    }

    /// The document in this shape.
    ///
    /// # Errors
    /// What an expression fails with.
    pub(super) fn apply(&self, document: &Document, scope: Scope<'_>) -> Parsed<Document> {
        let mut shaped = Document::new();
        for (name, value) in document {
            let part = self.fields.iter().find(|(known, _)| known == name).map(|(_, part)| part);
            let kept = match part {
                None => (self.mode == Mode::Rest).then(|| value.clone()),
                Some(Part::Shown) => Some(value.clone()),
                Some(Part::Left) => None,
                Some(Part::Computed(expression)) => expression.evaluate(scope)?,
                Some(Part::Slice(skip, count)) => Some(sliced(value, *skip, *count)),
                Some(Part::Element(filter)) => element(value, filter)?,
                Some(Part::Below(below)) => below.inside(value, scope)?,
            };
            shaped.extend(kept.map(|kept| (name.clone(), kept)));
        }
        for (name, part) in self.fields.iter().filter(|(name, _)| !document.contains_key(name)) {
            let made = match part {
                Part::Computed(expression) => expression.evaluate(scope)?,
                Part::Below(below) if below.computes() => {
                    Some(Bson::Document(below.apply(&Document::new(), scope)?))
                }
                _ => None,
            };
            shaped.extend(made.map(|made| (name.clone(), made)));
        }
        Ok(shaped)
    }

    /// A value inside the document: of an array each element.
    fn inside(&self, value: &Bson, scope: Scope<'_>) -> Parsed<Option<Bson>> {
        match value {
            Bson::Document(inner) => self.apply(inner, scope).map(|inner| Some(Bson::Document(inner))),
            Bson::Array(elements) => {
                let mut shaped = Vec::new();
                for element in elements {
                    shaped.extend(self.inside(element, scope)?);
                }
                Ok(Some(Bson::Array(shaped)))
            }
            _ if self.computes() => {
                self.apply(&Document::new(), scope).map(|inner| Some(Bson::Document(inner)))
            }
            other => Ok((self.mode == Mode::Rest).then(|| other.clone())),
        }
    }

    fn computes(&self) -> bool {
        self.fields.iter().any(|(_, part)| match part {
            Part::Computed(_) => true,
            Part::Below(below) => below.computes(),
            Part::Shown | Part::Left | Part::Slice(..) | Part::Element(_) => false,
        })
    }
}

/// Whether a field is shown or left out, where it is either.
fn flag(value: &Bson) -> Option<bool> {
    match value {
        Bson::Boolean(shown) => Some(*shown),
        value => super::number::real(value).map(|number| number != 0.0),
    }
}

/// Whether all is left out but what is named, by the first field that says so; `_id` may be an exception.
fn mode_of(document: &Document, kind: Kind) -> Parsed<Mode> {
    let mut found: Option<Mode> = None;
    for (path, value) in document {
        let says = match value {
            Bson::Document(inner)
                if kind == Kind::Find && inner.len() == 1 && inner.contains_key("$slice") =>
            {
                None
            }
            Bson::Document(inner) if !inner.is_empty() && !inner.keys().any(|key| key.starts_with('$')) => {
                Some(mode_of(inner, kind)?)
            }
            value => match flag(value) {
                Some(false) => Some(Mode::Rest),
                Some(true) | None => Some(Mode::Only),
            },
        };
        if path == "_id" && (document.len() > 1 || says == Some(Mode::Only)) {
            continue;
        }
        match (found, says) {
            (Some(known), Some(says)) if known != says => {
                return Err(format!(
                    "'{path}' contradicts the fields before it: a projection names what is shown, or what is left out"
                ));
            }
            (None, says) => found = says,
            _ => {}
        }
    }
    let id_alone = document.get("_id").and_then(flag);
    Ok(found.unwrap_or(if id_alone == Some(true) { Mode::Only } else { Mode::Rest }))
}

fn slice(operand: Option<&Bson>) -> Parsed<Part> {
    let wrong = || "$slice takes a number, or [skip, number]".to_owned();
    match operand {
        Some(Bson::Array(pair)) => match pair.as_slice() {
            [skip, count] => match (whole(skip), whole(count).filter(|count| *count > 0)) {
                (Some(skip), Some(count)) => Ok(Part::Slice(Some(skip), count)),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        },
        Some(count) => whole(count).map(|count| Part::Slice(None, count)).ok_or_else(wrong),
        None => Err(wrong()),
    }
}

fn sliced(value: &Bson, skip: Option<i64>, count: i64) -> Bson {
    let Bson::Array(elements) = value else { return value.clone() };
    let length = elements.len();
    let size = |number: i64| usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    let (start, kept) = match skip {
        None if count < 0 => (length.saturating_sub(size(count)), length),
        None => (0, size(count)),
        Some(skip) if skip < 0 => (length.saturating_sub(size(skip)), size(count)),
        Some(skip) => (size(skip), size(count)),
    };
    Bson::Array(elements.iter().skip(start).take(kept).cloned().collect())
}

/// The first element that matches, as an array of one; nothing where there is none.
fn element(value: &Bson, filter: &Filter) -> Parsed<Option<Bson>> {
    let Bson::Array(elements) = value else { return Ok(None) };
    for element in elements {
        let alone = bson::doc! { "v": [element.clone()] };
        let raw = RawDocumentBuf::try_from(&alone).map_err(|error| error.to_string())?;
        if matches(filter, &raw) {
            return Ok(Some(Bson::Array(vec![element.clone()])));
        }
    }
    Ok(None)
}
