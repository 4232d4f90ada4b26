//! Walks a document beside its schema.

use std::collections::HashSet;

use bson::{Bson, RawArray, RawBsonRef, RawDocument};

use super::node::{Combined, Dependency, Lists, Node, Numbers, Objects, Texts, Type};
use super::types::{is_of, name_of};
use super::{NullHandling, Violation};
use crate::filter::{self, Direction};
use crate::schema::BsonType;

type Checked = Result<(), Violation>;

/// A check of one document.
pub(super) struct Check<'a> {
    nulls: NullHandling,
    path: Vec<Segment<'a>>,
}

enum Segment<'a> {
    Field(&'a str),
    Index(usize),
}

impl<'a> Check<'a> {
    pub(super) fn new(nulls: NullHandling) -> Self {
        Self { nulls, path: Vec::new() }
    }

    pub(super) fn document(&mut self, node: &'a Node, document: &'a RawDocument) -> Checked {
        self.value(node, RawBsonRef::Document(document))
    }

    fn value(&mut self, node: &'a Node, value: RawBsonRef<'a>) -> Checked {
        if let Some(types) = &node.types
            && !types.iter().any(|one| is_of(*one, value))
        {
            return Err(self.wrong_type(types));
        }
        match (value, &node.objects, &node.lists) {
            (RawBsonRef::Document(document), Some(objects), _) => self.object(objects, document)?,
            (RawBsonRef::Array(array), _, Some(lists)) => self.array(lists, array)?,
            _ => {}
        }
        self.values(node, value)?;
        match (value, &node.texts, &node.numbers) {
            (RawBsonRef::String(text), Some(texts), _) => self.text(texts, text)?,
            (
                RawBsonRef::Int32(_)
                | RawBsonRef::Int64(_)
                | RawBsonRef::Double(_)
                | RawBsonRef::Decimal128(_),
                _,
                Some(numbers),
            ) => self.number(numbers, &self.owned(value)?)?,
            _ => {}
        }
        match &node.combined {
            Some(combined) => self.combined(combined, value),
            None => Ok(()),
        }
    }

    fn values(&self, node: &Node, value: RawBsonRef<'a>) -> Checked {
        if node.one_of.is_none() && node.constant.is_none() {
            return Ok(());
        }
        let given = self.owned(value)?;
        if node.one_of.as_ref().is_some_and(|allowed| !allowed.iter().any(|one| filter::equal(one, &given))) {
            return Err(self.violation("enum", "the value is not one of those allowed"));
        }
        if node.constant.as_ref().is_some_and(|constant| !filter::equal(constant, &given)) {
            return Err(self.violation("const", "the value is not the one that is allowed"));
        }
        Ok(())
    }

    fn object(&mut self, objects: &'a Objects, document: &'a RawDocument) -> Checked {
        let mut seen = HashSet::new();
        for element in document {
            let Ok((name, value)) = element else {
                return Err(self.violation("bsonType", "the document cannot be read"));
            };
            seen.insert(name.as_str());
            self.member(objects, name.as_str(), value)?;
        }
        if let Some(missing) = objects.required.iter().find(|required| !seen.contains(required.as_str())) {
            return Err(self.violation("required", format!("the field `{missing}` is missing")));
        }
        let count = seen.len() as u64;
        if let Some(least) = objects.min.filter(|least| count < *least) {
            return Err(
                self.violation("minProperties", format!("the object must have at least {least} fields"))
            );
        }
        if let Some(most) = objects.max.filter(|most| count > *most) {
            return Err(
                self.violation("maxProperties", format!("the object must have at most {most} fields"))
            );
        }
        for (name, dependency) in objects.dependencies.iter().filter(|(name, _)| seen.contains(name.as_str()))
        {
            match dependency {
                Dependency::Properties(needed) => {
                    if let Some(missing) = needed.iter().find(|needed| !seen.contains(needed.as_str())) {
                        let message = format!("with the field `{name}` the field `{missing}` is needed");
                        return Err(self.violation("dependencies", message));
                    }
                }
                Dependency::Schema(node) => self.value(node, RawBsonRef::Document(document))?,
            }
        }
        Ok(())
    }

