//! The one public error: what kind, what the client may be told, what only the log may know.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;

use crate::store::{StoreError, StoreErrorKind};

/// A failure of the engine.
///
/// [`kind`](Error::kind) is what code branches on. [`hint`](Error::hint) may leave the process.
/// The [`source`](StdError::source) chain may only be logged.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    hint: Cow<'static, str>,
    retry_after: Option<u32>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind with the text that the client may see: lower case, no full stop.
    pub fn new(kind: ErrorKind, hint: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, hint: hint.into(), retry_after: None, cause: None }
    }

    /// An unforeseen failure: the client learns nothing, the log everything.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::InternalServerError, "internal server error").with_cause(cause)
    }

    /// The failure behind this one, for the log only.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Seconds after which a retry makes sense (the `Retry-After` header).
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// What happened, to branch on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What the client may be told.
    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// The hint if it is one of the engine's own sentences; `None` if it was composed, for then it may hold what
    /// a client has sent.
    pub(crate) fn fixed_hint(&self) -> Option<&'static str> {
        match self.hint {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(_) => None,
        }
    }

    /// Seconds after which a retry makes sense.
    pub fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hint)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error.kind() {
            StoreErrorKind::Busy | StoreErrorKind::Contended => {
                Self::new(ErrorKind::Unavailable, "the store is busy, try again").with_retry_after(1)
            }
            StoreErrorKind::DeadlineExceeded => {
                Self::new(ErrorKind::ExecutionTimeLimitExceeded, "the transaction ran past its deadline")
            }
            StoreErrorKind::DuplicateKey => Self::new(ErrorKind::MongoDbError, "duplicate key"),
            StoreErrorKind::Unsupported => {
                Self::new(ErrorKind::MongoDbError, "the store does not support this request")
            }
            StoreErrorKind::Conflict
            | StoreErrorKind::Corrupt
            | StoreErrorKind::NewerSchema
            | StoreErrorKind::Io => Self::new(ErrorKind::InternalServerError, "internal server error"),
        }
        .with_cause(error)
    }
}

/// What went wrong, with its HTTP status and the original's `error_code`.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Wrong password or unknown user at log-in, alike.
    InvalidPassword,
    /// The session is expired, revoked, of another app, or the token is no token of ours.
    InvalidSession,
    /// No credential where one is needed.
    MissingAuthReq,
    /// The credential is malformed.
    InvalidAuthReq,
    /// A provider refused, and says why.
    AuthError,
    /// The user is disabled, and the credential was right.
    UserDisabled,
    /// No such user.
    UserNotFound,
    /// The provider is missing or disabled.
    AuthProviderNotFound,
    /// The e-mail address is taken.
    AccountNameInUse,
    /// This credential cannot be linked.
    LinkingNotSupported,
    /// The address is confirmed already.
    UserAlreadyConfirmed,
    /// A confirmation or reset token that is expired, used or replaced.
    UserpassTokenInvalid,
    /// No such API key, or somebody else's.
    ApiKeyNotFound,
    /// The owner has an API key of that name, or as many as there may be.
    ApiKeyAlreadyExists,
    /// An OAuth redirect that is not on the provider's list.
    InvalidRedirectUri,
    /// The e-mail address's domain may not come in.
    DomainNotAllowed,
    /// The function threw, or gave back what it may not.
    FunctionExecutionError,
    /// Another server that is needed failed or answered nonsense; the original's code for it.
    HttpError,
    /// The request cannot be read.
    BadRequest,
    /// A parameter has a value that is not allowed.
    InvalidParameter,
    /// A parameter is missing.
    MissingParameter,
    /// The origin or the address may not come in.
    RestrictedHost,
    /// No client app of that id; the original sends no code.
    AppNotFound,
    /// No such route; the original sends no code.
    RouteNotFound,
    /// The route exists, but not with this method.
    MethodNotAllowed,
    /// The body is over the limit.
    BodyTooLarge,
    /// The body is of a type that is not read here.
    UnsupportedMediaType,
    /// Too many attempts.
    TooManyRequests,
    /// The caller may not do this.
    NotPermitted,
    /// No rule covers the collection.
    NoMatchingRuleFound,
    /// A document does not fit its schema (write).
    SchemaValidationFailedWrite,
    /// No function of that name.
    FunctionNotFound,
    /// No service of that name.
    ServiceNotFound,
    /// The data service refused: unknown operator, duplicate key and the like.
    MongoDbError,
    /// The request took longer than it may.
    ExecutionTimeLimitExceeded,
    /// A transient lack of resources: a retry may succeed.
    Unavailable,
    /// A defect of ours or of the machine.
    InternalServerError,
}

