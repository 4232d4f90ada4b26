//! What is reported of a user.

use bson::{Document, doc};
use chrono::{DateTime, Utc};

use crate::actor::{ActingUser, Actor};
use crate::id::AppId;
use crate::store::User;

/// What has happened to a user, or is about to.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserEventKind {
    /// A session was opened.
    LogIn,
    /// A user is made.
    Create,
    /// A user is deleted.
    Delete,
}

impl UserEventKind {
    /// The original's word: `LOGIN`, `CREATE`, `DELETE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LogIn => "LOGIN",
            Self::Create => "CREATE",
            Self::Delete => "DELETE",
        }
    }
}

/// One event, with the user as they are at that moment.
#[derive(Clone, Debug, PartialEq)]
pub struct UserEvent {
    /// What happens.
    pub kind: UserEventKind,
    /// In which app.
    pub app: AppId,
    /// To whom; of a deleted user all that was known.
    pub user: User,
    /// The provider that the log-in came through, or that made the user; of a deleted user all that they had.
    pub providers: Vec<String>,
    /// When.
    pub time: DateTime<Utc>,
}

impl UserEvent {
    /// What the original's authentication triggers are called with: `{operationType, providers, user, time}`.
    pub fn as_document(&self) -> Document {
        let acting =
            ActingUser { user: self.user.clone(), session: None, provider: String::new(), custom_data: None };
        doc! {
            "operationType": self.kind.as_str(),
            "providers": &self.providers,
            "user": Actor::user(self.app.clone(), acting).as_document(),
            "time": bson::DateTime::from_millis(self.time.timestamp_millis()),
        }
    }
}