    fn member(&mut self, objects: &'a Objects, name: &'a str, value: RawBsonRef<'a>) -> Checked {
        let is_id = self.path.is_empty() && name == "_id";
        self.path.push(Segment::Field(name));
        let mut known = false;
        if let Some((_, node)) = objects.properties.iter().find(|(known, _)| known == name) {
            known = true;
            let optional = !objects.required.iter().any(|required| required == name);
            let is_allowed_null =
                value == RawBsonRef::Null && optional && self.nulls == NullHandling::AllowedWhereOptional;
            if !is_allowed_null {
                self.value(node, value)?;
            }
        }
        if !is_id {
            for (_, node) in objects.patterns.iter().filter(|(pattern, _)| pattern.matches(name)) {
                known = true;
                self.value(node, value)?;
            }
            if let Some(names) = &objects.names {
                self.name(names, name)?;
            }
            match &objects.others {
                Some(node) if !known => self.value(node, value)?,
                None if !known && objects.closed => {
                    return Err(self.violation("additionalProperties", "the field is not in the schema"));
                }
                _ => {}
            }
        }
        self.path.pop();
        Ok(())
    }

    fn name(&self, names: &Node, name: &str) -> Checked {
        let Ok(text) = bson::RawDocumentBuf::try_from(&bson::doc! { "": name }) else { return Ok(()) };
        let Ok(Some(value)) = text.get("") else { return Ok(()) };
        match Check::new(self.nulls).value(names, value) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.violation("propertyNames", "the field may not be called so")),
        }
    }

    fn array(&mut self, lists: &'a Lists, array: &'a RawArray) -> Checked {
        let mut count = 0_usize;
        let mut contains = lists.contains.is_none();
        let mut keys = HashSet::new();
        for element in array {
            let Ok(value) = element else {
                return Err(self.violation("bsonType", "the array cannot be read"));
            };
            let beyond = if lists.places.is_empty() { None } else { lists.others.as_ref() };
            let node = lists.places.get(count).or(beyond).or(lists.items.as_ref());
            if let Some(node) = node {
                self.path.push(Segment::Index(count));
                self.value(node, value)?;
                self.path.pop();
            }
            count += 1;
            contains = contains || lists.contains.as_ref().is_none_or(|node| self.fits(node, value));
            // Keys are equal exactly when the values are: no pairwise comparison of a long list.
            if lists.unique && !keys.insert(filter::key::encode(&self.owned(value)?, Direction::Ascending)) {
                return Err(self.violation("uniqueItems", "the list has an element twice"));
            }
        }
        let count = count as u64;
        if let Some(least) = lists.min.filter(|least| count < *least) {
            return Err(self.violation("minItems", format!("the list must have at least {least} elements")));
        }
        if let Some(most) = lists.max.filter(|most| count > *most) {
            return Err(self.violation("maxItems", format!("the list must have at most {most} elements")));
        }
        if !contains {
            return Err(self.violation("contains", "the list has no element of the kind that it must have"));
        }
        Ok(())
    }

    fn number(&self, numbers: &Numbers, number: &Bson) -> Checked {
        if let Some((minimum, exclusive)) = numbers.minimum {
            let order = filter::compare(number, &Bson::Double(minimum));
            if order.is_lt() || (exclusive && order.is_eq()) {
                let word = if exclusive { "more than" } else { "at least" };
                return Err(self.violation("minimum", format!("the number must be {word} {minimum}")));
            }
        }
        if let Some((maximum, exclusive)) = numbers.maximum {
            let order = filter::compare(number, &Bson::Double(maximum));
            if order.is_gt() || (exclusive && order.is_eq()) {
                let word = if exclusive { "less than" } else { "at most" };
                return Err(self.violation("maximum", format!("the number must be {word} {maximum}")));
            }
        }
        match &numbers.multiple_of {
            Some(multiple) if !multiple.divides(number) => {
                let message = format!("the number must be a multiple of {}", multiple.shown());
                Err(self.violation("multipleOf", message))
            }
            _ => Ok(()),
        }
    }

    fn text(&self, texts: &Texts, text: &str) -> Checked {
        if texts.min.is_some() || texts.max.is_some() {
            let length = text.chars().count() as u64;
            if let Some(least) = texts.min.filter(|least| length < *least) {
                let message = format!("the text must have at least {least} characters");
                return Err(self.violation("minLength", message));
            }
            if let Some(most) = texts.max.filter(|most| length > *most) {
                return Err(
                    self.violation("maxLength", format!("the text must have at most {most} characters"))
                );
            }
        }
        if texts.pattern.as_ref().is_some_and(|pattern| !pattern.matches(text)) {
            return Err(self.violation("pattern", "the text does not match the pattern"));
        }
        if texts.format.is_some_and(|format| !format.matches(text)) {
            return Err(self.violation("format", "the text is not of the format"));
        }
        Ok(())
    }

    fn combined(&mut self, combined: &'a Combined, value: RawBsonRef<'a>) -> Checked {
        for node in &combined.all {
            self.value(node, value)?;
        }
        if let Some(nodes) = &combined.any
            && !nodes.iter().any(|node| self.fits(node, value))
        {
            return Err(self.violation("anyOf", "the value fits none of the schemas"));
        }
        if let Some(nodes) = &combined.one {
            let fitting = nodes.iter().filter(|node| self.fits(node, value)).count();
            if fitting != 1 {
                let message = format!("the value fits {fitting} of the schemas and must fit one");
                return Err(self.violation("oneOf", message));
            }
        }
        if combined.not.as_ref().is_some_and(|node| self.fits(node, value)) {
            return Err(self.violation("not", "the value fits the schema that it must not"));
        }
        let Some((condition, then, otherwise)) = &combined.condition else { return Ok(()) };
        let next = if self.fits(condition, value) { then } else { otherwise };
        next.as_ref().map_or(Ok(()), |node| self.value(node, value))
    }

    /// Whether a value fits, of which nothing is told.
    fn fits(&mut self, node: &'a Node, value: RawBsonRef<'a>) -> bool {
        let depth = self.path.len();
        let fits = self.value(node, value).is_ok();
        self.path.truncate(depth);
        fits
    }

    fn owned(&self, value: RawBsonRef<'_>) -> Result<Bson, Violation> {
        Bson::try_from(value).map_err(|_| self.violation("bsonType", "the value cannot be read"))
    }

    fn wrong_type(&self, types: &[Type]) -> Violation {
        let mut beside_null = types.iter().filter(|one| **one != Type::Scalar(BsonType::Null));
        let message = match (beside_null.next(), beside_null.next()) {
            (Some(Type::Object), None) => "the value must be an object".to_owned(),
            (Some(Type::Array), None) => "the value must be an array".to_owned(),
            (Some(Type::Scalar(scalar)), None) => format!("the value must be of type `{}`", name_of(*scalar)),
            (Some(_), Some(_)) => "the value must be of one of the types in the list".to_owned(),
            (None, _) if types.is_empty() => return self.violation("false", "there may be no value"),
            (None, _) => "the value must be of type `null`".to_owned(),
        };
        self.violation("bsonType", message)
    }

    fn violation(&self, keyword: &'static str, message: impl Into<String>) -> Violation {
        let segments = self.path.iter().map(|segment| match segment {
            Segment::Field(name) => (*name).to_owned(),
            Segment::Index(index) => index.to_string(),
        });
        Violation { path: segments.collect::<Vec<_>>().join("."), keyword, message: message.into() }
    }
}
