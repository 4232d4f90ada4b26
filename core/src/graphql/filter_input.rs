//! Query inputs to filters.
//!
//! 1. Sibling fields are joined by AND. `AND: []` matches everything, `OR: []` nothing.
//! 2. Comparison is MongoDB's: `f_ne` and `f_nin` also match a missing field, `f: null` null and missing.
//! 3. `f_exists: true` is present and not null, `false` is null or missing.
//! 4. Embedded objects are asked by dotted paths; arrays of them element by element.
//! 5. Conditions on related documents stay [`Ask::Related`] until they are resolved against the store.

use std::sync::Arc;

use bson::Bson;

use super::catalog::{Catalog, InputIndex, InputObject, InputType, Meaning, QueryOperator, Relation};
use super::coerce::Input;
use super::error::{GraphqlError, code};
use crate::filter::{Comparison, FieldPath, Filter, Test};

/// A filter that may still have conditions on related documents in it.
#[derive(Debug)]
pub(crate) enum Ask {
    Ready(Filter),
    And(Vec<Ask>),
    Or(Vec<Ask>),
    Not(Box<Ask>),
    /// Some related document matches.
    Related(Arc<Relation>, Box<Ask>),
}

/// What a query input asks for.
///
/// # Errors
/// Where an operator is given null that cannot be asked with it.
pub(crate) fn ask(catalog: &Catalog, query: &Input) -> Result<Ask, GraphqlError> {
    Reader { catalog }.query(query, None)
}

/// The `_id` that a query demands at its top level, for an upsert.
pub(crate) fn demanded_id(catalog: &Catalog, query: &Input) -> Option<Bson> {
    let Input::Object(index, fields) = query else { return None };
    let input = catalog.inputs.get(index.0)?;
    fields.iter().find_map(|(place, value)| match (&input.fields.get(*place)?.meaning, value) {
        (Meaning::Query { stored, operator: QueryOperator::Eq }, Input::Scalar(id)) if stored == "_id" => {
            Some(id.clone())
        }
        _ => None,
    })
}

/// An input scalar or list of scalars as BSON.
pub(crate) fn scalar_value(value: &Input) -> Option<Bson> {
    match value {
        Input::Null => Some(Bson::Null),
        Input::Scalar(value) => Some(value.clone()),
        Input::List(values) => values.iter().map(scalar_value).collect::<Option<_>>().map(Bson::Array),
        Input::Enum(_) | Input::Object(..) => None,
    }
}

struct Reader<'c> {
    catalog: &'c Catalog,
}

impl Reader<'_> {
    fn query(&self, query: &Input, parent: Option<&FieldPath>) -> Result<Ask, GraphqlError> {
        let Input::Object(index, fields) = query else { return Err(unusable("a query", "null")) };
        let input = self.input(*index)?;
        let mut parts = Vec::with_capacity(fields.len());
        for (place, value) in fields {
            let Some(field) = input.fields.get(*place) else { continue };
            parts.push(match &field.meaning {
                Meaning::And => Ask::and(self.queries(&field.name, value, parent)?),
                Meaning::Or => Ask::or(self.queries(&field.name, value, parent)?),
                Meaning::Query { stored, operator } => {
                    let path = match parent {
                        Some(parent) => parent.child(stored),
                        None => FieldPath::from(stored.as_str()),
                    };
                    let is_list = has_list(input, stored);
                    self.operator(&Asked { name: &field.name, path: &path, is_list, value }, operator)?
                }
                _ => return Err(unusable(&field.name, "a value")),
            });
        }
        Ok(Ask::and(parts))
    }

    fn operator(&self, asked: &Asked<'_>, operator: &QueryOperator) -> Result<Ask, GraphqlError> {
        let filter = match operator {
            QueryOperator::Eq => asked.equal()?,
            QueryOperator::Ne => asked.equal()?.negate(),
            QueryOperator::Gt => asked.compare(Comparison::Gt)?,
            QueryOperator::Gte => asked.compare(Comparison::Gte)?,
            QueryOperator::Lt => asked.compare(Comparison::Lt)?,
            QueryOperator::Lte => asked.compare(Comparison::Lte)?,
            QueryOperator::In => asked.any_of()?,
            QueryOperator::Nin => asked.any_of()?.negate(),
            QueryOperator::Exists => match asked.value {
                Input::Scalar(Bson::Boolean(true)) => asked.absent().negate(),
                Input::Scalar(Bson::Boolean(false)) => asked.absent(),
                _ => return Err(unusable(asked.name, "null")),
            },
            QueryOperator::Embedded
            | QueryOperator::EachElement
            | QueryOperator::Related(_)
            | QueryOperator::EachRelated(_)
                if *asked.value == Input::Null =>
            {
                asked.absent()
            }
            QueryOperator::Embedded => return self.query(asked.value, Some(asked.path)),
            QueryOperator::EachElement => return Ok(Ask::and(self.elements(asked)?)),
            QueryOperator::AnyElement => return Ok(Ask::or(self.elements(asked)?)),
            QueryOperator::NoElement => return Ok(Ask::not(Ask::or(self.elements(asked)?))),
            QueryOperator::Related(relation) => {
                return Ok(Ask::Related(relation.clone(), Box::new(self.query(asked.value, None)?)));
            }
            QueryOperator::EachRelated(relation) => {
                let queries = self.queries(asked.name, asked.value, None)?;
                let each = |query| Ask::Related(relation.clone(), Box::new(query));
                return Ok(Ask::and(queries.into_iter().map(each).collect()));
            }
            QueryOperator::AnyRelated(relation) => return self.any_related(asked, relation),
            QueryOperator::NoRelated(relation) => {
                return Ok(Ask::not(self.any_related(asked, relation)?));
            }
        };
        Ok(Ask::Ready(filter))
    }

    fn any_related(&self, asked: &Asked<'_>, relation: &Arc<Relation>) -> Result<Ask, GraphqlError> {
        let queries = self.queries(asked.name, asked.value, None)?;
        if queries.is_empty() {
            return Ok(Ask::Ready(Filter::Never));
        }
        Ok(Ask::Related(relation.clone(), Box::new(Ask::or(queries))))
    }

    fn queries(
        &self,
        name: &str,
        value: &Input,
        parent: Option<&FieldPath>,
    ) -> Result<Vec<Ask>, GraphqlError> {
        let Input::List(queries) = value else { return Err(unusable(name, "null")) };
        queries.iter().map(|query| self.query(query, parent)).collect()
    }

    /// One filter an element query, each on the elements of the array.
    fn elements(&self, asked: &Asked<'_>) -> Result<Vec<Ask>, GraphqlError> {
        let each = |query: Ask| match query {
            Ask::Ready(filter) => {
                Ok(Ask::Ready(Filter::Field(asked.path.clone(), Test::ElemMatch(Box::new(filter)))))
            }
            // The catalog has no relations inside arrays of objects.
            _ => Err(unusable(asked.name, "a condition on related documents")),
        };
        self.queries(asked.name, asked.value, None)?.into_iter().map(each).collect()
    }

    fn input(&self, index: InputIndex) -> Result<&InputObject, GraphqlError> {
        let input = self.catalog.inputs.get(index.0);
        input.ok_or_else(|| GraphqlError::request(code::INTERNAL, "internal server error"))
    }
}

