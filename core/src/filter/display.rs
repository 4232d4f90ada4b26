//! A filter in words close to MongoDB's, for `explain`, logs and test failures.

use std::fmt;

use super::{Comparison, ElementTest, Filter, Test};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("always"),
            Self::Never => f.write_str("never"),
            Self::And(parts) => join(f, parts, " and "),
            Self::Or(parts) => join(f, parts, " or "),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::Field(path, test) => write!(f, "{path} {test}"),
        }
    }
}

/// What follows the path.
impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(comparison, value) => write!(f, "{comparison} {value}"),
            Self::In(values) => {
                f.write_str("in [")?;
                for (index, value) in values.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{value}")?;
                }
                f.write_str("]")
            }
            Self::Exists => f.write_str("exists"),
            Self::ElemMatch(inner) => write!(f, "has an element with {inner}"),
            Self::AnyElement(test) => write!(f, "has an element that {test}"),
            Self::Matches(pattern) => write!(f, "matches {pattern:?}"),
            Self::Type(types) => write!(f, "is of type {types}"),
            Self::Size(size) => write!(f, "has {size} elements"),
            Self::Remainder { divisor, remainder } => write!(f, "% {divisor} = {remainder}"),
        }
    }
}

impl fmt::Display for ElementTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => join(f, parts, " and "),
            Self::Any(parts) => join(f, parts, " or "),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::Is(test) => write!(f, "{test}"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eq => "=",
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::Lt => "<",
            Self::Lte => "<=",
        })
    }
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[impl fmt::Display], word: &str) -> fmt::Result {
    f.write_str("(")?;
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        write!(f, "{part}")?;
    }
    f.write_str(")")
}
