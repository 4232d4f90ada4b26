//! Names of the generated API (app-services.md, section 5.2).
//!
//! 1. A raw name (title, collection, field) is first made a GraphQL name: characters other than ASCII
//!    letters, digits and `_` go; where a separator went (anything that is no letter or digit in any
//!    script), the next letter is upper-cased; digits at the start go; names starting `__` are dropped.
//! 2. A type is the singular of its title with the first letter upper-cased; nothing else changes case.
//! 3. The singular query is the type's name with the first letter lower-cased; the plural one its natural
//!    plural, or the singular + `s` where that is the same or natural plurals are off.

mod inflect;

pub(crate) use inflect::{pluralize, singularize};

/// A raw name as a GraphQL name; `None` when nothing is left or it is reserved.
pub(crate) fn sanitize(raw: &str) -> Option<String> {
    let mut name = String::with_capacity(raw.len());
    let mut after_separator = false;
    for c in raw.chars() {
        if c.is_ascii_digit() && name.is_empty() {
            continue;
        }
        if c.is_ascii_alphanumeric() || c == '_' {
            name.push(if after_separator && !name.is_empty() { c.to_ascii_uppercase() } else { c });
            after_separator = false;
        } else if !c.is_alphanumeric() {
            after_separator = true;
        }
    }
    let is_reserved = raw.starts_with("__") || name.starts_with("__");
    (!name.is_empty() && !is_reserved).then_some(name)
}

/// The type's name for a title or a collection's name.
pub(crate) fn type_name(title: &str) -> Option<String> {
    sanitize(title).map(|name| upper_first(&singularize(&name)))
}

/// The type of an embedded object: the parent's name, then the field's singular.
pub(crate) fn embedded_type_name(parent: &str, field: &str) -> String {
    format!("{parent}{}", upper_first(&singularize(field)))
}

/// `<T><Field>RelationInput`; the field keeps its text.
pub(crate) fn relation_input_name(parent: &str, field: &str) -> String {
    format!("{parent}{}RelationInput", upper_first(field))
}

/// The names that a collection's type gives its root fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RootNames {
    /// `person`.
    pub(crate) singular: String,
    /// `people`.
    pub(crate) plural: String,
    /// `Person`.
    pub(crate) one: String,
    /// `People`.
    pub(crate) many: String,
}

impl RootNames {
    /// The names for a type; `natural` is `use_natural_pluralization`.
    pub(crate) fn new(type_name: &str, natural: bool) -> Self {
        let singular = lower_first(type_name);
        let plural = match pluralize(&singular) {
            plural if natural && plural != singular => plural,
            _ => format!("{singular}s"),
        };
        Self { many: upper_first(&plural), one: type_name.to_owned(), singular, plural }
    }
}

/// With the first letter in upper case.
pub(crate) fn upper_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}", first.to_ascii_uppercase(), chars.as_str()))
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}", first.to_ascii_lowercase(), chars.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_give_the_names_of_the_original() {
        let cases = [
            ("mouse", "Mouse", "mouse", "mice"),
            ("taxa", "Taxa", "taxa", "taxas"),
            ("history_incident", "History_incident", "history_incident", "history_incidents"),
            ("Person", "Person", "person", "people"),
            ("people", "Person", "person", "people"),
            ("data", "Datum", "datum", "data"),
            ("news", "News", "news", "newss"),
            ("quickadd", "Quickadd", "quickadd", "quickadds"),
            ("entity", "Entity", "entity", "entities"),
            ("status", "Status", "status", "statuses"),
            ("series", "Series", "series", "seriess"),
            ("ReportTranslations", "ReportTranslation", "reportTranslation", "reportTranslations"),
            ("UserAdminData", "UserAdminDatum", "userAdminDatum", "userAdminData"),
            ("checklists", "Checklist", "checklist", "checklists"),
            ("order_line", "Order_line", "order_line", "order_lines"),
        ];
        for (title, expected, singular, plural) in cases {
            let name = type_name(title).unwrap();
            assert_eq!(name, expected, "{title}");
            let names = RootNames::new(&name, true);
            assert_eq!((names.singular.as_str(), names.plural.as_str()), (singular, plural), "{title}");
        }
    }

    #[test]
    fn mutation_names_use_the_plural_with_a_capital() {
        let many = |title: &str| RootNames::new(&type_name(title).unwrap(), true).many;
        assert_eq!(many("history_incident"), "History_incidents");
        assert_eq!(many("taxa"), "Taxas");
        assert_eq!(many("person"), "People");
    }

    #[test]
    fn without_natural_plurals_an_s_is_appended() {
        for (title, plural) in [("mouse", "mouses"), ("person", "persons"), ("entity", "entitys")] {
            assert_eq!(RootNames::new(&type_name(title).unwrap(), false).plural, plural);
        }
    }

    #[test]
    fn field_names_lose_what_graphql_cannot_carry() {
        let cases = [
            ("Alleged deployer of AI system", Some("AllegedDeployerOfAISystem")),
            ("Unit price", Some("UnitPrice")),
            ("unit price", Some("unitPrice")),
            ("página", Some("pgina")),
            ("3dmodel_id", Some("dmodel_id")),
            ("$comment", Some("comment")),
            ("name ", Some("name")),
            ("foo-bar", Some("fooBar")),
            ("a.b", Some("aB")),
            ("snake_case", Some("snake_case")),
            ("_id", Some("_id")),
            ("__v", None),
            ("__x", None),
            ("1__x", None),
            ("123", None),
            ("日本", None),
            ("", None),
        ];
        for (raw, expected) in cases {
            assert_eq!(sanitize(raw).as_deref(), expected, "{raw:?}");
        }
    }

    #[test]
    fn embedded_types_and_relation_inputs_are_named_after_their_parent() {
        let cases = [
            ("Incident", "embedding", "IncidentEmbedding"),
            ("Classification", "attributes", "ClassificationAttribute"),
            ("TaxaField_list", "item_fields", "TaxaField_listItem_field"),
        ];
        for (parent, field, expected) in cases {
            assert_eq!(embedded_type_name(parent, field), expected);
        }
        assert_eq!(
            relation_input_name("Subscription", "incident_id"),
            "SubscriptionIncident_idRelationInput"
        );
    }
}
