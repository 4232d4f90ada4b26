//! Apps defined in Rust, without an export directory: notes that only their owner sees, and every way to log in.

mod accounts;
pub mod clients;
mod notes;
pub mod running;

pub use accounts::{
    ACCOUNTS_APP_ID, FUNCTIONS_APP_ID, JWT_SECRET, accounts_app, functions_app, with_accounts,
};
pub use notes::{APP_ID, notes_app};
