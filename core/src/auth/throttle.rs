//! Failed log-ins slow the next ones down.
//!
//! 1. Counters and blocks are tickets of the store, so that all processes share them.
//! 2. A try is counted before its password is judged, and every count is one atomic step: however many come at
//!    once, no more are judged than may fail.
//! 3. Names that nobody has are counted like the others.
//! 4. A blocked account still lets in the devices that have logged in before. A device that fails too often
//!    itself is known no more.
//! 5. An address is counted over all accounts, and a success does not clear it. It is counted after the fact, so
//!    that as many more may fail as are under way.
//! 6. The answer is 429 with the seconds left, never 401: clients take a 401 for the end of a session.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ring::digest::{Context, SHA256};

use super::provider::ProviderContext;
use crate::env::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AppId, DeviceId};
use crate::limits::Limits;
use crate::observe::metrics;
use crate::store::{Ticket, TicketKey, TicketStore};

const FAILURES: &str = "failures";
const BLOCKED: &str = "blocked";
/// How often an account was blocked: the exponent of its next block.
const BLOCKS: &str = "blocks";
const KNOWN_DEVICE: &str = "known-device";
const MAILS: &str = "mails";
const FAILED: &str = "too many failed log-ins";
const LONGEST_RETRY_AFTER: i64 = 900;
/// The part of an IPv6 address that one customer has.
const IPV6_NETWORK_BITS: u32 = 64;

/// What failures are counted under: a hash of a provider and a name, whether somebody has it or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account([u8; 32]);

impl Account {
    pub(super) fn new(provider: &str, name: &str) -> Self {
        Self(hash(&[b"account", provider.as_bytes(), name.as_bytes()]))
    }

    fn on(self, device: DeviceId) -> [u8; 32] {
        hash(&[b"device", &self.0, device.to_hex().as_bytes()])
    }
}

/// A try whose password may be judged. It counts as a failure until it turns out to be none.
#[must_use]
#[derive(Debug)]
pub(super) struct Attempt {
    account: Account,
    counted: Counted,
}

#[derive(Clone, Copy, Debug)]
enum Counted {
    /// For a device of the account, under this hash: its failure of that number.
    OnDevice([u8; 32], u64),
    /// For the account; whether it blocks the account until it turns out to be right.
    OnAccount { blocks: bool },
}

/// Counts and blocks.
#[derive(Clone, Copy)]
pub(super) struct Throttle<'a> {
    app: &'a AppId,
    store: &'a dyn TicketStore,
    clock: &'a dyn Clock,
    limits: &'a Limits,
}

impl<'a> Throttle<'a> {
    pub(super) fn of(cx: &ProviderContext<'a>) -> Self {
        let (app, store, clock) = (cx.app, cx.store as &dyn TicketStore, cx.env.clock.as_ref());
        Self { app, store, clock, limits: cx.limits }
    }

    /// Refuses while the account is blocked, unless one of its devices asks.
    pub(super) async fn admit(&self, account: Account, device: Option<DeviceId>) -> Result<()> {
        match self.blocked(account.0).await? {
            Some(left) if self.known(account, device).await?.is_none() => Err(refused(FAILED, left)),
            _ => Ok(()),
        }
    }

    /// Counts a try, which may then be judged; refuses what is beyond the number of tries.
    pub(super) async fn begin(&self, account: Account, device: Option<DeviceId>) -> Result<Attempt> {
        let limits = self.limits;
        if let Some(known) = self.known(account, device).await? {
            let tries = self.count(known, limits.login_failure_window).await?;
            if tries <= limits.login_failures {
                return Ok(Attempt { account, counted: Counted::OnDevice(known, tries) });
            }
        }
        if let Some(left) = self.blocked(account.0).await? {
            return Err(refused(FAILED, left));
        }
        let tries = self.count(account.0, limits.login_failure_window).await?;
        let blocks = tries >= limits.login_failures;
        if blocks && !self.block(account, tries).await? {
            return Err(refused(FAILED, self.blocked(account.0).await?.unwrap_or_default()));
        }
        Ok(Attempt { account, counted: Counted::OnAccount { blocks } })
    }

