//! Passwords: Argon2id in PHC strings, off the async threads.
//!
//! 1. At most `hashing_permits` hashes run, at most `hashing_queue` wait; more is 503.
//! 2. The permit moves into the job: a client that hangs up does not free its place early.
//! 3. A stored string that asks for absurd work is refused before anything is allocated.
//! 4. The memory of the hashes that run is kept for the next ones, so that a storm of log-ins takes no more than it.
//! 5. Hashes of other makes, costs or peppers are verified, and replaced by the log-in that proves them.

mod argon;
mod cost;
mod hasher;
mod imported;
mod memory;
mod pepper;
mod phc;
mod policy;
mod stored;

pub use cost::PasswordCost;
pub use hasher::PasswordHasher;
pub(super) use hasher::Verified;
pub(super) use policy::PasswordRules;
