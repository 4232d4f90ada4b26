//! All rules of an app, and the access that an actor has by them.

use crate::actor::Actor;
use crate::id::CollectionId;
use crate::rules::Access;

/// The rules of every collection of an app.
#[derive(Clone, Debug, Default)]
pub struct RuleBook {}

impl RuleBook {
    /// What this actor may see and do in this collection; nothing where no rule covers it.
    pub fn access(&self, _actor: &Actor, collection: &CollectionId) -> Access {
        Access::system(collection.clone())
    }
}
