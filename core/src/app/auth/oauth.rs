//! `oauth2-google`, `oauth2-facebook`, `oauth2-apple`, and our own `oidc`, which may also stand in
//! `backstitch.json` under `"providers"`.

use serde_json::{Map, Value};

use super::custom_token::{is_on, segments};
use super::{is_disabled, provider, text};
use crate::app::config::AppConfig;
use crate::app::layout::AppDirectory;
use crate::app::values::Secrets;
use crate::auth::config::{MetadataField, OAuthConfig, ProviderKind};
use crate::report::Report;
use crate::secret::Secret;

const OWN: &str = "backstitch.json";

/// Adds the providers of our own settings; other kinds than `oidc` belong to the export.
pub(super) fn read_own(
    app: &mut AppConfig,
    directory: &AppDirectory,
    secrets: &Secrets,
    report: &mut Report,
) {
    // What is wrong with the file as a whole is reported where its settings are read.
    let settings = directory.object(OWN, &mut Report::default()).unwrap_or_default();
    let Some(providers) = settings.get("providers") else { return };
    let Some(providers) = providers.as_object() else {
        report.error(OWN, "/providers", "must be an object of providers; ignored");
        return;
    };
    for (name, json) in providers {
        let at = format!("/providers/{name}");
        let json = json.as_object().filter(|json| is_generic(type_name(name, json)));
        let Some(json) = json else {
            report.error(OWN, &at, "must be an object of the type `oidc`; ignored");
            continue;
        };
        let (type_name, disabled) = (type_name(name, json), is_disabled(json));
        if let Some(config) = read(type_name, json, secrets, (OWN, &at), report) {
            let kind = ProviderKind::OAuth(Box::new(config));
            app.auth.providers.retain(|other| other.kind.type_name() != type_name);
            app.auth.providers.push(provider(&app.id, kind, disabled));
        }
    }
}

/// Whether this is one of the providers that are read here.
pub(super) fn is_one(type_name: &str) -> bool {
    matches!(type_name, "oauth2-google" | "oauth2-facebook" | "oauth2-apple") || is_generic(type_name)
}

/// `oidc`, or `oidc-` and a name: there may be several of those.
fn is_generic(type_name: &str) -> bool {
    type_name == "oidc" || type_name.strip_prefix("oidc-").is_some_and(|name| !name.is_empty())
}

/// The name in URLs: a generic provider that is named is known by its name, all others by their type.
pub(super) fn type_name<'a>(name: &'a str, json: &'a Map<String, Value>) -> &'a str {
    match json.get("type").and_then(Value::as_str) {
        Some("oidc") if is_generic(name) => name,
        Some(other) => other,
        None => name,
    }
}

/// The settings; `None`, and an error, when the provider cannot work with them.
pub(super) fn read(
    type_name: &str,
    json: &Map<String, Value>,
    secrets: &Secrets,
    (file, at): (&str, &str),
    report: &mut Report,
) -> Option<OAuthConfig> {
    if is_disabled(json) {
        // A form that nobody filled in is no news while the provider is off.
        return settings(type_name, json, secrets, (file, at), &mut Report::default());
    }
    settings(type_name, json, secrets, (file, at), report)
}

fn settings(
    type_name: &str,
    json: &Map<String, Value>,
    secrets: &Secrets,
    (file, at): (&str, &str),
    report: &mut Report,
) -> Option<OAuthConfig> {
    let empty = Map::new();
    let config = json.get("config").and_then(Value::as_object).unwrap_or(&empty);
    let Some(client_id) = text(config, "clientId") else {
        report.error(file, &format!("{at}/config/clientId"), "`clientId` is missing: the provider is off");
        return None;
    };
    let issuer = text(config, "issuer");
    if issuer.is_none() && is_generic(type_name) {
        report.error(file, &format!("{at}/config/issuer"), "`issuer` is missing: the provider is off");
        return None;
    }
    if issuer.as_deref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
        report.error(file, &format!("{at}/config/issuer"), "`issuer` must be a URL: the provider is off");
        return None;
    }
    let public_client = is_generic(type_name) && is_on(config, "publicClient");
    Some(OAuthConfig {
        type_name: type_name.to_owned(),
        client_id,
        client_secret: secret(json, public_client, secrets, (file, at), report),
        public_client,
        other_client_ids: texts(config, "otherClientIds"),
        redirect_uris: texts(json, "redirect_uris"),
        domain_restrictions: texts(json, "domain_restrictions"),
        metadata: metadata(type_name, json, (file, at), report),
        open_id: is_on(config, "openId"),
        issuer,
    })
}

/// Exports name the secret; what it is stands in the secrets file.
fn secret(
    json: &Map<String, Value>,
    public_client: bool,
    secrets: &Secrets,
    (file, at): (&str, &str),
    report: &mut Report,
) -> Option<Secret> {
    let name = json.get("secret_config").and_then(Value::as_object).and_then(|map| text(map, "clientSecret"));
    let found = name.as_deref().and_then(|name| secrets.get(name)).cloned();
    if found.is_none() && !public_client {
        let at = format!("{at}/secret_config/clientSecret");
        let message = match name {
            Some(name) => format!("the secret `{name}` is not known: log-in by code is refused"),
            None => "no `clientSecret`: log-in by code is refused".to_owned(),
        };
        report.warn(file, &at, message);
    }
    found
}

