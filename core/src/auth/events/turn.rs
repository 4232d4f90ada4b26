//! One at a time, in all processes of a store: making a user of an identity, and deleting a user.
//!
//! Only needed where somebody is asked before: otherwise the store's own write decides who was first.

use std::time::Duration;

use chrono::TimeDelta;

use super::{UserEvent, UserEventKind};
use crate::auth::accounts::unknown;
use crate::auth::login::{Auth, AuthParts, user_gone};
use crate::auth::provider::{Evidence, Proven};
use crate::auth::throttle::hash;
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::store::{StoreErrorKind, TicketKey, User};

/// How often whoever waits looks again.
const POLL: Duration = Duration::from_millis(25);
/// What the store may take beside the listeners' deadlines.
const SLACK: Duration = Duration::from_secs(10);

/// The right to ask about one event.
struct Turn {
    key: TicketKey,
    /// After this a turn whose holder has died is anybody's.
    lifetime: Duration,
}

impl Turn {
    fn new(kind: UserEventKind, subject: &[&str], asking: Duration) -> Self {
        let mut parts = vec![kind.as_str().as_bytes()];
        parts.extend(subject.iter().map(|part| part.as_bytes()));
        let key = TicketKey { kind: "user-event", hash: hash(&parts) };
        Self { key, lifetime: asking.saturating_add(SLACK) }
    }

    /// How often somebody who waits looks whether it is free, or no longer needed.
    fn looks(&self) -> u128 {
        self.lifetime.as_millis() / POLL.as_millis()
    }

    async fn take(&self, auth: &Auth) -> Result<bool> {
        let (app, store, now) = (&auth.parts.app, &auth.parts.store, auth.parts.env.clock.now());
        // Looking is cheaper than counting, which is a write.
        if store.ticket(app, &self.key, now).await?.is_some() {
            return Ok(false);
        }
        let lifetime = TimeDelta::from_std(self.lifetime).unwrap_or(TimeDelta::days(1));
        let until = now.checked_add_signed(lifetime).unwrap_or(now);
        Ok(store.bump_ticket(app, &self.key, now, until).await? == 1)
    }

    async fn end(&self, auth: &Auth) {
        let now = auth.parts.env.clock.now();
        if let Err(error) = auth.parts.store.take_ticket(&auth.parts.app, &self.key, now).await {
            tracing::warn!(app = %auth.parts.app, %error, "a turn could not be given back; it ends by itself");
        }
    }
}

impl Auth {
    /// An event of now.
    pub(in crate::auth) fn event(
        &self,
        kind: UserEventKind,
        user: &User,
        providers: Vec<String>,
    ) -> UserEvent {
        let (app, time) = (self.parts.app.clone(), self.parts.env.clock.now());
        UserEvent { kind, app, user: user.clone(), providers, time }
    }

    pub(in crate::auth) async fn ask(&self, event: &UserEvent) -> Result<()> {
        self.parts.events.ask(self.parts.env.timer.as_ref(), event).await
    }

    pub(in crate::auth) async fn tell(&self, event: &UserEvent) {
        let AuthParts { events, store, env, functions, .. } = &self.parts;
        events.make_document(event, store.as_ref(), env).await;
        events.tell(env.timer.as_ref(), event).await;
        events.trigger(functions, event).await;
    }

    /// Stores the user of an identity that nobody has yet, or finds who got it meanwhile.
    pub(in crate::auth) async fn create_user(&self, proven: &Proven, user: User) -> Result<User> {
        let event = self.event(UserEventKind::Create, &user, vec![proven.identity.provider.clone()]);
        let Some(asking) = self.parts.events.asking_takes(&event) else {
            return self.insert_user(proven, &event).await;
        };
        let subject = [proven.identity.provider.as_str(), proven.identity.id.as_str()];
        let turn = Turn::new(event.kind, &subject, asking);
        for _ in 0..turn.looks() {
            if turn.take(self).await? {
                let made = self.ask_and_insert(proven, &event).await;
                turn.end(self).await;
                return made;
            }
            self.parts.env.timer.sleep(POLL).await;
            if let Some(user) = self.holder(proven).await? {
                return Ok(user);
            }
        }
        Err(still_undecided())
    }

    /// Deletes a user with everything that log-in keeps of them.
    pub(in crate::auth) async fn delete_user(&self, id: UserId) -> Result<()> {
        let user = self.user(id).await?;
        let event = self.deletion_of(&user);
        let Some(asking) = self.parts.events.asking_takes(&event) else {
            return self.remove_user(&event).await;
        };
        let turn = Turn::new(event.kind, &[&id.to_hex()], asking);
        for _ in 0..turn.looks() {
            if turn.take(self).await? {
                let deleted = self.ask_and_remove(id).await;
                turn.end(self).await;
                return deleted;
            }
            self.parts.env.timer.sleep(POLL).await;
            self.user(id).await?;
        }
        Err(still_undecided())
    }

    async fn ask_and_insert(&self, proven: &Proven, event: &UserEvent) -> Result<User> {
        // The one before may have ended between our look and our turn.
        if let Some(user) = self.holder(proven).await? {
            return Ok(user);
        }
        self.ask(event).await?;
        self.insert_user(proven, event).await
    }

    async fn insert_user(&self, proven: &Proven, event: &UserEvent) -> Result<User> {
        let (app, store) = (&self.parts.app, &self.parts.store);
        let inserted = match &proven.evidence {
            Evidence::Registration { email, .. } => {
                store.insert_registered_user(app, &event.user, email).await
            }
            Evidence::Foreign | Evidence::User { .. } => store.insert_user(app, &event.user).await,
        };
        match inserted {
            Ok(()) => {
                self.tell(event).await;
                Ok(event.user.clone())
            }
            // Deleted meanwhile, or moved to another address by a user who was made meanwhile.
            Err(error) if error.kind() == StoreErrorKind::Conflict => {
                self.holder(proven).await?.ok_or_else(user_gone)
            }
            // Another log-in of the same identity was first: its user is the user.
            Err(error) if error.kind() == StoreErrorKind::DuplicateKey => {
                self.holder(proven).await?.ok_or_else(|| Error::from(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn ask_and_remove(&self, id: UserId) -> Result<()> {
        let event = self.deletion_of(&self.user(id).await?);
        self.ask(&event).await?;
        self.remove_user(&event).await
    }

    async fn remove_user(&self, event: &UserEvent) -> Result<()> {
        if !self.parts.store.delete_user(&self.parts.app, event.user.id).await? {
            return Err(unknown());
        }
        self.tell(event).await;
        Ok(())
    }

    fn deletion_of(&self, user: &User) -> UserEvent {
        let mut providers: Vec<String> = Vec::new();
        for identity in &user.identities {
            if !providers.contains(&identity.provider) {
                providers.push(identity.provider.clone());
            }
        }
        self.event(UserEventKind::Delete, user, providers)
    }

    async fn user(&self, id: UserId) -> Result<User> {
        self.parts.store.user(&self.parts.app, id).await?.ok_or_else(unknown)
    }
}

fn still_undecided() -> Error {
    Error::new(ErrorKind::Unavailable, "it is still being decided about this, try again").with_retry_after(1)
}
