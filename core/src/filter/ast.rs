//! The filter AST.

use bson::Bson;

use super::{FieldPath, Pattern, Types, Values};

/// A condition on a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Every document.
    Always,
    /// No document.
    Never,
    /// All of them; an empty list is [`Filter::Always`].
    And(Vec<Filter>),
    /// Any of them; an empty list is [`Filter::Never`].
    Or(Vec<Filter>),
    /// Not this one. Two-valued: what does not match, matches the negation.
    Not(Box<Filter>),
    /// A test of what stands at a path.
    Field(FieldPath, Test),
}

/// What is asked of the value at a path. Arrays on the way and at the end are looked into,
/// as in MongoDB: a test on an array holds when it holds for the array or for an element.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Stands in this relation to the value.
    ///
    /// Equality with null also matches a missing field. The ranges compare only within one type
    /// bracket (numbers of all widths are one bracket).
    Compare(Comparison, Bson),
    /// Equals one of these.
    In(Values),
    /// Is there; a stored null is there.
    Exists,
    /// Is an array of which one element, a document, matches the filter.
    ElemMatch(Box<Filter>),
    /// Is an array of which one element passes the test, taken by itself.
    AnyElement(ElementTest),
    /// Is a text in which the pattern is found, or a regular expression that equals it.
    Matches(Pattern),
    /// Is of one of these types; an array is of its own and of its elements' types.
    Type(Types),
    /// Is an array of so many elements.
    Size(u64),
    /// Is a number whose whole part leaves this remainder.
    Remainder {
        /// What is divided by; never zero.
        divisor: i64,
        /// What is left, with the sign of the number.
        remainder: i64,
    },
}

/// What is asked of a single element of an array; elements of an array inside of it are not looked into.
#[derive(Clone, Debug, PartialEq)]
pub enum ElementTest {
    /// All of them.
    All(Vec<ElementTest>),
    /// Any of them.
    Any(Vec<ElementTest>),
    /// Not this one.
    Not(Box<ElementTest>),
    /// This test of the element itself.
    Is(Box<Test>),
}

/// The relations of [`Test::Compare`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
}

/// One sort key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// What to sort by.
    pub path: FieldPath,
    /// Which way.
    pub direction: Direction,
}

/// The way of a sort key or an index key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

impl Filter {
    /// Equality at a path.
    pub fn eq(path: impl Into<FieldPath>, value: impl Into<Bson>) -> Self {
        Self::compare(path, Comparison::Eq, value)
    }

    /// A comparison at a path.
    pub fn compare(path: impl Into<FieldPath>, comparison: Comparison, value: impl Into<Bson>) -> Self {
        Self::Field(path.into(), Test::Compare(comparison, value.into()))
    }

    /// Membership at a path.
    pub fn is_in(path: impl Into<FieldPath>, values: impl Into<Values>) -> Self {
        Self::Field(path.into(), Test::In(values.into()))
    }

    /// Presence at a path; a stored null is present.
    pub fn exists(path: impl Into<FieldPath>) -> Self {
        Self::Field(path.into(), Test::Exists)
    }

    /// Both; simplified.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::And(vec![self, other]).simplify()
    }

    /// Either; simplified.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::Or(vec![self, other]).simplify()
    }

    /// The negation; simplified.
    #[must_use]
    pub fn negate(self) -> Self {
        Self::Not(Box::new(self)).simplify()
    }
}
