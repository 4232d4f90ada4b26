//! Variables of an operation (GraphQL, section 6.1.2).

use serde_json::{Map, Value};

use super::ast::{TypeNode, VariableNode};
use super::catalog::{Catalog, InputType, Scalar};
use super::coerce::{Coercer, Given, Misfit, Variables};
use super::error::{GraphqlError, code};
use crate::limits::Limits;

/// The declared variables with the values sent for them.
///
/// 1. An absent variable takes its default; an explicit null is null.
/// 2. A required one that is absent or null is refused, as is a value that does not fit.
/// 3. Values of variables that are not declared are ignored.
pub(crate) fn coerce_variables(
    declared: &[VariableNode],
    sent: &Map<String, Value>,
    catalog: &Catalog,
    limits: &Limits,
) -> Result<Variables, Vec<GraphqlError>> {
    let none = Variables::new();
    let coercer = Coercer { catalog, limits, variables: &none };
    let mut variables = Variables::with_capacity(declared.len());
    let mut errors = Vec::new();
    for variable in declared {
        let Some(ty) = input_type(&variable.ty, catalog) else {
            errors.push(GraphqlError::request(
                code::VALIDATION,
                format!("variable `${}` is of a type that is no input type", variable.name),
            ));
            continue;
        };
        let value = match (sent.get(&variable.name), &variable.default) {
            (Some(value), _) => coercer.coerce(Given::Json(value), &ty),
            (None, Some(default)) => coercer.coerce(Given::Literal(default), &ty),
            (None, None) if matches!(ty, InputType::NonNull(_)) => Err(Misfit {
                path: Vec::new(),
                message: format!("a value of type `{}` is required", coercer.name(&ty)),
            }),
            (None, None) => continue,
        };
        match value {
            Ok(value) => variables.extend(value.map(|value| (variable.name.clone(), value))),
            Err(misfit) => errors.push(refusal(&variable.name, &misfit)),
        }
    }
    if errors.is_empty() { Ok(variables) } else { Err(errors) }
}

/// Refuses defaults that do not fit their types, used or not (GraphQL, section 5.6.1).
pub(crate) fn check_defaults(
    declared: &[VariableNode],
    catalog: &Catalog,
    limits: &Limits,
) -> Result<(), Vec<GraphqlError>> {
    let none = Variables::new();
    let coercer = Coercer { catalog, limits, variables: &none };
    let misfit = |variable: &VariableNode| {
        let (default, ty) = (variable.default.as_ref()?, input_type(&variable.ty, catalog)?);
        let misfit = coercer.coerce(Given::Literal(default), &ty).err()?;
        Some(refusal(&variable.name, &misfit))
    };
    let errors: Vec<_> = declared.iter().filter_map(misfit).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn refusal(name: &str, misfit: &Misfit) -> GraphqlError {
    let place: String = misfit.path.iter().map(|step| format!(".{step}")).collect();
    let message = format!("variable `${name}{place}`: {}", misfit.message);
    GraphqlError::request(code::BAD_INPUT, message)
}

/// The catalog's type of that name.
fn input_type(ty: &TypeNode, catalog: &Catalog) -> Option<InputType> {
    Some(match ty {
        TypeNode::NonNull(inner) => InputType::NonNull(Box::new(input_type(inner, catalog)?)),
        TypeNode::List(item) => InputType::List(Box::new(input_type(item, catalog)?)),
        TypeNode::Named(name) => match name.as_str() {
            "String" | "ID" => InputType::Scalar(Scalar::String),
            "Int" => InputType::Scalar(Scalar::Int),
            "Long" => InputType::Scalar(Scalar::Long),
            "Float" => InputType::Scalar(Scalar::Float),
            "Boolean" => InputType::Scalar(Scalar::Boolean),
            "ObjectId" => InputType::Scalar(Scalar::ObjectId),
            "DateTime" => InputType::Scalar(Scalar::DateTime),
            name => match (catalog.inputs_by_name.get(name), catalog.enums_by_name.get(name)) {
                (Some(index), _) => InputType::Object(*index),
                (None, Some(index)) => InputType::Enum(*index),
                (None, None) => return None,
            },
        },
    })
}
