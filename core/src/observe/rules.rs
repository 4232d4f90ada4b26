//! What rules did to the documents of one request, in the shape of the original's logs.
//!
//! 1. Counted are documents that the engine has had in its hands: those that a find let through, and new ones that
//!    are to be inserted. Rules are pushed into the store's query, so that a document that they exclude is never
//!    fetched and never counted, under no role and not under `no_matching_role`. Where a rule is judged document by
//!    document, what it refuses is not counted either: which rule a store can filter by changes no figure.
//! 2. Every find counts: the documents of each relation, those that a condition on related documents asks for, and
//!    those that a mutation changes or removes. A document that two finds give is counted twice.
//! 3. The system has no roles, and a collection that no rule covers has none: neither is counted.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::rules::Decider;

/// The figures of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleMetrics {
    /// By `database.collection`.
    pub namespaces_metrics: BTreeMap<String, NamespaceMetrics>,
}

/// The figures of one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NamespaceMetrics {
    /// By the roles' names; roles of one name share their figures.
    pub roles: BTreeMap<String, RoleMetrics>,
    /// New documents to which no role applied, so that they were not inserted. A stored document to which none
    /// applies is excluded by the store's query and does not come here.
    pub no_matching_role: u64,
}

/// The figures of one role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RoleMetrics {
    /// Documents that the role decided on.
    pub matching_documents: u64,
    /// Of documents that the role shows field by field: the fields that were asked for and are there. An embedded
    /// object is one field. A document that the role shows as a whole has none: nothing had to be evaluated.
    pub evaluated_fields: u64,
    /// How many of them were hidden as a whole.
    pub discarded_fields: u64,
}

impl RuleMetrics {
    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.namespaces_metrics.is_empty()
    }

    pub(crate) fn add(&mut self, namespace: String, counted: NamespaceMetrics) {
        let NamespaceMetrics { roles, no_matching_role } = counted;
        if roles.is_empty() && no_matching_role == 0 {
            return;
        }
        let known = self.namespaces_metrics.entry(namespace).or_default();
        known.no_matching_role += no_matching_role;
        for (name, RoleMetrics { matching_documents, evaluated_fields, discarded_fields }) in roles {
            let role = known.roles.entry(name).or_default();
            role.matching_documents += matching_documents;
            role.evaluated_fields += evaluated_fields;
            role.discarded_fields += discarded_fields;
        }
    }
}

impl NamespaceMetrics {
    /// A document that was decided on.
    pub(crate) fn decided(&mut self, decider: Decider<'_>) {
        match decider {
            Decider::Unruled => {}
            Decider::NoRole => self.no_matching_role += 1,
            Decider::Role(name) => self.role(name).matching_documents += 1,
        }
    }

    /// The figures of the role of this name.
    pub(crate) fn role(&mut self, name: &str) -> &mut RoleMetrics {
        self.roles.entry(name.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_one_namespace_add_up_and_nothing_leaves_no_trace() {
        let mut metrics = RuleMetrics::default();
        metrics.add("db.a".to_owned(), NamespaceMetrics::default());
        assert!(metrics.is_empty());
        for decider in [Decider::Role("owner"), Decider::NoRole, Decider::Role("owner"), Decider::Unruled] {
            let mut counted = NamespaceMetrics::default();
            counted.decided(decider);
            metrics.add("db.a".to_owned(), counted);
        }
        let json = serde_json::to_value(&metrics).unwrap();
        let owner =
            serde_json::json!({ "matching_documents": 2, "evaluated_fields": 0, "discarded_fields": 0 });
        let expected = serde_json::json!({
            "namespaces_metrics": { "db.a": { "roles": { "owner": owner }, "no_matching_role": 1 } }
        });
        assert_eq!(json, expected);
    }
}
