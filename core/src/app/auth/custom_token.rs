//! `custom-token` of `auth/providers.json`.

use serde_json::{Map, Value};

use super::{PROVIDERS, text};
use crate::app::values::Secrets;
use crate::auth::config::{Audience, CustomTokenConfig, MetadataField, TokenAlgorithm, TokenKeySource};
use crate::report::Report;
use crate::secret::Secret;

/// The original takes one to three.
const MAX_KEYS: usize = 3;

/// The settings; `None`, and an error, when they do not say how signatures are to be checked.
pub(super) fn read(
    json: &Map<String, Value>,
    at: &str,
    secrets: &Secrets,
    report: &mut Report,
) -> Option<CustomTokenConfig> {
    let empty = Map::new();
    let config = json.get("config").and_then(Value::as_object).unwrap_or(&empty);
    let keys = if is_on(config, "useJWKURI") {
        let Some(url) = text(config, "jwkURI") else {
            report.error(
                PROVIDERS,
                &format!("{at}/config/jwkURI"),
                "`jwkURI` is missing: log-in answers 404",
            );
            return None;
        };
        TokenKeySource::Jwks { url }
    } else {
        let Some(algorithm) = algorithm(config) else {
            let message = "`signingAlgorithm` must be HS256, RS256, ES256 or EdDSA: log-in answers 404";
            report.error(PROVIDERS, &format!("{at}/config/signingAlgorithm"), message);
            return None;
        };
        TokenKeySource::Keys { algorithm, keys: keys(json, algorithm, at, secrets, report) }
    };
    let audience =
        Audience { names: names(config.get("audience")), any: is_on(config, "requireAnyAudience") };
    Some(CustomTokenConfig { keys, audience, metadata: metadata(json, at, report) })
}

fn algorithm(config: &Map<String, Value>) -> Option<TokenAlgorithm> {
    Some(match text(config, "signingAlgorithm")?.as_str() {
        "HS256" => TokenAlgorithm::Hs256,
        "RS256" => TokenAlgorithm::Rs256,
        "ES256" => TokenAlgorithm::Es256,
        "EdDSA" => TokenAlgorithm::EdDsa,
        _ => return None,
    })
}

/// Exports name the secrets that hold the keys.
fn keys(
    json: &Map<String, Value>,
    algorithm: TokenAlgorithm,
    at: &str,
    secrets: &Secrets,
    report: &mut Report,
) -> Vec<Secret> {
    let at = format!("{at}/secret_config/signingKeys");
    let list =
        json.get("secret_config").and_then(|secret| secret.get("signingKeys")).and_then(Value::as_array);
    let list = list.map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        report.error(PROVIDERS, &at, "no signing key is named: every log-in is refused");
    }
    let mut keys = Vec::new();
    for (index, name) in list.iter().enumerate() {
        let at = format!("{at}/{index}");
        let Some(name) = name.as_str() else {
            report.error(PROVIDERS, &at, "a signing key must be the name of a secret; left out");
            continue;
        };
        if index >= MAX_KEYS {
            report.error(PROVIDERS, &at, format!("more than {MAX_KEYS} signing keys; `{name}` is left out"));
            continue;
        }
        let Some(secret) = secrets.get(name) else {
            let message = format!("the secret `{name}` is not known: tokens that it signs are refused");
            report.warn(PROVIDERS, &at, message);
            continue;
        };
        match algorithm.key(secret) {
            Ok(_) => keys.push(secret.clone()),
            Err(fault) => report.error(PROVIDERS, &at, format!("the secret `{name}` is left out: {fault}")),
        }
    }
    keys
}

