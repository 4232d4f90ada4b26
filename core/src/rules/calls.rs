//! Rules whose functions are not there.
//!
//! A rule that cannot be judged must not be passed over: its role is closed, or the collection where a filter calls it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::expr::Expression;
use super::role::{CollectionRules, FieldRule, Grants, Role};
use crate::report::Report;

impl CollectionRules {
    /// Closes what calls a function that is not there, and reports it.
    pub(crate) fn close_without(&mut self, has: &dyn Fn(&str) -> bool, file: &str, report: &mut Report) {
        for (index, role) in self.roles.iter_mut().enumerate() {
            let Some(function) = role.missing(has) else { continue };
            let message = format!("there is no function `{function}`: role `{}` is closed", role.name);
            report.error(file, &format!("/roles/{index}"), message);
            // What it applies to is not known either.
            if role.apply_when.missing(has).is_some() {
                role.apply_when = Expression::Constant(true);
            }
            role.grants = None;
        }
        for (index, filter) in self.filters.iter().enumerate() {
            let missing = filter.apply_when.missing(has).or_else(|| filter.query.missing(has));
            if let Some(function) = missing {
                let message = format!("there is no function `{function}`: the collection is closed");
                report.error(file, &format!("/filters/{index}"), message);
                *self = Self::closed();
                return;
            }
        }
    }
}

impl Role {
    fn missing(&self, has: &dyn Fn(&str) -> bool) -> Option<Arc<str>> {
        let mut found = self.apply_when.missing(has);
        if let Some(grants) = &self.grants {
            grants.each_expression(&mut |expression| {
                found = found.take().or_else(|| expression.missing(has));
            });
        }
        found
    }
}

impl Grants {
    /// Visits every expression.
    pub(crate) fn each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        let own = [
            &self.read_gate,
            &self.write_gate,
            &self.read,
            &self.write,
            &self.insert,
            &self.delete,
            &self.search,
        ];
        own.into_iter().flatten().for_each(&mut *visit);
        each_of_fields(&self.fields, visit);
        self.additional.each_expression(visit);
    }
}

impl FieldRule {
    fn each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        [&self.read, &self.write].into_iter().flatten().for_each(&mut *visit);
        each_of_fields(&self.fields, visit);
    }
}

fn each_of_fields(fields: &BTreeMap<String, FieldRule>, visit: &mut dyn FnMut(&Expression)) {
    fields.values().for_each(|field| field.each_expression(visit));
}

impl Expression {
    /// The first function that it calls and that is not there.
    pub(super) fn missing(&self, has: &dyn Fn(&str) -> bool) -> Option<Arc<str>> {
        let mut found = None;
        self.each_call(&mut |name| {
            if !has(name) {
                found.get_or_insert_with(|| Arc::clone(name));
            }
        });
        found
    }
}
