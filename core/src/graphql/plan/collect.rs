//! Field collection (GraphQL, section 6.3.2).

use std::collections::HashMap;

use crate::graphql::ast::{Condition, FieldNode, SelectionNode, ValueNode};
use crate::graphql::error::{GraphqlError, code};

/// A response key with everything that is selected under it.
#[derive(Debug)]
pub(crate) struct Collected<'n> {
    /// The first field with that key; validation has seen that the others ask the same.
    pub(crate) node: &'n FieldNode,
    /// The selections of all of them.
    pub(crate) selections: Vec<&'n [SelectionNode]>,
}

/// Values of the variables in `@skip` and `@include`; `None` is a null, which a default lets in (GraphQL, section
/// 5.8.5).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switches<'n> {
    pub(crate) names: &'n [String],
    pub(crate) values: &'n [Option<bool>],
}

/// The fields that an object of this type answers, in order, each key once.
///
/// # Errors
/// The error of the object's field, where a condition is null: a non-null argument must raise one.
pub(crate) fn collect<'n>(
    groups: &[&'n [SelectionNode]],
    type_name: &str,
    switches: Switches<'_>,
) -> Result<Vec<Collected<'n>>, GraphqlError> {
    let mut collection = Collection { found: Vec::new(), places: HashMap::new(), type_name, switches };
    for group in groups {
        collection.add(group)?;
    }
    Ok(collection.found)
}

struct Collection<'n, 's> {
    found: Vec<Collected<'n>>,
    places: HashMap<&'n str, usize>,
    type_name: &'s str,
    switches: Switches<'s>,
}

impl<'n> Collection<'n, '_> {
    fn add(&mut self, selections: &'n [SelectionNode]) -> Result<(), GraphqlError> {
        for selection in selections {
            match selection {
                SelectionNode::Field(field) => {
                    let passes = self.switches.let_through(&field.conditions);
                    if passes.map_err(|error| error.at(field.location))? {
                        self.add_field(field);
                    }
                }
                SelectionNode::Fragment { on, conditions, selections } => {
                    if self.switches.let_through(conditions)?
                        && on.as_deref().is_none_or(|on| on == self.type_name)
                    {
                        self.add(selections)?;
                    }
                }
            }
        }
        Ok(())
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
    /// `@skip` is asked first: what it leaves out is not asked for `@include`.
    fn let_through(&self, conditions: &[Condition]) -> Result<bool, GraphqlError> {
        for wanted in [false, true] {
            for condition in conditions.iter().filter(|condition| condition.wanted == wanted) {
                if self.value(condition)? != wanted {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn value(&self, condition: &Condition) -> Result<bool, GraphqlError> {
        let (name, value) = match &condition.value {
            ValueNode::Boolean(value) => return Ok(*value),
            ValueNode::Variable(name) => {
                let place = self.names.iter().position(|known| known == name);
                (name.as_str(), place.and_then(|place| *self.values.get(place)?))
            }
            _ => ("", None),
        };
        value.ok_or_else(|| {
            let message = format!("variable `${name}`: a directive's condition must be a boolean");
            GraphqlError::new(code::BAD_INPUT, message)
        })
    }
}