    /// The password was wrong: from a device of the account, the failure counts for both.
    pub(super) async fn failed(&self, attempt: Attempt) -> Result<()> {
        let Attempt { account, counted } = attempt;
        let Counted::OnDevice(known, tries) = counted else { return Ok(()) };
        if tries >= self.limits.login_failures {
            self.take(KNOWN_DEVICE, known).await?;
        }
        let failures = self.count(account.0, self.limits.login_failure_window).await?;
        if failures >= self.limits.login_failures {
            self.block(account, failures).await?;
        }
        Ok(())
    }

    /// The password was right: clears the counters of the account and of the device.
    pub(super) async fn succeeded(&self, attempt: Attempt) -> Result<()> {
        let Attempt { account, counted } = attempt;
        match counted {
            Counted::OnAccount { blocks } => {
                self.put(FAILURES, account.0, Duration::ZERO, Vec::new()).await?;
                if blocks {
                    self.put(BLOCKED, account.0, Duration::ZERO, Vec::new()).await?;
                }
            }
            Counted::OnDevice(known, _) => {
                self.put(FAILURES, known, Duration::ZERO, Vec::new()).await?;
                // Looking is cheaper than writing.
                if self.ticket(FAILURES, account.0).await?.is_some() {
                    self.put(FAILURES, account.0, Duration::ZERO, Vec::new()).await?;
                }
            }
        }
        Ok(())
    }

    /// Blocks the account, unless it is blocked; of several at once one does.
    async fn block(&self, account: Account, failures: u64) -> Result<bool> {
        let (limits, now) = (self.limits, self.clock.now());
        let before = match self.ticket(BLOCKS, account.0).await? {
            Some(ticket) if failures > limits.login_failures => ticket.payload.first().copied(),
            _ => None,
        };
        // Not the failures beyond the first block: those that were refused at once are among them.
        let before = before.unwrap_or(0);
        let key = TicketKey { kind: BLOCKED, hash: account.0 };
        let ends = later(now, delay(limits, u32::from(before)));
        if self.store.bump_ticket(self.app, &key, now, ends).await? > 1 {
            return Ok(false);
        }
        let blocks = vec![before.saturating_add(1)];
        self.put(BLOCKS, account.0, limits.login_failure_window, blocks).await?;
        Ok(true)
    }

    /// Makes the device one of the account's.
    pub(super) async fn remember(&self, account: Account, device: DeviceId) -> Result<()> {
        self.put(KNOWN_DEVICE, account.on(device), self.limits.known_device, Vec::new()).await
    }

    /// Refuses while the address is blocked.
    pub(super) async fn admit_address(&self, peer: Option<IpAddr>) -> Result<()> {
        let Some(peer) = peer else { return Ok(()) };
        self.blocked(hash_of(peer)).await?.map_or(Ok(()), |left| Err(refused(FAILED, left)))
    }

    /// Counts a failure for the address.
    pub(super) async fn address_failed(&self, peer: Option<IpAddr>) -> Result<()> {
        let Some(peer) = peer else { return Ok(()) };
        let (address, limits) = (hash_of(peer), self.limits);
        if self.count(address, limits.address_failure_window).await? >= limits.address_failures {
            self.put(BLOCKED, address, limits.address_block, Vec::new()).await?;
        }
        Ok(())
    }

    /// Counts a mail that somebody asks to be sent to an address, and refuses it when that are too many to this
    /// address, or from where they are asked for.
    pub(super) async fn admit_mail(&self, email: &str, peer: Option<IpAddr>) -> Result<()> {
        let limits = self.limits;
        if let Some(peer) = peer {
            let (asking, window) = (hash(&[b"mails-from", &hash_of(peer)]), limits.address_failure_window);
            if self.counted(MAILS, asking, window).await? > limits.address_failures {
                return Err(self.refused_until_counted_anew(asking, "too many mails").await?);
            }
        }
        let asked = hash(&[b"mails-to", email.as_bytes()]);
        if self.counted(MAILS, asked, limits.mail_window).await? > limits.mails {
            return Err(self.refused_until_counted_anew(asked, "too many mails").await?);
        }
        Ok(())
    }