/// A list, one name, or names with commas between them.
fn names(audience: Option<&Value>) -> Vec<String> {
    let texts: Vec<&str> = match audience {
        Some(Value::String(text)) => text.split(',').map(str::trim).collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    texts.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn metadata(json: &Map<String, Value>, at: &str, report: &mut Report) -> Vec<MetadataField> {
    let mut fields = Vec::new();
    let list = json.get("metadata_fields").and_then(Value::as_array);
    for (index, field) in list.into_iter().flatten().enumerate() {
        let at = format!("{at}/metadata_fields/{index}");
        let Some((field, name)) = field.as_object().and_then(|field| Some((field, text(field, "name")?)))
        else {
            report.error(PROVIDERS, &at, "a metadata field without `name`; left out");
            continue;
        };
        let path = segments(&name);
        let field_name = text(field, "field_name").or_else(|| path.last().cloned()).unwrap_or_default();
        let field = MetadataField { path, field_name, required: is_on(field, "required") };
        if field.has_allowed_name() {
            fields.push(field);
        } else {
            report.error(PROVIDERS, &at, "a field name must have 1 to 63 characters; left out");
        }
    }
    fields
}

/// The segments of a dotted path; `\.` is a dot within one.
pub(super) fn segments(path: &str) -> Vec<String> {
    let mut segments = vec![String::new()];
    let mut letters = path.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek(), segments.last_mut()) {
            ('\\', Some('.'), Some(last)) => {
                letters.next();
                last.push('.');
            }
            ('.', _, _) => segments.push(String::new()),
            (letter, _, Some(last)) => last.push(letter),
            (_, _, None) => {}
        }
    }
    segments
}

