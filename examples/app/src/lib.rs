//! A small app defined in Rust, without an export directory: notes that only their owner sees.

mod notes;
pub mod running;

pub use notes::{APP_ID, notes_app};
