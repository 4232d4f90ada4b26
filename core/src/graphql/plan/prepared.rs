//! An operation and the variables that decide about its shape.

use crate::graphql::ast::{Condition, OperationNode, SelectionNode, ValueNode};
use crate::graphql::coerce::{Input, Variables};

/// A validated operation, before it is planned.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) operation: OperationNode,
    /// The variables in `@skip` and `@include`.
    pub(crate) switches: Vec<String>,
}

impl Prepared {
    pub(crate) fn new(operation: OperationNode) -> Self {
        let mut switches = Vec::new();
        note_switches(&operation.selections, &mut switches);
        Self { operation, switches }
    }

    /// The values of the variables in `@skip` and `@include`.
    ///
    /// A variable with a default may stand there and still be given as null: that is none.
    pub(crate) fn switch_values(&self, variables: &Variables) -> Vec<Option<bool>> {
        let value = |name: &String| match variables.get(name) {
            Some(Input::Scalar(bson::Bson::Boolean(value))) => Some(*value),
            _ => None,
        };
        self.switches.iter().map(value).collect()
    }
}

fn note_switches(selections: &[SelectionNode], switches: &mut Vec<String>) {
    for selection in selections {
        let (conditions, below) = match selection {
            SelectionNode::Field(field) => (&field.conditions, &field.selections),
            SelectionNode::Fragment { conditions, selections, .. } => (conditions, selections),
        };
        for Condition { value, .. } in conditions {
            if let ValueNode::Variable(name) = value
                && !switches.contains(name)
            {
                switches.push(name.clone());
            }
        }
        note_switches(below, switches);
    }
}

#[cfg(test)]
impl Default for Prepared {
    fn default() -> Self {
        let kind = crate::graphql::ast::OperationKind::Query;
        Self::new(OperationNode { kind, variables: Vec::new(), selections: Vec::new() })
    }
}
