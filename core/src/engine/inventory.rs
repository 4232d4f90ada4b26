//! What an app is made of, and what it needs besides: for who brings an export back.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::app::{AppConfig, AuthTrigger, ConfigValue};
use crate::functions::FunctionSource;

/// What an app is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inventory {
    /// The providers by type, and whether each is enabled.
    pub providers: Vec<(String, bool)>,
    /// How many relationships there are.
    pub relationships: usize,
    /// The custom resolvers: `Query.total`, and the function.
    pub resolvers: Vec<(String, String)>,
    /// The functions, those that are named and not there too.
    pub functions: Vec<ListedFunction>,
    /// The authentication triggers.
    pub triggers: Vec<ListedTrigger>,
    /// The secrets that values stand in and that nobody has handed in.
    pub missing_secrets: Vec<String>,
}

/// A function, and where it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedFunction {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: FunctionKind,
    /// What calls it, clients aside: `resolver Query.total`, `trigger welcome`, `log-in`, `rules of shop.orders`.
    pub used_by: Vec<String>,
}

/// What a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// The host's.
    Native,
    /// The export's source.
    JavaScript,
    /// The manifest or something else names it, and there is no source.
    Missing,
}

/// An authentication trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedTrigger {
    /// What it is called.
    pub name: String,
    /// `CREATE`, `LOGIN` or `DELETE`.
    pub kind: &'static str,
    /// Its function.
    pub function: String,
    /// The collection, `database.name`, into which its function inserts one document and does nothing else: then the
    /// setting `userDocument` does without it.
    pub inserts_into: Option<String>,
}

impl Inventory {
    /// What a configuration has; `is_native` tells which functions the host has.
    pub fn of(config: &AppConfig, is_native: &dyn Fn(&str) -> bool) -> Self {
        let providers = config.auth.providers.iter();
        let resolvers = config.graphql.resolvers.iter();
        let missing = config.values.values().filter_map(|value| match value {
            ConfigValue::Missing { secret } => Some(secret.clone()),
            ConfigValue::Plain(_) | ConfigValue::Secret(_) => None,
        });
        Self {
            providers: providers
                .map(|provider| (provider.kind.type_name().to_owned(), !provider.disabled))
                .collect(),
            relationships: config.collections.iter().map(|collection| collection.relationships.len()).sum(),
            resolvers: resolvers
                .map(|resolver| {
                    (format!("{}.{}", resolver.on_type, resolver.field), resolver.function.clone())
                })
                .collect(),
            functions: functions(config, is_native),
            triggers: config.triggers.iter().map(|trigger| listed(trigger, &config.functions)).collect(),
            missing_secrets: missing.collect(),
        }
    }
}

fn functions(config: &AppConfig, is_native: &dyn Fn(&str) -> bool) -> Vec<ListedFunction> {
    let mut uses: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for function in &config.functions {
        uses.entry(&function.name).or_default();
    }
    for resolver in &config.graphql.resolvers {
        let user = format!("resolver {}.{}", resolver.on_type, resolver.field);
        uses.entry(&resolver.function).or_default().push(user);
    }
    for named in config.auth.named_functions() {
        uses.entry(named.name).or_default().push(named.without.trim_start_matches("every ").to_owned());
    }
    for trigger in &config.triggers {
        uses.entry(&trigger.function).or_default().push(format!("trigger {}", trigger.name));
    }
    let mut in_rules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for collection in &config.collections {
        let user = format!("rules of {}", collection.id.namespace());
        if let Some(rules) = &collection.rules {
            note_calls(&rules.json, &user, &mut in_rules);
        }
    }
    for default in &config.default_rules {
        note_calls(&default.rules.json, &format!("default rules of {}", default.service), &mut in_rules);
    }
    for (name, users) in &in_rules {
        uses.entry(name).or_default().extend(users.iter().cloned());
    }
    let kind = |name: &str| match source(&config.functions, name) {
        _ if is_native(name) => FunctionKind::Native,
        Some(source) if source.code.is_some() => FunctionKind::JavaScript,
        _ => FunctionKind::Missing,
    };
    let listed = |(name, used_by): (&str, Vec<String>)| ListedFunction {
        name: name.to_owned(),
        kind: kind(name),
        used_by,
    };
    uses.into_iter().map(listed).collect()
}

