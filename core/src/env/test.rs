//! Time and randomness that tests steer. Public, so that a host's tests can use them too.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Clock, Executor, Job, Random, Saturated};
use crate::error::Result;

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Starts at this many seconds after 1970.
    pub fn at(unix_seconds: i64) -> Self {
        Self(AtomicI64::new(unix_seconds.saturating_mul(1000)))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// Repeatable bytes that never repeat within a run. **Not random.**
#[derive(Debug)]
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    /// Starts the sequence at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64: every counter value gives a different word.
            let mut word = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            for (slot, byte) in chunk.iter_mut().zip((word ^ (word >> 31)).to_le_bytes()) {
                *slot = byte;
            }
        }
        Ok(())
    }
}

/// Runs every job at once on the caller's thread.
#[derive(Clone, Copy, Debug)]
pub struct InlineExecutor;

impl Executor for InlineExecutor {
    fn spawn(&self, job: Job) -> Result<(), Saturated> {
        job();
        Ok(())
    }
}
