//! A named check and its category.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::factory::StoreFactory;

/// A check while it runs.
pub type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One promise that a store keeps.
#[derive(Clone, Copy)]
pub struct Check {
    /// `concept::sentence`, unique.
    pub name: &'static str,
    /// What a backend that cannot keep it excludes.
    pub category: Category,
    /// Opens a store and panics when the promise is broken.
    pub run: for<'a> fn(&'a dyn StoreFactory) -> Running<'a>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({}, {})", self.name, self.category)
    }
}

/// Groups of checks that a backend may exclude, with a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// Users, identities and registrations.
    Accounts,
    /// API keys.
    ApiKeys,
    /// Sessions.
    Sessions,
    /// Tickets and counters.
    Tickets,
    /// Signing keys and metadata.
    Keys,
    /// What filters match.
    Filters,
    /// In which order documents come.
    Ordering,
    /// Limits, counts, cursors and snapshots.
    Reading,
    /// Transactions and writes.
    Transactions,
    /// Indexes, unique ones included.
    Indexes,
    /// Names, sizes and identifiers off the beaten track.
    Names,
    /// What a store lists of itself, and copies.
    Listing,
    /// What is still there after a restart; only for persistent stores.
    Restart,
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