/// The functions that `%function` calls somewhere in an expression.
fn note_calls(json: &Value, user: &str, found: &mut BTreeMap<String, Vec<String>>) {
    match json {
        Value::Object(members) => {
            for (key, value) in members {
                let name = value.get("name").and_then(Value::as_str);
                if let (true, Some(name)) = (["%function", "$function"].contains(&key.as_str()), name) {
                    let users = found.entry(name.to_owned()).or_default();
                    if !users.iter().any(|known| known == user) {
                        users.push(user.to_owned());
                    }
                }
                note_calls(value, user, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| note_calls(item, user, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn source<'f>(functions: &'f [FunctionSource], name: &str) -> Option<&'f FunctionSource> {
    functions.iter().find(|function| function.name == name || function.path_name() == Some(name))
}

fn listed(trigger: &AuthTrigger, functions: &[FunctionSource]) -> ListedTrigger {
    let code = source(functions, &trigger.function).and_then(|source| source.code.as_deref());
    let kind = trigger.kind.as_str();
    ListedTrigger {
        name: trigger.name.clone(),
        kind,
        function: trigger.function.clone(),
        inserts_into: code.filter(|_| kind == "CREATE").and_then(only_insert),
    }
}

/// The collection into which a source inserts one document, if it does nothing else with data or other servers. It is
/// a look at the words of the source, not an understanding of it: who relies on it reads the function first.
fn only_insert(code: &str) -> Option<String> {
    const OTHERS: [&str; 17] = [
        ".insertMany(",
        ".updateOne(",
        ".updateMany(",
        ".deleteOne(",
        ".deleteMany(",
        ".find(",
        ".findOne(",
        ".findOneAndUpdate(",
        ".findOneAndReplace(",
        ".findOneAndDelete(",
        ".aggregate(",
        ".count(",
        ".bulkWrite(",
        ".execute(",
        "context.http",
        "require(",
        "throw ",
    ];
    let code = without_comments(code);
    let compact: String = code.chars().filter(|char| !char.is_whitespace()).collect();
    let does_more = OTHERS.iter().any(|other| compact.contains(other.trim()));
    if does_more || compact.matches(".insertOne(").count() != 1 {
        return None;
    }
    let argument = |call: &str| {
        let (_, rest) = compact.split_once(call)?;
        let quote = rest.chars().next().filter(|quote| ['"', '\'', '`'].contains(quote))?;
        rest.get(1..)?.split(quote).next().map(str::to_owned)
    };
    Some(format!("{}.{}", argument(".db(")?, argument(".collection(")?))
}

/// The source without its comments; a `//` in a string is taken for one, which only makes the look shorter.
fn without_comments(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_insert_is_recognised_and_nothing_else_is() {
        let plain = r#"
            // Makes the user's document; users.findOne( would be too much.
            exports = async function (authEvent) {
              const users = context.services.get("mongodb-atlas").db("app") /* .updateOne( */
                .collection('users');
              return users.insertOne({ _id: authEvent.user.id, name: authEvent.user.data.name });
            };"#;
        assert_eq!(only_insert(plain).as_deref(), Some("app.users"));
        for more in [
            plain.replace("return", "if (await users.findOne({})) return;"),
            plain.replace("return", "await context.functions.execute('x');"),
            plain.replace("return", "await users.insertOne({});"),
            plain.replace("\"app\"", "name"),
            "exports = () => 1".to_owned(),
        ] {
            assert_eq!(only_insert(&more), None, "{more}");
        }
    }
}
