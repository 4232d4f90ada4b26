//! Failed log-ins slow the next ones down.
//!
//! 1. Counters and blocks are tickets of the store, so that all processes share them.
//! 2. Names that nobody has are counted like the others.
//! 3. A blocked account still lets in the devices that have logged in before. A device that fails too often
//!    itself is known no more.
//! 4. An address is counted over all accounts, and a success does not clear it.
//! 5. The answer is 429 with the seconds left, never 401: clients take a 401 for the end of a session.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ring::digest::{Context, SHA256};

use super::provider::ProviderContext;
use crate::env::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AppId, DeviceId};
use crate::limits::Limits;
use crate::store::{Ticket, TicketKey, TicketStore};

const FAILURES: &str = "failures";
const BLOCKED: &str = "blocked";
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

    /// Counts a failure for the account, and for the device if it is one of the account's.
    pub(super) async fn failed(&self, account: Account, device: Option<DeviceId>) -> Result<()> {
        let limits = self.limits;
        if let Some(known) = self.known(account, device).await?
            && self.count(known, limits.login_failure_window).await? >= limits.login_failures
        {
            self.take(KNOWN_DEVICE, known).await?;
        }
        let failures = self.count(account.0, limits.login_failure_window).await?;
        match delay(limits, failures) {
            Some(delay) => self.put(BLOCKED, account.0, delay).await,
            None => Ok(()),
        }
    }

    /// Clears the counters of the account and of the device.
    pub(super) async fn succeeded(&self, account: Account, device: Option<DeviceId>) -> Result<()> {
        for counted in [Some(account.0), device.map(|device| account.on(device))].into_iter().flatten() {
            // Taking is a durable write, looking is not.
            if self.ticket(FAILURES, counted).await?.is_some() {
                self.take(FAILURES, counted).await?;
            }
        }
        Ok(())
    }

    /// Makes the device one of the account's.
    pub(super) async fn remember(&self, account: Account, device: DeviceId) -> Result<()> {
        self.put(KNOWN_DEVICE, account.on(device), self.limits.known_device).await
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
            self.put(BLOCKED, address, limits.address_block).await?;
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

    async fn put(&self, kind: &'static str, hash: [u8; 32], lifetime: Duration) -> Result<()> {
        let expires_at = later(self.clock.now(), lifetime);
        let ticket = Ticket { key: TicketKey { kind, hash }, payload: Vec::new(), expires_at };
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

/// How long the account is blocked after this many failures.
fn delay(limits: &Limits, failures: u64) -> Option<Duration> {
    let beyond = failures.checked_sub(limits.login_failures)?;
    let (first, longest) = (*limits.login_block.start(), *limits.login_block.end());
    let factor = u32::try_from(beyond).ok().and_then(|beyond| 1_u32.checked_shl(beyond));
    let doubled = factor.and_then(|factor| first.checked_mul(factor));
    Some(doubled.map_or(longest, |doubled| doubled.min(longest)))
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