/// One condition on a field.
struct Asked<'a> {
    name: &'a str,
    path: &'a FieldPath,
    /// Whether the field is an array, so that a null among its elements is no missing field.
    is_list: bool,
    value: &'a Input,
}

impl Asked<'_> {
    fn equal(&self) -> Result<Filter, GraphqlError> {
        if *self.value == Input::Null { Ok(self.absent()) } else { self.compare(Comparison::Eq) }
    }

    fn compare(&self, comparison: Comparison) -> Result<Filter, GraphqlError> {
        let value = scalar_value(self.value).ok_or_else(|| unusable(self.name, "an object"))?;
        Ok(Filter::compare(self.path.clone(), comparison, value))
    }

    fn any_of(&self) -> Result<Filter, GraphqlError> {
        match scalar_value(self.value) {
            Some(Bson::Array(values)) => Ok(Filter::is_in(self.path.clone(), values)),
            _ => Err(unusable(self.name, "null")),
        }
    }

    /// Null or missing.
    fn absent(&self) -> Filter {
        let null = Filter::eq(self.path.clone(), Bson::Null);
        if self.is_list { null.and(Filter::exists(self.path.child("0")).negate()) } else { null }
    }
}

impl Ask {
    fn and(parts: Vec<Self>) -> Self {
        Self::join(parts, Filter::And, Self::And)
    }

    fn or(parts: Vec<Self>) -> Self {
        Self::join(parts, Filter::Or, Self::Or)
    }

    fn not(part: Self) -> Self {
        match part {
            Self::Ready(filter) => Self::Ready(filter.negate()),
            part => Self::Not(Box::new(part)),
        }
    }

    fn join(parts: Vec<Self>, ready: fn(Vec<Filter>) -> Filter, open: fn(Vec<Self>) -> Self) -> Self {
        if parts.iter().any(|part| !matches!(part, Self::Ready(_))) {
            return open(parts);
        }
        let filters = parts.into_iter().filter_map(|part| match part {
            Self::Ready(filter) => Some(filter),
            _ => None,
        });
        Self::Ready(ready(filters.collect()).simplify())
    }
}

/// Whether the input's field of that key is an array.
fn has_list(input: &InputObject, stored: &str) -> bool {
    input.fields.iter().any(|field| {
        matches!(&field.meaning, Meaning::Query { stored: other, operator: QueryOperator::Eq | QueryOperator::EachElement } if other == stored)
            && matches!(field.ty, InputType::List(_))
    })
}

fn unusable(name: &str, value: &str) -> GraphqlError {
    GraphqlError::request(code::BAD_INPUT, format!("`{name}` cannot be asked with {value}"))
}
