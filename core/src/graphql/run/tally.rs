//! Counting what rules do, for a log that wants to know: see [`RuleMetrics`](crate::observe::RuleMetrics).
//!
//! The rules have been asked already, in the store or where a document is written down; here each document is put
//! to them once more, so that those who do not want to know pay nothing.

use std::collections::BTreeSet;

use bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use super::session::Session;
use crate::filter::raw;
use crate::graphql::plan::{Content, DocumentPlan};
use crate::id::CollectionId;
use crate::observe::{NamespaceMetrics, Notes};
use crate::rules::{Access, Decider, FieldMask, Visibility};

impl Session<'_> {
    fn tallying(&self) -> Option<&Notes> {
        self.context.notes.filter(|notes| notes.wants_rules())
    }

    /// Documents that a find has let through.
    pub(super) fn tally_found(&self, collection: &CollectionId, documents: &[RawDocumentBuf]) {
        let Some(notes) = self.tallying() else { return };
        let Some(access) = self.bound_access(collection) else { return };
        let mut counted = NamespaceMetrics::default();
        documents.iter().for_each(|document| counted.decided(access.decider(document)));
        notes.rules(collection.namespace(), counted);
    }

    /// A new document, before the rules are asked whether it may be inserted.
    pub(crate) fn tally_insert(&self, access: &Access, document: &RawDocument) {
        let Some(notes) = self.tallying() else { return };
        let mut counted = NamespaceMetrics::default();
        counted.decided(access.decider_of_insert(document));
        notes.rules(access.collection().namespace(), counted);
    }

    /// The fields that are asked for of documents that are shown field by field.
    pub(super) fn tally_fields(&self, plan: &DocumentPlan, documents: &[RawDocumentBuf], access: &Access) {
        let Some(notes) = self.tallying() else { return };
        let wanted = wanted(plan);
        let mut counted = NamespaceMetrics::default();
        for document in documents {
            let Visibility::Fields(mask) = access.visibility(document) else { continue };
            let Decider::Role(name) = access.decider(document) else { continue };
            let role = counted.role(name);
            for key in &wanted {
                let Some(value) = raw::get(document, key) else { continue };
                role.evaluated_fields += 1;
                role.discarded_fields += u64::from(is_discarded(mask, key, value));
            }
        }
        notes.rules(access.collection().namespace(), counted);
    }

    /// Calls of a function.
    pub(super) fn tally_function(&self, name: &str, calls: u64) {
        if let Some(notes) = self.context.notes {
            notes.function(name, calls);
        }
    }
}

/// The stored keys that a selection asks for, each once.
fn wanted(plan: &DocumentPlan) -> BTreeSet<&str> {
    let key = |content| match content {
        &Content::Stored { slot, .. } => Some(plan.selection.slots.key(slot)),
        Content::Relation { stored, .. } => Some(stored.as_str()),
        Content::Typename(_) | Content::Computed { .. } => None,
    };
    plan.selection.fields.iter().filter_map(|field| key(&field.content)).collect()
}

fn is_discarded(mask: FieldMask<'_>, key: &str, value: RawBsonRef<'_>) -> bool {
    match (mask.field(key), value) {
        (Visibility::Hidden, _) => true,
        (Visibility::Whole, _) => false,
        (seen @ Visibility::Fields(_), RawBsonRef::Document(inner)) => seen.hides_all_of(inner),
        (Visibility::Fields(_), _) => false,
    }
}
