//! What a log-in answers with.

use serde::Serialize;

/// The tokens of a new session, as the log-in reply has them.
#[derive(Clone, Serialize)]
pub struct Tokens {
    /// Thirty minutes of access.
    pub access_token: String,
    /// Makes new access tokens for as long as the session lives.
    pub refresh_token: String,
    /// The user's id.
    pub user_id: String,
    /// The device's id: the one that the client sent, or a fresh one.
    pub device_id: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokens(user {}, device {})", self.user_id, self.device_id)
    }
}
