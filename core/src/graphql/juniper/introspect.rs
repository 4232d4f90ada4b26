//! `__schema` and `__type`: printed back into a document, run by juniper, kept as bytes.
//!
//! 1. What is printed has no variables and no directives: both are settled while printing, so juniper's
//!    own evaluation of them is never reached.
//! 2. Fields under one response key are merged (GraphQL, section 6.3.2): their selections are one.
//! 3. Answers are kept by the text that was run; the store is emptied when it is full.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use juniper::{ValidatedOperation, Variables};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Root;
use crate::graphql::ast::{Condition, FieldNode, SelectionNode, ValueNode};
use crate::graphql::error::{GraphqlError, code};

/// A response key and its JSON.
pub(crate) type Answer = (String, Arc<RawValue>);

const MOST_ANSWERS: usize = 64;
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Answers by the document that gave them.
#[derive(Default)]
pub(super) struct Answers(Mutex<(usize, HashMap<String, Arc<RawValue>>)>);

impl Answers {
    fn get(&self, text: &str) -> Option<Arc<RawValue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.get(text).cloned()
    }

    fn put(&self, text: String, answer: &Arc<RawValue>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = text.len() + answer.get().len();
        if size > MOST_BYTES {
            return;
        }
        if held.1.len() >= MOST_ANSWERS || held.0 + size > MOST_BYTES {
            *held = (0, HashMap::new());
        }
        held.0 += size;
        held.1.insert(text, Arc::clone(answer));
    }
}

/// Answers introspection fields of the query root, in order of their first appearance.
pub(super) fn answer(
    root: &Root,
    answers: &Answers,
    fields: &[FieldNode],
    variables: &Map<String, Value>,
) -> Result<Vec<Answer>, Vec<GraphqlError>> {
    let mut merged: Vec<FieldNode> = Vec::new();
    for field in fields {
        if !passes(&field.conditions, variables).map_err(|error| vec![error])? {
            continue;
        }
        match merged.iter_mut().find(|known| known.response_key == field.response_key) {
            Some(known) => known.selections.extend(field.selections.iter().cloned()),
            None => merged.push(field.clone()),
        }
    }
    merged
        .iter()
        .map(|field| Ok((field.response_key.clone(), one(root, answers, field, variables)?)))
        .collect()
}

fn one(
    root: &Root,
    answers: &Answers,
    field: &FieldNode,
    variables: &Map<String, Value>,
) -> Result<Arc<RawValue>, Vec<GraphqlError>> {
    let mut text = String::from("{");
    print_field(&mut text, field, true, variables).map_err(|error| vec![error.at(field.location)])?;
    text.push('}');
    if let Some(known) = answers.get(&text) {
        return Ok(known);
    }
    let failed = |why: &dyn std::fmt::Display| {
        tracing::error!(%why, "introspection failed");
        vec![GraphqlError::new(code::INTERNAL, "introspection failed").at(field.location)]
    };
    let (data, errors) = ValidatedOperation::new(&text, None, root)
        .and_then(|operation| operation.execute_sync(&Variables::new(), &()))
        .map_err(|error| failed(&error))?;
    if let Some(error) = errors.first() {
        return Err(failed(&error.error().message()));
    }
    let value = data.as_object_value().and_then(|object| object.get_field_value(&field.name));
    let value: Arc<RawValue> =
        serde_json::value::to_raw_value(&value).map_err(|error| failed(&error))?.into();
    answers.put(text, &value);
    Ok(value)
}

fn print_selections(
    text: &mut String,
    selections: &[SelectionNode],
    variables: &Map<String, Value>,
) -> Result<(), GraphqlError> {
    text.push('{');
    // Never an empty set, whatever the conditions leave; juniper leaves the fragment out of the answer.
    text.push_str("...@skip(if:true){__typename}");
    for selection in selections {
        match selection {
            SelectionNode::Field(field) if passes(&field.conditions, variables)? => {
                print_field(text, field, false, variables)?;
            }
            SelectionNode::Fragment { on, conditions, selections } if passes(conditions, variables)? => {
                text.push_str("...");
                if let Some(on) = on {
                    text.push_str("on ");
                    text.push_str(on);
                }
                print_selections(text, selections, variables)?;
            }
            SelectionNode::Field(_) | SelectionNode::Fragment { .. } => {}
        }
    }
    text.push('}');
    Ok(())
}

/// A root field is printed without its alias, so that its answer can be found and shared.
fn print_field(
    text: &mut String,
    field: &FieldNode,
    is_root: bool,
    variables: &Map<String, Value>,
) -> Result<(), GraphqlError> {
    if !is_root && field.response_key != field.name {
        text.push_str(&field.response_key);
        text.push(':');
    }
    text.push_str(&field.name);
    text.push(' ');
    if !field.arguments.is_empty() {
        text.push('(');
        for (name, value) in &field.arguments {
            if let Some(value) = resolve(value, variables) {
                // The arguments of introspection are strings and booleans, which JSON writes alike.
                let _ = write!(text, "{name}:{value} ");
            }
        }
        // Every argument was an absent variable.
        if text.ends_with('(') {
            text.pop();
        } else {
            text.push(')');
        }
    }
    if !field.selections.is_empty() {
        print_selections(text, &field.selections, variables)?;
    }
    Ok(())
}

fn resolve(value: &ValueNode, variables: &Map<String, Value>) -> Option<Value> {
    match value {
        ValueNode::Variable(name) => variables.get(name).cloned(),
        ValueNode::String(text) => Some(Value::String(text.clone())),
        ValueNode::Boolean(truth) => Some(Value::Bool(*truth)),
        _ => Some(Value::Null),
    }
}

fn passes(conditions: &[Condition], variables: &Map<String, Value>) -> Result<bool, GraphqlError> {
    for condition in conditions {
        match resolve(&condition.value, variables) {
            Some(Value::Bool(truth)) if truth == condition.wanted => {}
            Some(Value::Bool(_)) => return Ok(false),
            _ => return Err(GraphqlError::request(code::BAD_INPUT, "a condition must be true or false")),
        }
    }
    Ok(true)
}
