use std::fs;

use super::*;
use crate::app::{ConfigValue, ValidationAction};
use crate::auth::config::{Confirmation, PasswordReset, ProviderKind};
use crate::report::Severity;
use crate::schema::{CustomResolver, ResolverType};
use crate::secret::Secret;

const ROOT: (&str, &str) = ("root_config.json", r#"{"name": "shop"}"#);
const NOTES: &str = "data_sources/mongodb-atlas/app/notes";
const SCHEMA: &str = r#"{"properties": {"owner": {"bsonType": "string"}}}"#;

fn import_with(files: &[(&str, &str)], secrets: &Secrets) -> Result<(AppConfig, Report), ImportError> {
    let folder = tempfile::tempdir().unwrap();
    for (file, content) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    AppConfig::import_with(folder.path(), secrets)
}

/// Imports a shop with these files beside its root.
fn shop(files: &[(&str, &str)]) -> (AppConfig, Report) {
    import_with(&[&[ROOT], files].concat(), &Secrets::default()).unwrap()
}

fn in_notes(file: &str) -> String {
    format!("{NOTES}/{file}")
}

/// Severity, file and pointer of each problem.
fn places(report: &Report) -> Vec<(Severity, &str, &str)> {
    report.problems().iter().map(|p| (p.severity, p.file.as_str(), p.pointer.as_str())).collect()
}

#[test]
fn an_empty_shell_is_an_empty_closed_app() {
    let (app, report) = shop(&[("auth/providers.json", "{}"), ("functions/config.json", "[]")]);
    assert_eq!(report.problems(), []);
    assert!(app.collections.is_empty() && app.auth.providers.is_empty() && app.default_rules.is_empty());
    assert!(app.id.as_str().starts_with("shop-"));
}

#[test]
fn root_config_wins_over_realm_config_whose_id_is_kept_when_alone() {
    let realm =
        ("realm_config.json", r#"{"name": "old", "app_id": "old-abcde", "config_version": 20210101}"#);
    assert_eq!(shop(&[realm]).0.name, "shop");
    let (app, _) = import_with(&[realm], &Secrets::default()).unwrap();
    assert_eq!(app.id.as_str(), "old-abcde");
    assert_eq!(&*app.data_group, "old-abcde");
}

#[test]
fn an_export_of_an_old_layout_is_seen_as_a_current_one() {
    let files = [
        (
            "realm/config.json",
            r#"{"app_id": "old-abcde", "config_version": 20200603, "name": "old", "security": {"allowed_request_origins": ["https://x.example"]},
            "custom_user_data_config": {"enabled": true, "mongo_service_id": "mongodb-atlas", "database_name": "app", "collection_name": "users", "user_id_field": "uid"}}"#,
        ),
        (
            "realm/auth_providers/anon-user.json",
            r#"{"id": "5f", "name": "anon-user", "type": "anon-user", "disabled": false}"#,
        ),
        ("realm/auth_providers/api-key.json", r#"{"name": "api-key", "type": "api-key", "disabled": true}"#),
        ("realm/auth_providers/odd.json", r#"{"name": "odd", "type": "odd"}"#),
        ("realm/services/mongodb-atlas/config.json", r#"{"name": "mongodb-atlas", "type": "mongodb-atlas"}"#),
        (
            "realm/services/mongodb-atlas/rules/app.notes.json",
            r#"{"id": "5f", "database": "app", "collection": "notes",
            "roles": [{"name": "all", "apply_when": {"%bad": 1}}], "filters": [], "relationships": {"owner": {"ref": "x", "is_list": 1}},
            "schema": {"title": "note", "properties": {"owner": {"bsonType": "nonsense"}}}}"#,
        ),
        ("realm/services/twilio/config.json", r#"{"name": "twilio", "type": "twilio"}"#),
        ("realm/functions/hello/config.json", r#"{"id": "5f", "name": "hello", "private": true}"#),
        ("realm/functions/hello/source.js", "exports = () => 1"),
        ("realm/functions/sourceless/config.json", r#"{"name": "sourceless"}"#),
    ];
    let (app, report) = import_with(&files, &Secrets::default()).unwrap();
    assert_eq!((app.id.as_str(), app.name.as_str(), app.collections.len()), ("old-abcde", "old", 1));
    assert_eq!(app.allowed_request_origins, ["https://x.example"]);
    assert_eq!(app.auth.providers.len(), 2);
    assert_eq!(&*app.auth.custom_user_data.as_ref().unwrap().collection.service, "mongodb-atlas");
    let hello = app.functions.iter().find(|function| function.name == "hello").unwrap();
    assert_eq!((hello.code.as_deref(), hello.settings.private), (Some("exports = () => 1"), true));
    let rules = "services/mongodb-atlas/rules/app.notes.json";
    let found = places(&report);
    for place in [
        (Severity::Warning, "auth_providers/odd.json", ""),
        (Severity::Warning, "functions/sourceless/config.json", ""),
        (Severity::Warning, "services/twilio", ""),
    ] {
        assert!(found.contains(&place), "{place:?} in {report}");
    }
    assert!(found.iter().any(|(_, file, at)| *file == rules && at.starts_with("/schema")), "{report}");
    assert!(found.iter().any(|(_, file, at)| *file == rules && at.starts_with("/relationships")), "{report}");
    assert!(!found.iter().any(|(_, file, _)| *file == "services/mongodb-atlas"), "{report}");
}

#[test]
fn several_exports_below_a_directory_are_named() {
    let files = [("a/root_config.json", r#"{"name": "a"}"#), ("b/c/stitch.json", r#"{"app_id": "b-abcde"}"#)];
    let error = import_with(&files, &Secrets::default()).unwrap_err().report.to_string();
    assert!(error.contains("/a`") && error.contains("b/c`"), "{error}");
    // What other tools keep is no export.
    let files = [("a/root_config.json", r#"{"name": "a"}"#), ("hosting/config.json", r#"{"x": 1}"#)];
    assert_eq!(import_with(&files, &Secrets::default()).unwrap().0.name, "a");
}

#[test]
fn with_nothing_to_serve_the_import_fails_and_names_the_file() {
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[], ""),
        (&[("stitch.json", r#"{"app_id": "x-abcde"}"#)], "stitch.json"),
        (&[("config.json", "{")], "config.json"),
        (&[("root_config.json", "{")], "root_config.json"),
        (&[("root_config.json", "{}")], "root_config.json"),
    ];
    for (files, file) in cases {
        let error = import_with(files, &Secrets::default()).unwrap_err();
        assert!(error.report.has_errors());
        assert_eq!(error.report.problems()[0].file, file);
    }
}

#[test]
fn a_syntax_error_is_reported_with_its_line_and_the_rest_serves() {
    let (app, report) = shop(&[("graphql/config.json", "{\n  \"a\": }"), (&in_notes("schema.json"), SCHEMA)]);
    assert_eq!(app.collections.len(), 1);
    assert!(report.problems()[0].message.contains("line 2 column"), "{report}");
}

#[test]
fn a_disabled_provider_stays_disabled_and_an_unusable_one_is_reported_only_when_enabled() {
    let providers = r#"{"anon-user": {"id": "x", "type": "anon-user", "disabled": true},
        "custom-function": {"type": "custom-function", "disabled": true},
        "custom-token": {"type": "custom-function", "disabled": false}}"#;
    let (app, report) = shop(&[("auth/providers.json", providers)]);
    assert!(matches!(&*app.auth.providers, [one] if one.disabled && one.kind == ProviderKind::Anonymous));
    let at = "/custom-token/config/authFunctionName";
    assert_eq!(places(&report), [(Severity::Error, "auth/providers.json", at)]);
}

#[test]
fn generic_providers_come_from_either_file_and_ours_wins() {
    let oidc = |issuer: &str| {
        format!(
            r#"{{"type": "oidc", "config": {{"clientId": "a", "issuer": "{issuer}", "publicClient": true}}}}"#
        )
    };
    let providers = format!(r#"{{"oidc": {}, "oidc-b": {}}}"#, oidc("https://a"), oidc("https://b"));
    let own = format!(
        r#"{{"providers": {{"oidc": {}, "anon-user": {{"type": "anon-user"}}, "oidc-c": 5}}}}"#,
        oidc("https://c")
    );
    let (app, report) = shop(&[("auth/providers.json", &providers), ("backstitch.json", &own)]);
    let issuers = app.auth.providers.iter().map(|provider| match &provider.kind {
        ProviderKind::OAuth(config) => (config.type_name.as_str(), config.issuer.as_deref().unwrap()),
        other => panic!("{other:?}"),
    });
    assert_eq!(issuers.collect::<Vec<_>>(), [("oidc-b", "https://b"), ("oidc", "https://c")]);
    let own = |at| (Severity::Error, "backstitch.json", at);
    assert_eq!(places(&report), [own("/providers/anon-user"), own("/providers/oidc-c")]);
}

#[test]
fn confirmation_and_reset_are_what_is_switched_on_and_dummy_addresses_are_none() {
    let email = |url: &str| Confirmation::Email { url: url.into(), subject: None };
    let cases = [
        (
            r#"{"autoConfirm": true, "resetPasswordUrl": "https://"}"#,
            Confirmation::Automatic,
            PasswordReset::Unavailable,
        ),
        (
            r#"{"emailConfirmationUrl": "https://a/c", "confirmEmailSubject": "", "resetPasswordUrl": "https://a/r"}"#,
            email("https://a/c"),
            PasswordReset::Email { url: "https://a/r".into(), subject: None },
        ),
        (
            r#"{"runConfirmationFunction": true, "confirmationFunctionName": "c", "runResetFunction": true, "resetFunctionName": "r"}"#,
            Confirmation::Function { name: "c".into() },
            PasswordReset::Function { name: "r".into() },
        ),
    ];
    for (config, confirmation, reset) in cases {
        let providers = format!(r#"{{"local-userpass": {{"config": {config}}}}}"#);
        let (app, _) = shop(&[("auth/providers.json", &providers)]);
        let ProviderKind::EmailPassword(found) = &app.auth.providers[0].kind else { panic!("{config}") };
        assert_eq!((&found.confirmation, &found.reset), (&confirmation, &reset), "{config}");
    }
}

#[test]
fn rules_files_are_kept_absent_ones_are_none_and_broken_ones_deny() {
    let (schema, rules) = (in_notes("schema.json"), in_notes("rules.json"));
    let (app, report) = shop(&[(&schema, SCHEMA)]);
    assert_eq!((&app.collections[0].rules, report.problems().len()), (&None, 0));
    let (app, _) = shop(&[(&rules, r#"{"roles": [], "id": "x"}"#)]);
    assert_eq!(app.collections[0].rules.as_ref().unwrap().file, rules);
    for broken in ["{", "[]"] {
        let (app, report) = shop(&[
            (&rules, broken),
            ("data_sources/mongodb-atlas/default_rule.json", r#"{"roles": [{"read": true}]}"#),
        ]);
        let role = &app.collections[0].rules.as_ref().unwrap().json["roles"][0];
        for key in ["read", "write", "insert", "delete", "search"] {
            assert_eq!(role[key], false, "{key}");
        }
        assert!(report.has_errors());
    }
}

#[test]
fn of_two_folders_for_one_collection_the_last_wins() {
    let (app, report) = shop(&[
        (
            "data_sources/mongodb-atlas/app/a/rules.json",
            r#"{"database": "app", "collection": "n", "roles": [1]}"#,
        ),
        (
            "data_sources/mongodb-atlas/app/b/rules.json",
            r#"{"database": "app", "collection": "n", "roles": [2]}"#,
        ),
    ]);
    assert_eq!(app.collections.len(), 1);
    assert_eq!(app.collections[0].rules.as_ref().unwrap().json["roles"][0], 2);
    assert_eq!(report.problems().len(), 1);
}

#[test]
fn relationships_that_lead_nowhere_are_reported_and_left_out() {
    let relationships = r##"{"owner": {"ref": "#/relationship/mongodb-atlas/app/notes", "foreign_key": "owner"},
        "b": {"ref": "notes"}, "c": {"ref": "#/relationship/mongodb-atlas/app/gone"},
        "d.[].e": {"ref": "#/relationship/mongodb-atlas/app/notes"}}"##;
    let file = in_notes("relationships.json");
    let (app, report) = shop(&[(&in_notes("schema.json"), SCHEMA), (&file, relationships)]);
    let found = &app.collections[0].relationships;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].foreign.as_str(), &found[0].target), ("owner", &app.collections[0].id));
    let at: Vec<_> = places(&report).into_iter().map(|(_, _, at)| at).collect();
    assert_eq!(at, ["/b", "/d.[].e", "/c"]);
}

#[test]
fn indexes_come_from_relationships_rules_user_data_and_settings() {
    let (app, report) = shop(&[
        (&in_notes("schema.json"), SCHEMA),
        (
            &in_notes("rules.json"),
            r#"{"roles": [{"apply_when": {"$or": [{"owner": "%%user.id"}, {"%%root.team": {"$in": "%%user.custom_data.teams"}}]},
                "document_filters": {"read": {"%%user.id": "%%root.reader", "public": true}}}]}"#,
        ),
        (
            "auth/custom_user_data.json",
            r#"{"enabled": true, "database_name": "app", "collection_name": "people", "user_id_field": "uid"}"#,
        ),
        (
            "backstitch.json",
            r#"{"indexes": {"mongodb-atlas/app.notes": [{"fields": {"owner": 1}, "unique": true}, {"fields": {"x": 2}}]}}"#,
        ),
    ]);
    let indexes: Vec<_> = app
        .collection_specs()
        .into_iter()
        .flat_map(|spec| spec.indexes.into_iter().map(move |index| (spec.id.name.to_string(), index)))
        .map(|(name, index)| (name, index.keys[0].path.to_string(), index.unique))
        .collect();
    let expected = [
        ("notes", "owner", true),
        ("notes", "team", false),
        ("notes", "reader", false),
        ("people", "uid", false),
    ];
    assert_eq!(indexes, expected.map(|(name, path, unique)| (name.into(), path.into(), unique)));
    assert_eq!(
        places(&report),
        [(Severity::Error, "backstitch.json", "/indexes/mongodb-atlas~1app.notes/1")]
    );
}

#[test]
fn the_keys_of_an_index_keep_the_order_of_the_file() {
    let settings = r#"{"indexes": {"mongodb-atlas/app.notes": [{"fields": {"year": -1, "author": 1}}]}}"#;
    let (app, _) = shop(&[("backstitch.json", settings)]);
    let keys: Vec<_> = app.indexes[0].index.keys.iter().map(|key| key.path.as_str()).collect();
    assert_eq!(keys, ["year", "author"]);
}

#[test]
fn a_password_policy_that_cannot_be_read_is_a_strict_one() {
    for (settings, policy, problems) in [
        ("{}", (0, false), 0),
        (r#"{"passwords": {"minLength": 15, "forbidCommon": true}}"#, (15, true), 0),
        (r#"{"passwords": {"minLength": "8", "forbidCommon": 0, "colour": 1}}"#, (15, true), 3),
        (r#"{"passwords": {"minLength": 65}}"#, (15, false), 1),
        (r#"{"passwords": true}"#, (0, true), 1),
    ] {
        let (app, report) = shop(&[("backstitch.json", settings)]);
        assert_eq!((app.auth.passwords.min, app.auth.passwords.forbid_common), policy, "{settings}");
        assert_eq!(places(&report).len(), problems, "{settings}");
    }
}

#[test]
fn validation_is_strict_for_writes_and_off_for_reads_unless_the_file_says_otherwise() {
    use ValidationAction::{Error, Off, Warn};
    let cases = [
        (None, (Off, Error)),
        (Some("{}"), (Error, Error)),
        (Some(r#"{"read_validation_action": "WARN", "write_validation_level": "OFF"}"#), (Warn, Off)),
    ];
    for (file, expected) in cases {
        let files: Vec<_> = file.map(|file| ("graphql/validation_settings.json", file)).into_iter().collect();
        let graphql = shop(&files).0.graphql;
        assert_eq!((graphql.read_validation, graphql.write_validation), expected, "{file:?}");
    }
}

#[test]
fn custom_resolvers_are_read_and_broken_ones_are_left_out_with_their_place() {
    let at = |name: &str| format!("graphql/custom_resolvers/{name}.json");
    let good = r#"{"_id": "1", "on_type": "Query", "field_name": "f", "function_name": "g", "input_type_format": "",
        "input_type": "string", "payload_type": {"title": "P"}, "payload_type_format": "custom", "colour": 1}"#;
    let rest = r#""on_type": "Mutation", "field_name": "f", "function_name": "g""#;
    let (format, name, schema, field) = (
        format!(r#"{{{rest}, "input_type_format": "tree", "input_type": "string"}}"#),
        format!(r#"{{{rest}, "payload_type_format": "generated-list"}}"#),
        format!(r#"{{{rest}, "payload_type_format": "custom", "payload_type": "P"}}"#),
        r#"{"on_type": "Query", "field_name": " ", "function_name": "g"}"#,
    );
    let (app, report) = shop(&[
        (&at("a"), good),
        (&at("b"), &format),
        (&at("c"), &name),
        (&at("d"), &schema),
        (&at("e"), field),
    ]);
    let payload = ResolverType::Custom(serde_json::json!({"title": "P"}));
    let expected =
        CustomResolver { file: at("a"), ..CustomResolver::new("Query", "f", "g").payload(payload) };
    assert_eq!(app.graphql.resolvers, [expected]);
    let files: Vec<_> = ["a", "b", "c", "d", "e"].map(at).into();
    let pointers = ["/colour", "/input_type_format", "/payload_type", "/payload_type", "/field_name"];
    let expected: Vec<_> =
        files.iter().zip(pointers).map(|(f, at)| (Severity::Warning, f.as_str(), at)).collect();
    assert_eq!(places(&report), expected);
}

#[test]
fn values_come_plain_or_out_of_a_secret_and_a_missing_secret_is_told() {
    let files = [
        ROOT,
        ("values/a.json", r#"{"name": "plain", "value": [1]}"#),
        ("values/b.json", r#"{"name": "hidden", "from_secret": true, "value": "key"}"#),
        ("values/c.json", r#"{"name": "lost", "from_secret": true, "value": "gone"}"#),
    ];
    let secrets = Secrets::parse(r#"{"key": "hunter2"}"#).unwrap();
    let (app, report) = import_with(&files, &secrets).unwrap();
    assert_eq!(app.values["plain"], ConfigValue::Plain(serde_json::json!([1])));
    assert_eq!(app.values["hidden"], ConfigValue::Secret(Secret::new("hunter2")));
    assert_eq!(app.values["lost"], ConfigValue::Missing { secret: "gone".to_owned() });
    assert_eq!(places(&report), [(Severity::Warning, "values/c.json", "/value")]);
    let variables = [
        ("BACKSTITCH_SECRET_KEY".to_owned(), "other".to_owned()),
        ("BACKSTITCH_SECRET_GONE".to_owned(), "found".to_owned()),
    ];
    let (app, report) = import_with(&files, &secrets.with_environment(variables)).unwrap();
    assert_eq!(app.values["hidden"], ConfigValue::Secret(Secret::new("hunter2")));
    assert_eq!(app.values["lost"], ConfigValue::Secret(Secret::new("found")));
    assert_eq!(report.problems(), []);
}

#[test]
fn a_broken_secrets_file_does_not_quote_itself() {
    let error = Secrets::parse(r#"{"key": ["hunter2"], "other": 77123}"#).unwrap_err().to_string();
    assert!(!error.contains("hunter2") && !error.contains("77123"), "{error}");
}

#[test]
fn templates_take_strings_out_of_the_environment() {
    let (app, report) = import_with(
        &[
            ("root_config.json", r#"{"name": "shop", "environment": "qa"}"#),
            ("environments/qa.json", r#"{"values": {"db": "people"}}"#),
            ("environments/no-environment.json", r#"{"values": {"db": "wrong"}}"#),
            ("values/a.json", r#"{"name": "a", "value": "x-%(%%environment.values.db)-y"}"#),
            ("values/b.json", r#"{"name": "b", "value": "%(%%environment.values.gone)"}"#),
        ],
        &Secrets::default(),
    )
    .unwrap();
    assert_eq!(app.values["a"], ConfigValue::Plain("x-people-y".into()));
    assert_eq!(places(&report), [(Severity::Error, "values/b.json", "")]);
}

#[test]
fn settings_that_are_not_obeyed_are_reported_by_name() {
    let (app, report) = shop(&[(
        "backstitch.json",
        r#"{"extensions": true, "lenientIds": false, "colour": 1, "dataGroup": "g"}"#,
    )]);
    assert_eq!(
        places(&report),
        [
            (Severity::Error, "backstitch.json", "/extensions"),
            (Severity::Warning, "backstitch.json", "/colour")
        ]
    );
    assert_eq!(&*app.data_group, "g");
}

#[test]
fn resolvers_triggers_and_functions_without_source_are_reported() {
    let (app, report) = shop(&[
        ("graphql/custom_resolvers/q.json", r#"{"on_type": "Query", "field_name": "top"}"#),
        ("functions/config.json", r#"[{"name": "create"}, {"name": "lost"}]"#),
        ("functions/user/create.js", "exports = () => 1"),
        ("triggers/t.json", r#"{"name": "t", "disabled": false}"#),
        ("triggers/off.json", r#"{"name": "off", "disabled": true}"#),
    ]);
    let names: Vec<_> = app.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["create", "lost"]);
    let files: Vec<_> = places(&report).into_iter().map(|(_, file, at)| (file, at)).collect();
    assert_eq!(
        files,
        [
            ("graphql/custom_resolvers/q.json", "/function_name"),
            ("functions/config.json", "/1"),
            ("triggers/t.json", "/type")
        ]
    );
}
