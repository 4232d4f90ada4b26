//! The scalars of the schema, as juniper sees them.
//!
//! 1. A literal's integer may have 64 bits (`Long`); juniper's own scalar value stops at 32.
//! 2. `Int`, `Float`, `String`, `Boolean` and `ID` are always registered: juniper's parser needs them to
//!    read any literal.
//! 3. A literal that cannot be coerced (no 24 digits, no date) makes its document invalid, wherever it stands
//!    (GraphQL, section 5.6.1).

use std::fmt;

use juniper::{
    ArcStr, FieldError, FromInputValue, GraphQLType, GraphQLValue, InputValue, ParseError, ParseScalarResult,
    ParseScalarValue, Registry, ScalarToken, ScalarValue, meta::MetaType, parser::Token,
};
use serde::{Deserialize, Serialize};

use super::catalog::Scalar;
use super::scalar::RawScalar;

/// A scalar inside juniper.
#[derive(Clone, Debug, PartialEq, ScalarValue, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Literal {
    #[value(to_bool)]
    Boolean(bool),
    #[value(to_int, to_float)]
    Int(i32),
    Long(i64),
    #[value(to_float)]
    Float(f64),
    #[value(as_str, to_string)]
    String(String),
}

impl Literal {
    fn raw(&self) -> RawScalar<'_> {
        match self {
            Self::Boolean(value) => RawScalar::Boolean(*value),
            Self::Int(value) => RawScalar::Int((*value).into()),
            Self::Long(value) => RawScalar::Int(*value),
            Self::Float(value) => RawScalar::Float { value: *value, json: false },
            Self::String(value) => RawScalar::String(value),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Long(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::String(value) => value.fmt(f),
        }
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i32> for Literal {
    fn from(value: i32) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Literal {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<String> for Literal {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl TryFrom<Literal> for String {
    type Error = ();

    fn try_from(value: Literal) -> Result<Self, ()> {
        match value {
            Literal::String(value) => Ok(value),
            _ => Err(()),
        }
    }
}

/// Reads a token as an integer of up to 64 bits, or as a string.
fn read(token: ScalarToken<'_>) -> ParseScalarResult<Literal> {
    match token {
        ScalarToken::String(text) => Ok(Literal::String(text.parse()?.into_owned())),
        ScalarToken::Int(digits) => {
            let short = digits.parse().map(Literal::Int);
            let long = || digits.parse().map(Literal::Long);
            short.or_else(|_| long()).map_err(|_| ParseError::unexpected_token(Token::Scalar(token)))
        }
        ScalarToken::Float(_) => Err(ParseError::unexpected_token(Token::Scalar(token))),
    }
}

macro_rules! scalars {
    ($($type:ident $name:literal is $scalar:ident;)*) => {$(
        #[doc = concat!("The scalar `", $name, "`.")]
        pub(super) struct $type;

        impl GraphQLType<Literal> for $type {
            fn name(_: &()) -> Option<ArcStr> {
                Some(juniper::arcstr::literal!($name))
            }

            fn meta(info: &(), registry: &mut Registry<Literal>) -> MetaType<Literal> {
                registry.build_scalar_type::<Self>(info).into_meta()
            }
        }

        impl GraphQLValue<Literal> for $type {
            type Context = ();
            type TypeInfo = ();

            fn type_name(&self, info: &()) -> Option<ArcStr> {
                <Self as GraphQLType<Literal>>::name(info)
            }
        }

        impl FromInputValue<Literal> for $type {
            type Error = FieldError<Literal>;

            fn from_input_value(value: &InputValue<Literal>) -> Result<Self, Self::Error> {
                let fits = value.as_scalar().and_then(|literal| literal.raw().parse(Scalar::$scalar));
                fits.map(|_| Self).ok_or_else(|| concat!("not a value of `", $name, "`").into())
            }
        }

        impl ParseScalarValue<Literal> for $type {
            fn from_str(token: ScalarToken<'_>) -> ParseScalarResult<Literal> {
                read(token)
            }
        }
    )*};
}

scalars! {
    IntScalar "Int" is Int;
    LongScalar "Long" is Long;
    ObjectIdScalar "ObjectId" is ObjectId;
    DateTimeScalar "DateTime" is DateTime;
}
