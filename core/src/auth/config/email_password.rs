//! The settings of `local-userpass`.

/// The settings of `local-userpass`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailPasswordConfig {
    /// How an address is confirmed.
    pub confirmation: Confirmation,
    /// How a forgotten password is reset.
    pub reset: PasswordReset,
}

impl EmailPasswordConfig {
    /// Addresses are confirmed by registering them, and a forgotten password cannot be reset.
    pub const fn automatic() -> Self {
        Self { confirmation: Confirmation::Automatic, reset: PasswordReset::Unavailable }
    }
}

/// How an e-mail address is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// At once, by registering.
    Automatic,
    /// By a link in a mail.
    Email {
        /// The page that the link leads to.
        url: String,
        /// The mail's subject; `None` for the default one.
        subject: Option<String>,
    },
    /// By a function of the app.
    Function {
        /// The function's name.
        name: String,
    },
}

/// How a forgotten password is reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordReset {
    /// Not at all: neither a page nor a function is configured.
    Unavailable,
    /// By a link in a mail.
    Email {
        /// The page that the link leads to.
        url: String,
        /// The mail's subject; `None` for the default one.
        subject: Option<String>,
    },
    /// By a function of the app.
    Function {
        /// The function's name.
        name: String,
    },
}
