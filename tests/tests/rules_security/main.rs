//! Ways in which other engines let out what their rules hide, tried on this one, on every store.
//!
//! Each case hurt a named project (`graphql.md` §1 of the design). Where it is tested:
//!
//! | case | where |
//! |---|---|
//! | unreadable field in a filter or a sort of a query | `movies_under_rules.rs`: a_field_for_moderators_is_hidden_from_everyone_else |
//! | … in the filter of a mutation | `reading.rs`: an_unreadable_field_finds_nothing_to_write_either |
//! | … that is hidden on some documents only | `reading.rs`: what_is_hidden_on_some_documents_is_missing_there |
//! | … in an aggregate, a cursor, a look-up by unique key | there are none of these; `f: value` of a unique key is a filter |
//! | update returning foreign rows | `reading.rs`: what_a_mutation_returns_is_what_its_caller_may_read |
//! | inherited role columns | `reading.rs`: a_second_role_adds_no_field_to_the_first |
//! | name leak in validation text; `__type` through fragments | `graphql_names_untold.rs` |
//! | existence by a unique violation | `existence.rs`: two tests about keys that are taken |
//! | … by 404 against 403, null against an error, counts | `existence.rs`: a_hidden_document_and_none_are_answered_alike |
//! | … by counts over all | `existence.rs`: counts_are_of_what_is_seen |
//! | upsert needs both rights | `existence.rs`: an_upsert_needs_the_right_to_insert_and_the_right_to_update |
//! | relation filter into a forbidden collection | `relations.rs`: a_condition_on_a_forbidden_collection_finds_nothing |
//! | relation through an unreadable key, or unreadable documents | `graphql_related.rs` |
//! | nested write to a forbidden relation | `relations.rs`: nothing_is_created_through_a_relation_that_forbids_it; `graphql_relations_written.rs`: a_failure_anywhere_undoes_what_was_created_for_it |
//! | link to what may not be seen | `relations.rs`: a_link_does_not_tell_whether_its_target_exists |
//! | alias fan-out, batched log-in | `log_in.rs`; failed log-ins in parallel: `attacks/throttling.rs` |
//! | subscription whose rules change | there are no subscriptions |
//! | whether an address has an account | `hidden_accounts.rs` |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod existence;
mod log_in;
mod notes;
mod reading;
mod relations;
