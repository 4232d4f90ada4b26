//! The one list of what a store promises, in the order of the traits.

mod api_keys;
mod filters;
mod idle_users;
mod indexes;
mod keys;
mod list;
mod listing;
mod names;
mod ordering;
mod reading;
mod registrations;
mod restart;
mod sessions;
mod tickets;
mod transactions;
mod users;

pub use list::checks;
