//! Documents and their fields.

use bson::{RawArray, RawBsonRef, RawDocument};

use super::frame::{Frame, Object};
use super::json;
use super::layout::Layout;
use super::output::Output;
use super::scalar::scalar;
use crate::filter::raw;
use crate::graphql::ast::Location;
use crate::graphql::catalog::Scalar;
use crate::graphql::error::{GraphqlError, PathSegment, code};
use crate::graphql::plan::{Content, DocumentPlan, SelectedField, Selection, ValuePlan};
use crate::graphql::run::Level;
use crate::rules::Visibility;

/// Writes documents of one root field.
#[derive(Debug)]
pub(crate) struct Writer<'a, 'o> {
    pub(super) output: &'o mut Output,
    path: Vec<Step<'a>>,
    /// The values found in the documents that are being written, outermost first.
    slots: Vec<Option<raw::Element<'a>>>,
    layouts: Vec<Layout<'a>>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Bytes by which a document may be longer than the first one.
const ROOM: usize = 16;
/// Bytes that are reserved at once.
const MOST_RESERVED: usize = 1 << 20;

/// What came of writing a value.
pub(super) enum Written {
    Value,
    /// There is none; nothing was written.
    Null,
    /// An error is noted; what was written of it has to go.
    Failed,
}

impl<'a, 'o> Writer<'a, 'o> {
    pub(crate) fn new(output: &'o mut Output, root_key: &'a str) -> Self {
        Self { output, path: vec![Step::Key(root_key)], slots: Vec::new(), layouts: Vec::new() }
    }

    /// A list of all documents of the level.
    pub(crate) fn list(&mut self, plan: &'a DocumentPlan, level: &'a Level) {
        self.documents(plan, level, 0..level.documents.len());
    }

    /// The level's first document, or null.
    pub(crate) fn first(&mut self, plan: &'a DocumentPlan, level: &'a Level) {
        let start = self.output.body.len();
        let written = self.document(Frame { plan, level, index: 0 });
        self.or_null(start, &written);
    }

    fn documents(
        &mut self,
        plan: &'a DocumentPlan,
        level: &'a Level,
        indexes: impl ExactSizeIterator<Item = usize>,
    ) {
        let (first, count) = (self.output.body.len(), indexes.len());
        self.output.body.push(b'[');
        for (place, index) in indexes.enumerate() {
            if place > 0 {
                self.output.body.push(b',');
            }
            if place == 1 {
                // The first document tells what room the others will need.
                let length = self.output.body.len() - first + ROOM;
                self.output.body.reserve(length.saturating_mul(count).min(MOST_RESERVED));
            }
            self.nested(place, |writer| writer.document(Frame { plan, level, index }));
        }
        self.output.body.push(b']');
    }

    pub(super) fn document(&mut self, frame: Frame<'a>) -> Written {
        let Some(document) = frame.level.documents.get(frame.index) else { return Written::Null };
        let seen = frame.level.visibility(document);
        if matches!(seen, Visibility::Hidden) {
            return Written::Null;
        }
        if let Some(why) = frame.level.misfit(frame.index) {
            let message = format!("the document does not fit its schema: {why}");
            self.error(GraphqlError::new(code::SCHEMA_READ, message), None);
            return Written::Failed;
        }
        self.object(&frame.plan.selection, document, seen, frame)
    }

    fn object(
        &mut self,
        selection: &'a Selection,
        document: &'a RawDocument,
        seen: Visibility<'a>,
        frame: Frame<'a>,
    ) -> Written {
        if let Some(refused) = &selection.refused {
            self.error(refused.clone(), None);
            return Written::Failed;
        }
        let base = self.slots.len();
        self.slots.resize(base + selection.slots.len(), None);
        self.fill(base, selection, document);
        let object = Object { selection, document, base, seen, frame };
        self.output.body.push(b'{');
        let mut written = Written::Value;
        for (place, field) in selection.fields.iter().enumerate() {
            if place > 0 {
                self.output.body.push(b',');
            }
            self.output.body.extend_from_slice(&field.label);
            let start = self.output.body.len();
            let outcome = self.field(field, &object);
            if !matches!(outcome, Written::Value) && field.required {
                if matches!(outcome, Written::Null) {
                    self.note(field, frame.misfit(), "a required field has no value");
                }
                written = Written::Failed;
                break;
            }
            self.or_null(start, &outcome);
        }
        self.output.body.push(b'}');
        self.slots.truncate(base);
        written
    }

    fn fill(&mut self, base: usize, selection: &'a Selection, document: &'a RawDocument) {
        let Some(slots) = self.slots.get_mut(base..) else { return };
        match self.layouts.iter_mut().find(|layout| layout.is_of(selection)) {
            Some(layout) => layout.fill(slots, document),
            None => {
                let mut layout = Layout::new(selection);
                layout.fill(slots, document);
                self.layouts.push(layout);
            }
        }
    }

    fn field(&mut self, field: &'a SelectedField, object: &Object<'a>) -> Written {
        let frame = object.frame;
        match &field.content {
            Content::Typename(name) => {
                self.output.body.extend_from_slice(name);
                Written::Value
            }
            Content::Stored { slot, value } => {
                let below = object.seen.field(object.selection.slots.key(*slot));
                if matches!(below, Visibility::Hidden) {
                    return self.hidden(field);
                }
                let found = self.slots.get(object.base + slot).copied().flatten();
                if let (ValuePlan::Scalar(kind), Some(found)) = (value, found) {
                    return self.scalar(*kind, (found, object.document), field, frame);
                }
                let found = found.and_then(|found| found.value(object.document));
                self.path.push(Step::Key(&field.key));
                let written = self.value(value, found, below, (field.location, frame));
                self.path.pop();
                written
            }
            Content::Relation { place, stored } => {
                if matches!(object.seen.field(stored), Visibility::Hidden) {
                    return self.hidden(field);
                }
                self.path.push(Step::Key(&field.key));
                let written = self.related(*place, frame);
                self.path.pop();
                written
            }
            Content::Computed { place } => {
                self.path.push(Step::Key(&field.key));
                let written = self.computed(*place, object, field.location);
                self.path.pop();
                written
            }
        }
    }