impl ErrorKind {
    /// The HTTP status of this kind.
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidPassword
            | Self::InvalidSession
            | Self::MissingAuthReq
            | Self::InvalidAuthReq
            | Self::AuthError
            | Self::UserDisabled => StatusCode::UNAUTHORIZED,
            Self::RestrictedHost
            | Self::NotPermitted
            | Self::NoMatchingRuleFound
            | Self::DomainNotAllowed => StatusCode::FORBIDDEN,
            Self::UserNotFound
            | Self::AuthProviderNotFound
            | Self::AppNotFound
            | Self::RouteNotFound
            | Self::ApiKeyNotFound
            | Self::FunctionNotFound
            | Self::ServiceNotFound => StatusCode::NOT_FOUND,
            Self::AccountNameInUse | Self::ApiKeyAlreadyExists => StatusCode::CONFLICT,
            Self::LinkingNotSupported
            | Self::UserAlreadyConfirmed
            | Self::UserpassTokenInvalid
            | Self::InvalidRedirectUri
            | Self::FunctionExecutionError
            | Self::HttpError
            | Self::BadRequest
            | Self::InvalidParameter
            | Self::MissingParameter
            | Self::SchemaValidationFailedWrite
            | Self::MongoDbError
            | Self::ExecutionTimeLimitExceeded => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The original's `error_code`; `None` where it sent none.
    pub fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::InvalidPassword => "InvalidPassword",
            Self::InvalidSession => "InvalidSession",
            Self::MissingAuthReq => "MissingAuthReq",
            Self::InvalidAuthReq => "InvalidAuthReq",
            Self::AuthError => "AuthError",
            Self::UserDisabled => "UserDisabled",
            Self::UserNotFound => "UserNotFound",
            Self::AuthProviderNotFound => "AuthProviderNotFound",
            Self::AccountNameInUse => "AccountNameInUse",
            Self::LinkingNotSupported => "LinkingNotSupported",
            Self::UserAlreadyConfirmed => "UserAlreadyConfirmed",
            Self::UserpassTokenInvalid => "UserpassTokenInvalid",
            Self::ApiKeyNotFound => "APIKeyNotFound",
            Self::ApiKeyAlreadyExists => "APIKeyAlreadyExists",
            Self::InvalidRedirectUri => "InvalidRedirectURI",
            Self::DomainNotAllowed => "DomainNotAllowed",
            Self::FunctionExecutionError => "FunctionExecutionError",
            Self::HttpError => "HTTPError",
            Self::BadRequest | Self::UnsupportedMediaType | Self::BodyTooLarge => "BadRequest",
            Self::InvalidParameter => "InvalidParameter",
            Self::MissingParameter => "MissingParameter",
            Self::RestrictedHost => "RestrictedHost",
            Self::TooManyRequests => "TooManyRequests",
            Self::NotPermitted => "NotPermitted",
            Self::NoMatchingRuleFound => "NoMatchingRuleFound",
            Self::SchemaValidationFailedWrite => "SchemaValidationFailedWrite",
            Self::FunctionNotFound => "FunctionNotFound",
            Self::ServiceNotFound => "ServiceNotFound",
            Self::MongoDbError => "MongoDBError",
            Self::ExecutionTimeLimitExceeded => "ExecutionTimeLimitExceeded",
            Self::Unavailable => "ServiceUnavailable",
            Self::InternalServerError => "InternalServerError",
            Self::AppNotFound | Self::RouteNotFound | Self::MethodNotAllowed => return None,
        })
    }
}

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
