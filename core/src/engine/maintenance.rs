//! Clean-up that has no request of its own: one future that the host spawns.

use std::time::Duration;

use super::Engine;
use crate::error::Result;

/// How often expired sessions and tickets are removed.
const INTERVAL: Duration = Duration::from_secs(10 * 60);

impl Engine {
    /// Purges every ten minutes, for ever. The host spawns it on its runtime, and drops it to end it.
    pub async fn maintenance(&self) {
        loop {
            if let Err(error) = self.purge().await {
                tracing::warn!(cause = ?error, "clean-up failed, it is tried again later");
            }
            self.parts().env.timer.sleep(INTERVAL).await;
        }
    }

    /// Removes expired sessions and tickets once; returns how many there were.
    ///
    /// # Errors
    /// What the store fails with; what was removed stays removed.
    pub async fn purge(&self) -> Result<u64> {
        let now = self.parts().env.clock.now();
        let sessions = self.parts().store.purge_sessions(now).await?;
        let tickets = self.parts().store.purge_tickets(now).await?;
        Ok(sessions + tickets)
    }
}