/// A switch, also as text: the original's API knew both.
pub(super) fn is_on(map: &Map<String, Value>, key: &str) -> bool {
    match map.get(key) {
        Some(Value::Bool(on)) => *on,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::kit;
    use crate::report::Severity;
    use serde_json::json;

    fn import(json: &Value) -> (Option<CustomTokenConfig>, Vec<(Severity, String)>) {
        let secrets = Secrets::default()
            .with("hs", kit::HS_SECRET.into())
            .with("short", "short".into())
            .with("rsa", kit::RSA_PEM.into())
            .with("rsa1024", kit::RSA_1024_PEM.into());
        let mut report = Report::default();
        let config = read(json.as_object().unwrap(), "/custom-token", &secrets, &mut report);
        let problems = report.problems().iter().map(|problem| {
            assert!(!problem.message.contains(kit::HS_SECRET) && !problem.message.contains("BEGIN"));
            (problem.severity, problem.pointer.trim_start_matches("/custom-token").to_owned())
        });
        (config, problems.collect())
    }

    fn with_keys(algorithm: &str, keys: &Value) -> Value {
        json!({"config": {"signingAlgorithm": algorithm}, "secret_config": {"signingKeys": keys}})
    }

    #[test]
    fn the_shapes_of_real_exports_are_read() {
        let (config, problems) = import(&json!({
            "name": "custom-token", "type": "custom-token", "disabled": false,
            "config": {
                "audience": ["web"], "requireAnyAudience": true, "signingAlgorithm": "",
                "useJWKURI": true, "jwkURI": "https://issuer.example/jwks",
            },
            "secret_config": {"signingKeys": []},
            "metadata_fields": [{"required": true, "name": "Name", "field_name": "name"}],
        }));
        let expected = CustomTokenConfig {
            keys: TokenKeySource::Jwks { url: "https://issuer.example/jwks".to_owned() },
            audience: Audience { names: vec!["web".to_owned()], any: true },
            metadata: vec![MetadataField {
                path: vec!["Name".to_owned()],
                field_name: "name".to_owned(),
                required: true,
            }],
        };
        assert_eq!((config, problems), (Some(expected), vec![]));
        let (config, problems) = import(&with_keys("HS256", &json!(["hs"])));
        let keys =
            TokenKeySource::Keys { algorithm: TokenAlgorithm::Hs256, keys: vec![kit::HS_SECRET.into()] };
        let expected = CustomTokenConfig { keys, audience: Audience::default(), metadata: Vec::new() };
        assert_eq!((config, problems), (Some(expected), vec![]));
    }

    #[test]
    fn keys_that_are_missing_weak_or_too_many_are_reported_and_left_out() {
        use Severity::{Error, Warning};
        for (algorithm, keys, usable, expected) in [
            ("HS256", json!(["gone", "hs"]), 1, vec![(Warning, "0")]),
            (
                "HS256",
                json!(["short", "rsa", 5, "hs"]),
                0,
                vec![(Error, "0"), (Error, "1"), (Error, "2"), (Error, "3")],
            ),
            ("RS256", json!(["rsa", "rsa1024", "hs"]), 1, vec![(Error, "1"), (Error, "2")]),
            ("ES256", json!(["rsa"]), 0, vec![(Error, "0")]),
            ("HS256", json!([]), 0, vec![(Error, "")]),
            ("HS256", json!("hs"), 0, vec![(Error, "")]),
        ] {
            let (config, problems) = import(&with_keys(algorithm, &keys));
            let TokenKeySource::Keys { keys: found, .. } = config.unwrap().keys else { panic!() };
            assert_eq!(found.len(), usable, "{keys}");
            let places = problems.iter().map(|(severity, at)| {
                (*severity, at.trim_start_matches("/secret_config/signingKeys").trim_start_matches('/'))
            });
            assert_eq!(places.collect::<Vec<_>>(), expected, "{keys}");
        }
    }

    #[test]
    fn a_provider_that_cannot_check_signatures_is_left_out() {
        for (config, at) in [
            (json!({"useJWKURI": true}), "/config/jwkURI"),
            (json!({"useJWKURI": "true", "jwkURI": " "}), "/config/jwkURI"),
            (json!({}), "/config/signingAlgorithm"),
            (json!({"signingAlgorithm": ""}), "/config/signingAlgorithm"),
            (json!({"signingAlgorithm": "none"}), "/config/signingAlgorithm"),
            (json!({"signingAlgorithm": "HS512"}), "/config/signingAlgorithm"),
        ] {
            let (read, problems) = import(&json!({ "config": config }));
            assert_eq!((read, problems), (None, vec![(Severity::Error, at.to_owned())]));
        }
    }

    #[test]
    fn an_audience_comes_in_three_shapes_and_its_switch_in_two() {
        for (audience, any, expected) in [
            (json!(["a", "b", ""]), json!(true), (vec!["a", "b"], true)),
            (json!("a"), json!("true"), (vec!["a"], true)),
            (json!("a, b,,"), json!("false"), (vec!["a", "b"], false)),
            (json!([]), json!(false), (vec![], false)),
            (json!(""), json!(null), (vec![], false)),
            (json!(5), json!(1), (vec![], false)),
        ] {
            let mut json = with_keys("HS256", &json!(["hs"]));
            json["config"]["audience"] = audience;
            json["config"]["requireAnyAudience"] = any;
            let audience = import(&json).0.unwrap().audience;
            assert_eq!(
                (audience.names.iter().map(String::as_str).collect::<Vec<_>>(), audience.any),
                expected
            );
        }
    }

    #[test]
    fn a_metadata_field_has_a_path_and_is_named_after_its_end() {
        let mut json = with_keys("HS256", &json!(["hs"]));
        json["metadata_fields"] = json!([
            {"name": "user.name", "required": "true"},
            {"name": r"https://a\.b/roles.list", "field_name": "roles"},
            {"name": r"a\b.c\"},
            {"name": "x", "field_name": "n".repeat(64)},
            {"required": true},
            "name",
        ]);
        let (config, problems) = import(&json);
        let fields = config.unwrap().metadata;
        let read: Vec<_> = fields
            .iter()
            .map(|field| {
                let path: Vec<_> = field.path.iter().map(String::as_str).collect();
                (path, field.field_name.as_str(), field.required)
            })
            .collect();
        let expected = [
            (vec!["user", "name"], "name", true),
            (vec!["https://a.b/roles", "list"], "roles", false),
            (vec![r"a\b", r"c\"], r"c\", false),
        ];
        assert_eq!(read, expected);
        let places: Vec<_> = problems.iter().map(|(_, at)| at.as_str()).collect();
        assert_eq!(places, ["/metadata_fields/3", "/metadata_fields/4", "/metadata_fields/5"]);
    }
}
