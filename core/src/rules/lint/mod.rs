//! What rules say that their author hardly meant: warnings, never errors.
//!
//! 1. An expression is judged for any user and any document ([`truth`]); what cannot be told is taken to be meant.
//! 2. What a schema says of a field is believed, also where writes are not validated.
//! 3. A role that is closed is left out: the report names it already.

mod conflict;
mod dead;
mod escalation;
mod inserts;
mod leaf;
mod overruled;
mod permission;
mod places;
#[cfg(test)]
mod properties;
mod shadow;
#[cfg(test)]
mod tests;
mod truth;
mod types;

use super::role::{CollectionRules, Grants, Role};
use crate::id::CollectionId;
use crate::report::Report;
use crate::schema::ObjectSchema;

/// The rules of one file, and what they are about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) scope: Scope<'a>,
    pub(crate) rules: &'a CollectionRules,
    /// The file of the rules; empty when there is none.
    pub(crate) file: &'a str,
    /// What the documents look like, where that is known.
    pub(crate) schema: Option<&'a ObjectSchema>,
}

/// Where rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope<'a> {
    Collection(&'a CollectionId),
    /// The default rules of a data source.
    Service(&'a str),
}

/// Where custom user data are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UserData<'a> {
    pub(crate) collection: &'a CollectionId,
    /// The field that says whose they are.
    pub(crate) user_id_field: &'a str,
}

/// What is looked for in each file.
const LINTS: [fn(Subject<'_>, &mut Report); 4] = [dead::find, shadow::find, overruled::find, inserts::find];

/// Warns of what the rules of an app say and hardly mean.
pub(crate) fn lint(subjects: &[Subject<'_>], custom_data: Option<UserData<'_>>, report: &mut Report) {
    for subject in subjects {
        for find in LINTS {
            find(*subject, report);
        }
    }
    if let Some(custom_data) = custom_data {
        escalation::find(subjects, custom_data, report);
    }
}

impl<'a> Subject<'a> {
    /// The roles that are not closed, with their pointers.
    fn open_roles(self) -> impl Iterator<Item = (String, &'a Role, &'a Grants)> {
        let roles = self.rules.roles.iter().enumerate();
        roles.filter_map(|(index, role)| Some((format!("/roles/{index}"), role, role.grants.as_ref()?)))
    }
}
