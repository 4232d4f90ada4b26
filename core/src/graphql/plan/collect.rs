//! Field collection (GraphQL, section 6.3.2).

use std::collections::HashMap;

use crate::graphql::ast::{Condition, FieldNode, SelectionNode, ValueNode};

/// A response key with everything that is selected under it.
#[derive(Debug)]
pub(crate) struct Collected<'n> {
    /// The first field with that key; validation has seen that the others ask the same.
    pub(crate) node: &'n FieldNode,
    /// The selections of all of them.
    pub(crate) selections: Vec<&'n [SelectionNode]>,
}

/// Values of the variables in `@skip` and `@include`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switches<'n> {
    pub(crate) names: &'n [String],
    pub(crate) values: &'n [bool],
}

/// The fields that an object of this type answers, in order, each key once.
pub(crate) fn collect<'n>(
    groups: &[&'n [SelectionNode]],
    type_name: &str,
    switches: Switches<'_>,
) -> Vec<Collected<'n>> {
    let mut collection = Collection { found: Vec::new(), places: HashMap::new(), type_name, switches };
    for group in groups {
        collection.add(group);
    }
    collection.found
}

struct Collection<'n, 's> {
    found: Vec<Collected<'n>>,
    places: HashMap<&'n str, usize>,
    type_name: &'s str,
    switches: Switches<'s>,
}

impl<'n> Collection<'n, '_> {
    fn add(&mut self, selections: &'n [SelectionNode]) {
        for selection in selections {
            match selection {
                SelectionNode::Field(field) if self.switches.let_through(&field.conditions) => {
                    self.add_field(field);
                }
                SelectionNode::Fragment { on, conditions, selections }
                    if on.as_deref().is_none_or(|on| on == self.type_name)
                        && self.switches.let_through(conditions) =>
                {
                    self.add(selections);
                }
                SelectionNode::Field(_) | SelectionNode::Fragment { .. } => {}
            }
        }
    }

    fn add_field(&mut self, field: &'n FieldNode) {
        let next = self.found.len();
        let place = *self.places.entry(&field.response_key).or_insert(next);
        match self.found.get_mut(place) {
            Some(known) => known.selections.push(&field.selections),
            None => self.found.push(Collected { node: field, selections: vec![&field.selections] }),
        }
    }
}

impl Switches<'_> {
    fn let_through(&self, conditions: &[Condition]) -> bool {
        conditions.iter().all(|condition| {
            let value = match &condition.value {
                ValueNode::Boolean(value) => Some(*value),
                ValueNode::Variable(name) => {
                    let place = self.names.iter().position(|known| known == name);
                    place.and_then(|place| self.values.get(place)).copied()
                }
                _ => None,
            };
            value == Some(condition.wanted)
        })
    }
}
