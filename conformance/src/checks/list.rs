//! The one list.

use super::{
    api_keys, filters, idle_users, indexes, keys, listing, names, ordering, reading, registrations, restart,
    sessions, tickets, transactions, users,
};
use crate::check::{Category, Check};

/// Builds the list: a module with its category, then the sentences that stand in it.
macro_rules! list {
    ($($module:ident $category:ident { $($check:ident,)* })*) => {
        /// Every check, in order.
        pub fn checks() -> Vec<Check> {
            vec![$($(Check {
            name: concat!(stringify!($module), "::", stringify!($check)),
            category: Category::$category,
            run: |factory| Box::pin($module::$check(factory)),
        },)*)*]
        }
    };
}

list! {
    users Accounts {
        a_user_reads_back_as_it_was_written,
        a_missing_user_is_none,
        an_identity_that_exists_in_the_app_is_duplicate_key_and_nothing_is_written,
        of_50_parallel_inserts_of_one_identity_exactly_one_succeeds,
        without_its_registration_a_registered_user_is_conflict_and_nothing_is_written,
        a_registered_user_whose_identity_exists_is_duplicate_key_and_nothing_is_written,
        of_50_parallel_inserts_and_a_delete_none_leaves_a_user_without_its_registration,
        the_same_id_under_another_provider_or_in_another_app_is_another_identity,
        nothing_of_another_app_is_ever_found_or_touched,
        one_user_id_in_two_apps_is_two_users,
        replace_user_writes_all_of_it,
        replace_of_a_user_who_has_changed_is_conflict_and_nothing_is_written,
        replace_keeps_a_later_log_in_that_was_noted_meanwhile,
        replace_of_no_such_user_is_conflict_and_nothing_is_written,
        an_added_identity_that_is_taken_is_duplicate_key_and_nothing_is_written,
        an_identity_that_is_gone_from_the_list_is_free_again,
        of_50_parallel_replaces_from_one_state_exactly_one_succeeds,
        of_50_parallel_links_that_repeat_after_a_conflict_none_is_lost,
        touch_notes_the_time_and_a_missing_user_is_no_error,
        delete_says_whether_there_was_one,
        after_delete_its_identities_are_free_again_and_its_sessions_are_gone,
        after_delete_its_api_keys_are_gone,
        after_delete_the_registrations_of_its_local_userpass_identities_are_gone_and_their_addresses_free_again,
        users_are_listed_in_the_order_of_their_ids_after_one_and_at_most_so_many,
    }
    idle_users Accounts {
        a_user_with_an_identity_of_another_provider_stays,
        a_user_who_was_created_logged_in_or_seen_at_the_given_moment_or_later_stays,
        with_each_goes_all_that_goes_with_a_deleted_user,
        of_50_parallel_calls_each_removed_user_is_counted_by_exactly_one,
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
        move_writes_all_of_it_and_the_old_address_is_free_again,
        move_at_another_hash_or_of_no_such_registration_is_conflict_and_nothing_is_written,
        move_to_an_address_that_is_registered_is_duplicate_key_and_nothing_is_written,
        of_50_parallel_moves_of_one_registration_exactly_one_succeeds,
        of_50_parallel_moves_to_one_address_exactly_one_succeeds,
        pending_ones_come_in_the_byte_order_of_their_addresses_after_one_and_at_most_so_many,
        among_the_pending_confirmed_ones_are_left_out,
        unclaimed_confirmed_or_not_are_those_that_nobody_has_logged_in_by,
        delete_says_whether_there_was_one,
    }
    api_keys ApiKeys {
        a_key_reads_back_as_it_was_written,
        with_most_keys_of_that_owner_it_is_not_added_whatever_else_is_wrong_with_it,
        of_50_parallel_inserts_exactly_most_are_added,
        a_name_taken_among_the_apps_server_keys_or_the_users_own_is_duplicate_key_and_nothing_is_written,
        of_50_parallel_inserts_of_one_name_exactly_one_succeeds,
        an_id_or_a_hash_taken_in_the_app_is_duplicate_key_and_nothing_is_written,
        a_key_for_a_user_that_does_not_exist_any_more_is_conflict,
        an_insert_that_races_a_delete_leaves_no_key_behind,
        a_missing_or_foreign_key_is_none_and_a_disabled_one_is_returned,
        an_unknown_or_foreign_hash_is_none_and_a_disabled_key_is_returned,
        keys_come_oldest_first_those_of_one_moment_in_the_order_of_their_ids,
        the_server_key_that_logs_in_as_a_user_is_not_among_the_users_own,
        disabling_says_whether_there_was_one_be_it_changed_or_not,
        of_50_parallel_deletes_exactly_one_says_yes,
        after_delete_its_name_and_hash_are_free_again,
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
        a_users_sessions_come_oldest_first_those_of_one_moment_in_the_order_of_their_ids,
        each_listed_session_comes_with_what_its_client_said_as_it_was_written,
        every_session_of_a_user_ends_and_no_other,
        an_excepted_session_goes_on_and_one_that_is_not_the_users_keeps_none_alive,
        the_sessions_of_one_identity_end_and_it_returns_how_many,
        sessions_of_the_same_identity_id_under_another_provider_or_of_another_user_go_on,
        the_last_session_end_is_the_latest_among_those_opened_before_past_or_not,
        without_such_a_session_the_last_session_end_is_none,
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
        signing_keys_are_of_whatever_algorithm,
        a_key_is_added_only_if_there_are_exactly_as_many_as_expected,
        of_50_parallel_first_keys_exactly_one_is_added,
        removing_a_key_says_whether_there_was_one,
        signing_keys_of_another_app_are_other_keys,
        a_value_is_stored_unless_there_is_one_and_the_standing_one_returned,
        of_50_parallel_writers_all_get_the_same_value_back,
        values_under_another_key_or_app_are_other_values,
    }
    filters Filters {
        equality_with_a_scalar_finds_it_and_arrays_that_hold_it,
        equality_is_the_same_across_number_widths,
        equality_with_null_finds_null_and_missing,
        equality_with_nan_finds_nan,
        equality_with_an_array_finds_the_whole_array_or_an_element,
        equality_with_a_document_is_of_the_whole_in_its_order,
        greater_and_less_stay_within_the_type_bracket,
        ranges_with_null_nan_and_arrays_follow_the_reference,
        two_ranges_may_hold_for_two_elements_of_an_array,
        in_finds_what_equals_one_of_the_values,
        in_finds_what_equals_one_of_thousands_of_values,
        exists_finds_stored_nulls_too,
        elem_match_asks_one_element_for_everything,
        what_no_index_helps_with_is_tested,
        and_or_not_are_two_valued,
        always_never_and_empty_lists,
        dotted_paths_look_into_documents_and_arrays_of_them,
        digits_in_a_path_are_array_indexes_and_field_names,
    }
    ordering Ordering {
        without_a_sort_documents_come_in_the_order_of_insertion,
        mixed_types_sort_by_bracket_and_missing_counts_as_null,
        an_array_sorts_as_its_smallest_or_largest_element,
        ties_keep_the_order_of_insertion_in_both_directions,
        two_keys_sort_one_after_the_other,
        a_limit_cuts_after_the_sort,
    }
    reading Reading {
        at_most_as_many_as_the_querys_limit,
        the_limit_counts_and_the_sort_does_not,
        a_collection_that_nothing_was_ever_written_to_is_empty,
        a_cursor_gives_at_most_a_batch_and_the_end_stays_the_end,
        all_reads_of_a_snapshot_see_one_state,
        a_cursor_reads_the_state_of_its_snapshot_to_its_end,
        a_transactions_cursor_reads_the_state_as_it_was_at_find,
    }
    transactions Transactions {
        commit_makes_everything_visible_at_once,
        rollback_undoes_everything,
        dropping_a_transaction_rolls_it_back_and_lets_the_next_one_in,
        a_transaction_sees_its_own_writes,
        past_the_deadline_it_is_deadline_exceeded_and_nothing_was_written,
        an_insert_of_a_taken_id_is_duplicate_key,
        a_replace_or_delete_of_an_id_that_is_not_there_is_conflict,
        after_a_failure_no_part_of_the_transaction_is_ever_committed,
        an_id_may_not_be_an_array_nor_change_in_a_replace,
        writes_are_carried_out_in_order,
        fifty_parallel_transactions_on_one_counter_lose_nothing,
    }
    indexes Indexes {
        preparing_twice_is_no_error,
        an_index_that_is_no_longer_listed_goes_away,
        preparing_one_collection_leaves_the_others_alone,
        a_new_index_covers_the_documents_that_are_already_there,
        a_unique_index_over_duplicates_is_duplicate_key_and_names_the_index,
        a_write_that_breaks_a_unique_index_is_duplicate_key,
        in_a_unique_index_a_missing_field_counts_as_null,
        a_unique_index_holds_every_element_of_an_array,
        a_unique_index_of_two_keys_is_broken_by_both_together_only,
    }
    names Names {
        collections_differ_by_each_of_their_four_parts,
        collections_may_have_any_name,
        fields_may_have_any_name,
        a_document_of_a_megabyte_reads_back,
        documents_come_back_with_types_and_field_order_as_written,
        an_id_may_be_of_any_type_but_array,
    }
    listing Listing {
        apps_are_those_that_have_facts_in_order,
        facts_come_in_the_order_of_their_keys_and_of_one_app,
        tickets_and_counters_are_listed_in_order_and_kept_as_listed,
        collections_are_listed_in_order_with_their_indexes,
        a_copy_holds_everything_and_is_gone_on_with,
        a_copy_into_a_store_that_holds_something_else_tells_the_part,
    }
    restart Restart {
        documents_and_unique_indexes_are_still_there,
        accounts_api_keys_sessions_tickets_signing_keys_and_metadata_are_still_there,
    }
}
