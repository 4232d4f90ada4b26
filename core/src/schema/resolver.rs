//! Custom resolvers: GraphQL fields that a function answers.

use serde_json::Value;

/// A field of `Query`, `Mutation` or a generated type that a function answers: one file of
/// `graphql/custom_resolvers/`.
///
/// ```
/// use backstitch::app::AppConfig;
/// use backstitch::bson::Bson;
/// use backstitch::engine::Engine;
/// use backstitch::functions::FunctionCall;
/// use backstitch::schema::{CustomResolver, ResolverType};
///
/// // type Query { shout(input: String): String }
/// let shout = CustomResolver::new("Query", "shout", "toUpperCase")
///     .input(ResolverType::Scalar("string".into()))
///     .payload(ResolverType::Scalar("string".into()));
/// let builder = Engine::builder()
///     .app(AppConfig::new("shop").resolver(shout))
///     .function("toUpperCase", async |call: FunctionCall| {
///         Ok(call.arguments.first().and_then(Bson::as_str).map(str::to_uppercase).into())
///     });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomResolver {
    /// `Query`, `Mutation` or the name of a generated type, whose field is then computed.
    pub on_type: String,
    /// The field; it takes the place of a generated one of the same name.
    pub field: String,
    /// The function's name.
    pub function: String,
    /// The type of the argument `input`; without one the field takes no argument.
    pub input: Option<ResolverType>,
    /// The type of the answer; without one it is `DefaultPayload`, which says `"complete"`.
    pub payload: Option<ResolverType>,
    /// The file, relative to the app directory, or what stands for it in reports.
    pub file: String,
}

/// The type of a custom resolver's argument or answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolverType {
    /// A scalar, by its name in BSON schemas (`string`, `objectId`, …).
    Scalar(String),
    /// A list of such scalars.
    ScalarList(String),
    /// A type or an input of the generated schema, by its GraphQL name.
    Generated(String),
    /// A list of them.
    GeneratedList(String),
    /// A JSON schema with a `title` and at least one property, or an array of such.
    Custom(Value),
}

impl CustomResolver {
    /// A field that takes no argument and answers `DefaultPayload`.
    pub fn new(on_type: impl Into<String>, field: impl Into<String>, function: impl Into<String>) -> Self {
        let (on_type, field) = (on_type.into(), field.into());
        let file = format!("resolver of {on_type}.{field}");
        Self { on_type, field, function: function.into(), input: None, payload: None, file }
    }

    /// Gives it an argument `input`.
    #[must_use]
    pub fn input(mut self, input: ResolverType) -> Self {
        self.input = Some(input);
        self
    }

    /// Gives its answer a type.
    #[must_use]
    pub fn payload(mut self, payload: ResolverType) -> Self {
        self.payload = Some(payload);
        self
    }
}
