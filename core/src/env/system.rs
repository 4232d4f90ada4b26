//! Time, randomness and waiting.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use ring::rand::{SecureRandom, SystemRandom as RingRandom};

use crate::error::{Error, Result};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// Draws random bytes that are fit for keys and tokens.
pub trait Random: Send + Sync {
    /// Fills the whole slice, or fails and leaves nothing usable in it.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}

/// Waits.
#[async_trait]
pub trait Timer: Send + Sync {
    /// Returns no earlier than after `duration`.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        SystemTime::now().into()
    }
}

/// The operating system's randomness, through ring.
#[derive(Clone, Debug)]
pub struct SystemRandom(RingRandom);

impl Default for SystemRandom {
    fn default() -> Self {
        Self(RingRandom::new())
    }
}

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        self.0.fill(bytes).map_err(|_| Error::internal("the operating system gave no randomness"))
    }
}

/// The operating system's randomness for what ring does not let anybody else's be used for: ECDSA keys and
/// the blinding of ECDSA and RSA signatures.
#[cfg(test)]
pub(crate) fn ring_random() -> RingRandom {
    RingRandom::new()
}
