//! Clean-up that has no request of its own: one future that the host spawns.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join;

use super::Engine;
use crate::error::Result;

/// How often expired sessions and tickets are removed.
const INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Anonymous users who were made and last seen before this may go (app-services §3.1).
const IDLE_GUESTS: TimeDelta = TimeDelta::days(90);
const GUESTS: &str = "anon-user";

impl Engine {
    /// Purges every ten minutes and runs the triggers that requests have left behind, for ever. The host spawns it on its
    /// runtime, and drops it to end it.
    pub async fn maintenance(&self) {
        let triggers = self.parts().triggers.attend(self.parts().env.timer.as_ref());
        join(self.purge_for_ever(), triggers).await;
    }

    async fn purge_for_ever(&self) {
        loop {
            if let Err(error) = self.purge().await {
                tracing::warn!(cause = ?error, "clean-up failed, it is tried again later");
            }
            self.parts().env.timer.sleep(INTERVAL).await;
        }
    }

    /// Removes expired sessions and tickets, guests whom nobody has seen for ninety days (their documents
    /// stay), and signing keys without a session; returns how many sessions, tickets and guests there were.
    ///
    /// # Errors
    /// What the store fails with; what was removed stays removed.
    pub async fn purge(&self) -> Result<u64> {
        let now = self.parts().env.clock.now();
        let sessions = self.parts().store.purge_sessions(now).await?;
        let tickets = self.parts().store.purge_tickets(now).await?;
        let mut users = 0;
        for app in self.apps() {
            app.parts().sessions.retire_keys(now).await?;
            let long_ago = now - IDLE_GUESTS;
            users += self.parts().store.delete_idle_users(app.id(), GUESTS, long_ago, long_ago).await?;
        }
        Ok(sessions + tickets + users)
    }
}
