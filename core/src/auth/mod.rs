//! Log-in: what proves who somebody is, and what becomes of the proof.
//!
//! 1. A [`Provider`] proves an identity from a [`Credential`], and does nothing else.
//! 2. [`Auth`] finds the identity's user or makes one, and opens a session.
//! 3. Wrong password and unknown user are told alike; "disabled" and "pending" only to the right
//!    credential.
//! 4. Failures are counted per account and per address, and slow the next ones down.
//! 5. Password hashes are computed off the async threads, a bounded number at once.
//! 6. The host hears of log-ins and of users who come and go, and may refuse them: [`UserHook`].

mod accounts;
pub mod config;
mod credential;
mod custom_data;
mod events;
mod gate;
mod headers;
mod jwks;
mod link;
mod login;
mod mails;
mod oauth;
mod one_time;
mod password;
mod profile;
mod provider;
mod providers;
mod redirect;
mod throttle;
mod user_document;
mod verified;

pub(crate) use mails::{MailPart, Mails};
pub(crate) use oauth::form_encode;
pub(crate) use redirect::{
    Callback, Linking, RedirectRequest, RedirectResult, StateParameter, callback_path,
};

pub use accounts::{ApiKeyView, ApiKeys, ResetToken, Transferred, TransferredUser, Users};
pub use credential::{Credential, DeviceInfo, LoginRequest};
pub use custom_data::StoredCustomData;
pub(crate) use events::TriggerQueue;
pub use events::{FailurePolicy, UserEvent, UserEventKind, UserEvents, UserHook, UserListener};
pub use login::{Auth, AuthParts};
pub use password::{PasswordCost, PasswordHasher};
pub use profile::{Profile, ProfileIdentity};
pub use provider::{Evidence, Proven, Provider, ProviderContext, Purpose, Subject};
pub use user_document::UserDocument;
