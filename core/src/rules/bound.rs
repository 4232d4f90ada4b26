//! The rules of a collection with the actor known.

use bson::RawDocument;

use super::answers::Answers;
use super::bind::Facts;
use super::condition::{Condition, Scene};
use super::filters::{BoundFilters, RowFilter};
use super::grants::{BoundRole, reachable};
use super::projection::Projection;
use super::role::CollectionRules;

/// What decides on every document of a collection.
#[derive(Clone, Debug)]
pub(crate) struct BoundRules {
    /// The roles that are left, in their order.
    pub(crate) roles: Vec<BoundRole>,
    /// The filters that apply.
    pub(crate) filters: BoundFilters,
    /// Whether judging a document may call a function.
    pub(crate) calls: bool,
}

impl BoundRules {
    /// The roles of `rules`, and the filters of all.
    pub(crate) fn bind(rules: &CollectionRules, more: Option<&CollectionRules>, facts: Facts<'_>) -> Self {
        let filters = rules.filters.iter().chain(more.into_iter().flat_map(|more| &more.filters));
        let filters = RowFilter::bind_all(filters, facts);
        let roles = reachable(&rules.roles, filters.projection.as_ref().map(Projection::tree), facts);
        let calls = filters.query.calls() || roles.iter().any(BoundRole::calls);
        Self { roles, filters, calls }
    }

    /// Whether the filters let a stored document through.
    pub(crate) fn finds(&self, document: &RawDocument, answers: &Answers) -> bool {
        self.filters.query.holds(Scene::stored(document, answers))
    }

    /// Whether filters leave everything as it is.
    pub(crate) fn is_unfiltered(&self) -> bool {
        self.filters.query == Condition::Always && self.filters.projection.is_none() && !self.filters.is_mixed
    }
}