    async fn refused_until_counted_anew(&self, hash: [u8; 32], what: &str) -> Result<Error> {
        let left = self
            .ticket(MAILS, hash)
            .await?
            .map_or(TimeDelta::zero(), |ticket| ticket.expires_at.signed_duration_since(self.clock.now()));
        Ok(refused(what, left))
    }

    /// What the device is counted under, if it is one of the account's.
    async fn known(&self, account: Account, device: Option<DeviceId>) -> Result<Option<[u8; 32]>> {
        let Some(device) = device else { return Ok(None) };
        let known = account.on(device);
        Ok(self.ticket(KNOWN_DEVICE, known).await?.map(|_| known))
    }

    async fn blocked(&self, hash: [u8; 32]) -> Result<Option<TimeDelta>> {
        let found = self.ticket(BLOCKED, hash).await?;
        Ok(found.map(|ticket| ticket.expires_at.signed_duration_since(self.clock.now())))
    }

    async fn count(&self, hash: [u8; 32], window: Duration) -> Result<u64> {
        self.counted(FAILURES, hash, window).await
    }

    async fn counted(&self, kind: &'static str, hash: [u8; 32], window: Duration) -> Result<u64> {
        let (key, now) = (TicketKey { kind, hash }, self.clock.now());
        Ok(self.store.bump_ticket(self.app, &key, now, later(now, window)).await?)
    }

    async fn ticket(&self, kind: &'static str, hash: [u8; 32]) -> Result<Option<Ticket>> {
        Ok(self.store.ticket(self.app, &TicketKey { kind, hash }, self.clock.now()).await?)
    }

    async fn take(&self, kind: &'static str, hash: [u8; 32]) -> Result<()> {
        self.store.take_ticket(self.app, &TicketKey { kind, hash }, self.clock.now()).await?;
        Ok(())
    }

    /// Stores a ticket; one without a lifetime voids the one that is there, without the cost of a durable write.
    async fn put(
        &self,
        kind: &'static str,
        hash: [u8; 32],
        lifetime: Duration,
        payload: Vec<u8>,
    ) -> Result<()> {
        let expires_at = later(self.clock.now(), lifetime);
        let ticket = Ticket { key: TicketKey { kind, hash }, payload, expires_at };
        Ok(self.store.put_ticket(self.app, &ticket).await?)
    }
}

/// SHA-256 of the parts, each with its length, so that no two lists are hashed alike.
pub(super) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    let mut hash = [0_u8; 32];
    for (slot, byte) in hash.iter_mut().zip(context.finish().as_ref()) {
        *slot = *byte;
    }
    hash
}

/// How long the account is blocked that was blocked so often before.
fn delay(limits: &Limits, before: u32) -> Duration {
    let (first, longest) = (*limits.login_block.start(), *limits.login_block.end());
    let doubled = 1_u32.checked_shl(before).and_then(|factor| first.checked_mul(factor));
    doubled.map_or(longest, |doubled| doubled.min(longest))
}

fn hash_of(peer: IpAddr) -> [u8; 32] {
    let counted = match peer.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() >> IPV6_NETWORK_BITS << IPV6_NETWORK_BITS).to_string()
        }
    };
    hash(&[b"address", counted.as_bytes()])
}

fn refused(what: &str, left: TimeDelta) -> Error {
    metrics::rate_limited();
    let seconds = left.num_milliseconds().saturating_add(999).div_euclid(1000).clamp(1, LONGEST_RETRY_AFTER);
    let error = Error::new(ErrorKind::TooManyRequests, format!("{what}, try again later"));
    error.with_retry_after(u32::try_from(seconds).unwrap_or(1))
}

fn later(now: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests;