fn metadata(
    type_name: &str,
    json: &Map<String, Value>,
    (file, at): (&str, &str),
    report: &mut Report,
) -> Vec<MetadataField> {
    let list = json.get("metadata_fields").and_then(Value::as_array);
    let mut fields = Vec::new();
    for (index, field) in list.into_iter().flatten().enumerate() {
        let at = format!("{at}/metadata_fields/{index}");
        let Some((field, name)) = field.as_object().and_then(|field| Some((field, text(field, "name")?)))
        else {
            report.error(file, &at, "a metadata field without `name`; left out");
            continue;
        };
        // The known services have flat names; a generic one's claims may be nested.
        let path = if is_generic(type_name) { segments(&name) } else { vec![name] };
        let field_name = text(field, "field_name").or_else(|| path.last().cloned()).unwrap_or_default();
        let field = MetadataField { path, field_name, required: is_on(field, "required") };
        if field.has_allowed_name() {
            fields.push(field);
        } else {
            report.error(file, &at, "a field name must have 1 to 63 characters; left out");
        }
    }
    fields
}

fn texts(map: &Map<String, Value>, key: &str) -> Vec<String> {
    let list = map.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Severity;
    use serde_json::json;

    fn import(type_name: &str, json: &Value) -> (Option<OAuthConfig>, Vec<(Severity, String)>) {
        let secrets = Secrets::default().with("hush", "a secret's text".into());
        let mut report = Report::default();
        let config = read(type_name, json.as_object().unwrap(), &secrets, ("f", "/p"), &mut report);
        let problems = report.problems().iter().map(|problem| {
            assert!(!problem.message.contains("a secret's text"));
            (problem.severity, problem.pointer.trim_start_matches("/p").to_owned())
        });
        (config, problems.collect())
    }

    #[test]
    fn the_shape_of_real_exports_is_read() {
        let (config, problems) = import(
            "oauth2-google",
            &json!({
                "name": "oauth2-google", "type": "oauth2-google", "disabled": false,
                "config": { "clientId": "id.apps.example", "openId": false },
                "secret_config": { "clientSecret": "hush" },
                "domain_restrictions": ["corp.example"],
                "metadata_fields": [{ "name": "email", "required": true }, { "name": "first_name" }],
                "redirect_uris": ["https://club.example/"],
            }),
        );
        let field = |name: &str, required| MetadataField {
            path: vec![name.to_owned()],
            field_name: name.to_owned(),
            required,
        };
        let expected = OAuthConfig {
            type_name: "oauth2-google".to_owned(),
            client_id: "id.apps.example".to_owned(),
            client_secret: Some("a secret's text".into()),
            public_client: false,
            other_client_ids: Vec::new(),
            redirect_uris: vec!["https://club.example/".to_owned()],
            domain_restrictions: vec!["corp.example".to_owned()],
            metadata: vec![field("email", true), field("first_name", false)],
            open_id: false,
            issuer: None,
        };
        assert_eq!((config, problems), (Some(expected), vec![]));
    }

    #[test]
    fn a_secret_that_is_missing_is_a_warning_and_what_cannot_work_an_error() {
        use Severity::{Error, Warning};
        let (id, issuer) = ("/config/clientId", "/config/issuer");
        for (type_name, json, there, problem) in [
            (
                "oauth2-apple",
                json!({"config": {"clientId": "a"}}),
                true,
                (Warning, "/secret_config/clientSecret"),
            ),
            (
                "oauth2-apple",
                json!({"config": {"clientId": "a"}, "secret_config": {"clientSecret": "gone"}}),
                true,
                (Warning, "/secret_config/clientSecret"),
            ),
            ("oauth2-facebook", json!({"config": {"clientId": ""}}), false, (Error, id)),
            ("oidc", json!({"config": {"clientId": "a"}}), false, (Error, issuer)),
            ("oidc", json!({"config": {"clientId": "a", "issuer": "corp.example"}}), false, (Error, issuer)),
        ] {
            let (config, problems) = import(type_name, &json);
            assert_eq!(
                (config.is_some(), problems),
                (there, vec![(problem.0, problem.1.to_owned())]),
                "{json}"
            );
            let mut off = json.clone();
            off["disabled"] = json!(true);
            assert_eq!(import(type_name, &off).1, [], "{json}");
        }
        let public = json!({"config": {"clientId": "a", "issuer": "https://i", "publicClient": true}});
        let (config, problems) = import("oidc-corp", &public);
        assert!(config.is_some_and(|config| config.public_client) && problems.is_empty());
    }

    #[test]
    fn a_generic_provider_is_known_by_its_name_if_it_begins_so() {
        for (name, json, expected) in [
            ("oidc-corp", json!({"type": "oidc"}), "oidc-corp"),
            ("oidc-corp", json!({}), "oidc-corp"),
            ("corp", json!({"type": "oidc"}), "oidc"),
            ("oidc-", json!({"type": "oidc"}), "oidc"),
            ("x", json!({"type": "oauth2-google"}), "oauth2-google"),
        ] {
            assert_eq!(type_name(name, json.as_object().unwrap()), expected);
            assert!(is_one(expected));
        }
        assert!(!is_one("oidc-") && !is_one("oauth2-other"));
    }
}
