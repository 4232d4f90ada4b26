//! What functions answered.

use super::frame::{Frame, Object};
use super::object::{Writer, Written};
use crate::filter::raw;
use crate::graphql::ast::Location;
use crate::graphql::plan::{Form, Resolved, WRAPPED};
use crate::graphql::run::{Answer, Answers, Element};
use crate::rules::Visibility;

impl<'a> Writer<'a, '_> {
    /// The only answer of a root field.
    pub(crate) fn answer(&mut self, plan: &'a Resolved, answers: &'a Answers, location: Location) {
        let start = self.output.body.len();
        let written = match answers.get(0) {
            Some(answer) => self.one_answer((plan, answers), answer, location),
            None => Written::Null,
        };
        self.or_null(start, &written);
    }

    /// What a function computed for this object.
    pub(super) fn computed(&mut self, place: usize, object: &Object<'a>, location: Location) -> Written {
        let plan = object.frame.plan.computed.get(place);
        let computed = object.frame.level.computed.get(place);
        let (Some(plan), Some(computed)) = (plan, computed) else { return Written::Null };
        match computed.of(object.document) {
            Some(answer) => self.one_answer((&plan.resolved, &computed.answers), answer, location),
            None => Written::Null,
        }
    }

    fn one_answer(
        &mut self,
        context: (&'a Resolved, &'a Answers),
        answer: &'a Answer,
        location: Location,
    ) -> Written {
        match answer {
            Answer::Failed(error) => {
                self.error(error.clone().at(location), None);
                Written::Failed
            }
            Answer::One(Element::Misfit) if matches!(context.0.form, Form::Objects) => {
                self.no_answer(context, "list", location)
            }
            Answer::One(element) => self.element(context, *element, location),
            Answer::Many(elements) => {
                self.output.body.push(b'[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        self.output.body.push(b',');
                    }
                    self.nested(index, |writer| writer.element(context, *element, location));
                }
                self.output.body.push(b']');
                Written::Value
            }
        }
    }

    fn element(
        &mut self,
        (plan, answers): (&'a Resolved, &'a Answers),
        element: Element,
        location: Location,
    ) -> Written {
        let level = &answers.level;
        let frame = |index| Frame { plan: &plan.document, level, index };
        match (element, &plan.form) {
            (Element::Null, _) => Written::Null,
            (Element::Object(index), Form::Value(value)) => {
                let wrapped = level.documents.get(index).and_then(|document| raw::get(document, WRAPPED));
                self.value(value, wrapped, Visibility::Whole, (location, frame(index)))
            }
            (Element::Object(index), Form::Object | Form::Objects) => self.document(frame(index)),
            (Element::Misfit, _) => self.no_answer((plan, answers), "object", location),
        }
    }

    /// What the function gave is not what is wanted.
    fn no_answer(
        &mut self,
        (plan, answers): (&'a Resolved, &'a Answers),
        wanted: &str,
        location: Location,
    ) -> Written {
        let frame = Frame { plan: &plan.document, level: &answers.level, index: 0 };
        self.misfit(frame, wanted, location);
        Written::Failed
    }
}
