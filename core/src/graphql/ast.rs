//! A GraphQL operation in our own, owned form, with its fragments spread out.
//!
//! juniper parses and validates; its borrowed AST is turned into this at once, and everything that
//! follows (planning, coercion, execution) reads only this.

/// An operation.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationNode {
    /// Query or mutation.
    pub kind: OperationKind,
    /// The variables it declares.
    pub variables: Vec<VariableNode>,
    /// What it selects.
    pub selections: Vec<SelectionNode>,
}

/// The kinds of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// `query`.
    Query,
    /// `mutation`.
    Mutation,
}

impl OperationKind {
    /// The keyword.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
        }
    }
}

/// A declared variable.
#[derive(Clone, Debug, PartialEq)]
pub struct VariableNode {
    /// Without the `$`.
    pub name: String,
    /// Its type.
    pub ty: TypeNode,
    /// Its default.
    pub default: Option<ValueNode>,
}

/// A type as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeNode {
    /// A name.
    Named(String),
    /// A list.
    List(Box<TypeNode>),
    /// Not null.
    NonNull(Box<TypeNode>),
}

/// One selection.
#[derive(Clone, Debug, PartialEq)]
pub enum SelectionNode {
    /// A field.
    Field(FieldNode),
    /// A fragment, spread or inline.
    Fragment {
        /// The type it is for; `None` for an inline fragment without one.
        on: Option<String>,
        /// Its `@skip` and `@include`.
        conditions: Vec<Condition>,
        /// What it selects.
        selections: Vec<SelectionNode>,
    },
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldNode {
    /// The alias, or the name.
    pub response_key: String,
    /// The name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<(String, ValueNode)>,
    /// Its `@skip` and `@include`.
    pub conditions: Vec<Condition>,
    /// What it selects below.
    pub selections: Vec<SelectionNode>,
    /// Where it stands in the document.
    pub location: Location,
}

/// `@skip` or `@include`, kept symbolic.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The value that lets the selection through: true for `@include`, false for `@skip`.
    pub wanted: bool,
    /// The `if` argument: a boolean or a variable.
    pub value: ValueNode,
}

/// A value as written.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueNode {
    /// `null`.
    Null,
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    String(String),
    /// A boolean.
    Boolean(bool),
    /// An enum value.
    Enum(String),
    /// A list.
    List(Vec<ValueNode>),
    /// An object.
    Object(Vec<(String, ValueNode)>),
    /// A variable, without the `$`.
    Variable(String),
}

/// A place in a document, both numbers from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}
