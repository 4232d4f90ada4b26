//! The one list of what a store promises, in the order of the traits.

mod keys;
mod registrations;
mod sessions;
mod tickets;
mod users;

use crate::check::{Category, Check};

/// Builds the list: a module with its category, then the sentences that stand in it.
macro_rules! list {
    ($($module:ident $category:ident { $($check:ident,)* })*) => {
        vec![$($(Check {
            name: concat!(stringify!($module), "::", stringify!($check)),
            category: Category::$category,
            run: |factory| Box::pin($module::$check(factory)),
        },)*)*]
    };
}

/// Every check, in order.
pub fn checks() -> Vec<Check> {
    list! {
        users Accounts {
            a_user_reads_back_as_it_was_written,
            a_missing_user_is_none,
            an_identity_that_exists_in_the_app_is_duplicate_key_and_nothing_is_written,
            of_50_parallel_inserts_of_one_identity_exactly_one_succeeds,
            the_same_id_under_another_provider_or_in_another_app_is_another_identity,
            nothing_of_another_app_is_ever_found_or_touched,
            one_user_id_in_two_apps_is_two_users,
            replace_user_writes_all_of_it,
            replace_at_another_epoch_is_conflict_and_nothing_is_written,
            replace_of_no_such_user_is_conflict_and_nothing_is_written,
            an_added_identity_that_is_taken_is_duplicate_key_and_nothing_is_written,
            an_identity_that_is_gone_from_the_list_is_free_again,
            of_50_parallel_replaces_at_one_epoch_exactly_one_succeeds,
            touch_notes_the_time_and_a_missing_user_is_no_error,
            delete_says_whether_there_was_one,
            after_delete_its_identities_are_free_again_and_its_sessions_are_gone,
            users_are_listed_in_the_order_of_their_ids_after_one_and_at_most_so_many,
        }
        registrations Accounts {
            a_registration_reads_back_as_it_was_written,
            a_registered_address_is_duplicate_key,
            of_50_parallel_inserts_of_one_address_exactly_one_succeeds,
            letters_case_matters,
            an_address_in_another_app_is_another_registration,
            replace_writes_if_the_hash_is_still_the_expected_one,
            replace_of_another_hash_or_no_such_registration_is_conflict_and_nothing_is_written,
            of_50_parallel_replaces_of_one_hash_exactly_one_succeeds,
            delete_says_whether_there_was_one,
        }
        sessions Sessions {
            a_session_reads_back_with_its_user_in_one_read,
            a_session_for_a_user_that_does_not_exist_is_conflict,
            a_session_for_a_user_that_was_deleted_is_conflict,
            a_log_in_that_races_a_delete_leaves_no_session_behind,
            a_missing_deleted_or_foreign_session_is_none,
            expired_and_disabled_ones_are_returned,
            a_session_shows_the_user_as_it_is_now,
            touch_notes_the_time_and_a_missing_session_is_no_error,
            of_50_parallel_deletes_exactly_one_says_yes,
            every_session_of_a_user_ends_and_no_other,
            purge_removes_what_expired_before_now_in_all_apps,
        }
        tickets Tickets {
            a_ticket_is_taken_once_and_comes_as_it_was_put,
            a_ticket_of_the_same_key_is_replaced,
            of_50_parallel_takes_exactly_one_gets_it,
            of_50_parallel_puts_of_one_key_one_ticket_stands,
            taking_an_expired_missing_or_foreign_one_or_one_of_another_kind_is_none,
            a_ticket_is_read_without_using_it_up,
            reading_an_expired_or_missing_one_is_none,
            a_counter_starts_at_1_when_there_is_none_or_it_has_expired,
            a_living_counter_keeps_the_expiry_that_it_has,
            counters_of_another_key_kind_or_app_are_other_counters,
            fifty_parallel_bumps_return_50_different_counts,
            purge_removes_tickets_and_counters_that_expired_before_now_in_all_apps,
        }
        keys Keys {
            signing_keys_come_oldest_first_as_they_were_written,
            a_key_is_added_only_if_there_are_exactly_as_many_as_expected,
            of_50_parallel_first_keys_exactly_one_is_added,
            removing_a_key_says_whether_there_was_one,
            signing_keys_of_another_app_are_other_keys,
            a_value_is_stored_unless_there_is_one_and_the_standing_one_returned,
            of_50_parallel_writers_all_get_the_same_value_back,
            values_under_another_key_or_app_are_other_values,
        }
    }
}
