//! What becomes of an account between log-ins: registering, confirming, new passwords, API keys, its end.

mod api_keys;
mod email;
mod flows;
mod hiding;
mod mails;
mod moving;
mod registering;
mod resetting;
mod transfer;
mod users;

pub use api_keys::{ApiKeyView, ApiKeys};
pub(super) use api_keys::{PROVIDER as API_KEY_PROVIDER, hash as api_key_hash};
pub(super) use registering::{MAX_EMAIL_BYTES, unknown};
pub use transfer::{ResetToken, Transferred, TransferredUser};
pub use users::Users;