    fn related(&mut self, place: usize, frame: Frame<'a>) -> Written {
        let plan = frame.plan.relations.get(place);
        let related = frame.level.relations.get(place);
        let (Some(plan), Some(related)) = (plan, related) else { return Written::Null };
        let Some(targets) = related.of(frame.index) else { return Written::Null };
        let indexes = targets.iter().map(|index| *index as usize);
        if plan.relation.is_list {
            self.documents(&plan.document, &related.level, indexes);
            return Written::Value;
        }
        match targets.first() {
            Some(index) => {
                self.document(Frame { plan: &plan.document, level: &related.level, index: *index as usize })
            }
            None => Written::Null,
        }
    }

    fn scalar(
        &mut self,
        kind: Scalar,
        (element, document): (raw::Element<'a>, &'a RawDocument),
        field: &'a SelectedField,
        frame: Frame<'a>,
    ) -> Written {
        if kind == Scalar::String
            && element.string_bytes().is_some_and(|text| json::bytes(&mut self.output.body, text))
        {
            return Written::Value;
        }
        let Some(value) = element.value(document) else { return Written::Null };
        if scalar(&mut self.output.body, kind, value) {
            return Written::Value;
        }
        if is_null(value) {
            return Written::Null;
        }
        self.note(field, frame.misfit(), &frame.no(kind.name()));
        Written::Failed
    }

    /// A value at the path that the writer stands at.
    pub(super) fn value(
        &mut self,
        plan: &'a ValuePlan,
        value: Option<RawBsonRef<'a>>,
        seen: Visibility<'a>,
        (location, frame): (Location, Frame<'a>),
    ) -> Written {
        let Some(value) = value.filter(|value| !is_null(*value)) else { return Written::Null };
        let wanted = match (plan, value) {
            (ValuePlan::Scalar(kind), value) => {
                if scalar(&mut self.output.body, *kind, value) {
                    return Written::Value;
                }
                kind.name()
            }
            (ValuePlan::Object(selection), RawBsonRef::Document(inner)) => {
                if seen.hides_all_of(inner) {
                    return Written::Null;
                }
                return self.object(selection, inner, seen, frame);
            }
            (ValuePlan::List(item), RawBsonRef::Array(array)) => {
                self.array(item, array, seen, (location, frame));
                return Written::Value;
            }
            (ValuePlan::Object(_), _) => "object",
            (ValuePlan::List(_), _) => "list",
        };
        self.misfit(frame, wanted, location);
        Written::Failed
    }

    /// Notes that a value is not what is wanted.
    pub(super) fn misfit(&mut self, frame: Frame<'a>, wanted: &str, location: Location) {
        self.error(GraphqlError::new(frame.misfit(), frame.no(wanted)).at(location), None);
    }

    fn array(
        &mut self,
        item: &'a ValuePlan,
        array: &'a RawArray,
        seen: Visibility<'a>,
        context: (Location, Frame<'a>),
    ) {
        self.output.body.push(b'[');
        for (index, element) in array.into_iter().map_while(Result::ok).enumerate() {
            if index > 0 {
                self.output.body.push(b',');
            }
            self.nested(index, |writer| writer.value(item, Some(element), seen, context));
        }
        self.output.body.push(b']');
    }

    /// An element of a list, which is null where it cannot be written.
    pub(super) fn nested(&mut self, index: usize, write: impl FnOnce(&mut Self) -> Written) {
        self.path.push(Step::Index(index));
        let start = self.output.body.len();
        let written = write(self);
        self.or_null(start, &written);
        self.path.pop();
    }

    /// Null in the place of what has failed or is not there; the place allows it.
    pub(super) fn or_null(&mut self, start: usize, written: &Written) {
        if !matches!(written, Written::Value) {
            self.output.body.truncate(start);
            self.output.body.extend_from_slice(b"null");
        }
    }

    fn hidden(&mut self, field: &'a SelectedField) -> Written {
        if !field.required {
            return Written::Null;
        }
        self.note(field, code::FIELD_NOT_READABLE, &format!("field `{}` may not be read", field.key));
        Written::Failed
    }

    fn note(&mut self, field: &'a SelectedField, code: &'static str, message: &str) {
        self.error(GraphqlError::new(code, message).at(field.location), Some(&field.key));
    }

    /// Notes an error at the path that the writer stands at, or at a key below it.
    pub(super) fn error(&mut self, mut error: GraphqlError, key: Option<&str>) {
        let steps = self.path.iter().map(|step| match step {
            Step::Key(key) => PathSegment::Key((*key).to_owned()),
            Step::Index(index) => PathSegment::Index(*index),
        });
        error.path = steps.chain(key.map(|key| PathSegment::Key(key.to_owned()))).collect();
        self.output.error(error);
    }
}

fn is_null(value: RawBsonRef<'_>) -> bool {
    matches!(value, RawBsonRef::Null | RawBsonRef::Undefined)
}
