//! Paths of updates, and the places in a document that they stand for.

use bson::{Bson, Document, RawDocumentBuf};

use super::Occasion;
use crate::data::segments;
use crate::filter::{Filter, first_element, matches};

/// A path as it was written, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    pub(super) text: String,
    pub(super) segments: Vec<Segment>,
}

/// A part of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Segment {
    /// A field, or the place in an array.
    Field(String),
    /// `$`: the first element by which the document was found.
    Found,
    /// `$[]`: every element.
    Every,
    /// `$[id]`: the elements that the filter of this name accepts.
    Filtered(String),
}

/// A member of `arrayFilters`: which elements its identifier stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ArrayFilter {
    pub(super) identifier: String,
    /// About documents that have the element as the field of that name.
    pub(super) filter: Filter,
}

impl Path {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let segments: Vec<Segment> =
            segments(text)?.into_iter().map(|part| segment(part, text)).collect::<Result<_, _>>()?;
        match segments.first() {
            Some(Segment::Field(_)) => {}
            _ => return Err(format!("the update path '{text}' cannot begin with an array update")),
        }
        if segments.iter().filter(|segment| **segment == Segment::Found).count() > 1 {
            return Err(format!("too many positional (i.e. '$') elements found in path '{text}'"));
        }
        Ok(Self { text: text.to_owned(), segments })
    }

    /// The names of the filters that it needs.
    pub(super) fn identifiers(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Filtered(name) => Some(name.as_str()),
            Segment::Field(_) | Segment::Found | Segment::Every => None,
        })
    }

    /// Whether one of the two paths leads to a place inside the other's, or to the same.
    pub(super) fn conflicts(&self, other: &Self) -> bool {
        self.segments.iter().zip(&other.segments).all(|(one, other)| one == other)
    }

    /// The places that it stands for in this document, as plain keys.
    pub(super) fn places(
        &self,
        document: &Document,
        filters: &[ArrayFilter],
        occasion: Occasion<'_>,
    ) -> Result<Vec<Vec<String>>, String> {
        let mut places: Vec<Vec<String>> = vec![Vec::new()];
        for segment in &self.segments {
            let mut further = Vec::new();
            for place in places {
                for key in self.keys(segment, &place, document, (filters, occasion))? {
                    let mut longer = place.clone();
                    longer.push(key);
                    further.push(longer);
                }
            }
            places = further;
        }
        Ok(places)
    }

    fn keys(
        &self,
        segment: &Segment,
        place: &[String],
        document: &Document,
        (filters, occasion): (&[ArrayFilter], Occasion<'_>),
    ) -> Result<Vec<String>, String> {
        let accepts: &dyn Fn(&Bson) -> Result<bool, String> = match segment {
            Segment::Field(name) => return Ok(vec![name.clone()]),
            Segment::Found => return found(place, document, occasion),
            Segment::Every => &|_| Ok(true),
            Segment::Filtered(name) => {
                let filter = filters.iter().find(|filter| filter.identifier == *name);
                let filter = filter.ok_or_else(|| {
                    format!("no array filter found for identifier '{name}' in path '{}'", self.text)
                })?;
                &|element: &Bson| filter.accepts(element)
            }
        };
        let place = place.join(".");
        let elements = match at(document, &place) {
            Some(Bson::Array(elements)) => elements,
            Some(_) => return Err(format!("cannot apply array updates to non-array element {place}")),
            None => {
                return Err(format!("the path '{place}' must exist in the document to apply array updates"));
            }
        };
        let mut keys = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            if accepts(element)? {
                keys.push(index.to_string());
            }
        }
        Ok(keys)
    }
}

impl ArrayFilter {
    pub(super) fn parse(document: &Document) -> Result<Self, String> {
        let mut identifier = None;
        note_identifiers(document, &mut identifier)?;
        let identifier =
            identifier.ok_or("cannot use an expression without a top-level field name in arrayFilters")?;
        let is_name = identifier.starts_with(|first: char| first.is_ascii_lowercase())
            && identifier.chars().all(|char| char.is_ascii_alphanumeric());
        if !is_name {
            return Err(format!(
                "'{identifier}' is no array filter identifier: it begins with a lowercase letter and has only letters and digits"
            ));
        }
        Ok(Self { identifier, filter: Filter::parse(document)? })
    }

    fn accepts(&self, element: &Bson) -> Result<bool, String> {
        let mut wrapped = Document::new();
        wrapped.insert(self.identifier.clone(), element.clone());
        let raw = RawDocumentBuf::try_from(&wrapped).map_err(|error| error.to_string())?;
        Ok(matches(&self.filter, &raw))
    }
}

/// The one name that all fields of a filter begin with.
fn note_identifiers(filter: &Document, identifier: &mut Option<String>) -> Result<(), String> {
    for (key, value) in filter {
        if key.starts_with('$') {
            let Bson::Array(parts) = value else { continue };
            for part in parts.iter().filter_map(Bson::as_document) {
                note_identifiers(part, identifier)?;
            }
            continue;
        }
        let name = key.split('.').next().unwrap_or_default();
        match identifier {
            Some(known) if known != name => {
                return Err(format!("expected a single top-level field name, found '{known}' and '{name}'"));
            }
            Some(_) => {}
            None => *identifier = Some(name.to_owned()),
        }
    }
    Ok(())
}

fn segment(part: &str, path: &str) -> Result<Segment, String> {
    match part {
        "" => Err(format!("the update path '{path}' contains an empty field name, which is not allowed")),
        "$" => Ok(Segment::Found),
        "$[]" => Ok(Segment::Every),
        _ => match part.strip_prefix("$[").and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => Ok(Segment::Filtered(name.to_owned())),
            None if part.starts_with('$') => {
                Err(format!("the dollar ($) prefixed field '{part}' in '{path}' is not allowed here"))
            }
            None => Ok(Segment::Field(part.to_owned())),
        },
    }
}

/// The place of the element by which the document was found.
fn found(place: &[String], document: &Document, occasion: Occasion<'_>) -> Result<Vec<String>, String> {
    let raw = RawDocumentBuf::try_from(document).map_err(|error| error.to_string())?;
    let first =
        (!occasion.inserting).then(|| first_element(occasion.filter, &raw, &place.join("."))).flatten();
    let first = first.ok_or("the positional operator did not find the match needed from the query")?;
    Ok(vec![first.to_string()])
}

/// The value at a plain path.
fn at<'d>(document: &'d Document, path: &str) -> Option<&'d Bson> {
    let mut keys = path.split('.');
    let mut value = document.get(keys.next()?)?;
    for key in keys {
        value = match value {
            Bson::Document(inner) => inner.get(key)?,
            Bson::Array(elements) => elements.get(key.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}
