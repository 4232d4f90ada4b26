//! The attacks on third parties' claims (numbers of the attack list).

use super::*;
use serde_json::json;

const NOW: i64 = 1_800_000_000;

fn read_for(claims: &str, audience: &[&str], any: bool) -> Result<Claims, Fault> {
    Claims::read(claims.as_bytes(), Expected { now: NOW, audience, any })
}

fn read(claims: &str) -> Result<Claims, Fault> {
    read_for(claims, &["shop"], false)
}

/// Good claims with some of them changed; `null` stays, `"-"` removes.
fn changed(changes: &Value) -> String {
    let mut claims = json!({"sub": "u1", "aud": "shop", "exp": NOW + 60, "iss": "https://issuer/"});
    for (name, value) in changes.as_object().unwrap() {
        if value == "-" {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims.to_string()
}

#[test]
fn hostile_claims_are_refused() {
    assert_eq!(read(&changed(&json!({}))).unwrap().subject(), "u1");
    for (attack, changes) in [
        ("29 exp missing", json!({"exp": "-"})),
        ("29 exp string", json!({"exp": "1800000060"})),
        ("29 exp null", json!({"exp": null})),
        ("29 exp bool", json!({"exp": true})),
        ("29 exp list", json!({"exp": [NOW + 60]})),
        ("29 exp negative", json!({"exp": -1})),
        ("29 exp fraction", json!({"exp": 1_800_000_060.5})),
        ("29 exp huge", json!({"exp": 1e300})),
        ("29 exp beyond i64", json!({"exp": u64::MAX})),
        ("29 exp zero", json!({"exp": 0})),
        ("30 nbf string", json!({"nbf": "0"})),
        ("30 nbf null", json!({"nbf": null})),
        ("30 nbf later", json!({"nbf": NOW + 6})),
        ("30 nbf fraction", json!({"nbf": 0.5})),
        ("32 iat in the future", json!({"iat": NOW + 6})),
        ("32 iat string", json!({"iat": "0"})),
        ("32 iat null", json!({"iat": null})),
        ("33 aud missing", json!({"aud": "-"})),
        ("33 aud null", json!({"aud": null})),
        ("33 aud number", json!({"aud": 5})),
        ("33 aud empty", json!({"aud": ""})),
        ("33 aud empty list", json!({"aud": []})),
        ("33 aud with a number", json!({"aud": ["shop", 5]})),
        ("33 aud nested", json!({"aud": [["shop"]]})),
        ("33 other app", json!({"aud": "shop2"})),
        ("33 other case", json!({"aud": "Shop"})),
        ("33 with a space", json!({"aud": "shop "})),
        ("34 iss list", json!({"iss": ["https://issuer/"]})),
        ("34 iss null", json!({"iss": null})),
        ("36 another app", json!({"aud": ["a", "b"]})),
        ("sub missing", json!({"sub": "-"})),
        ("sub null", json!({"sub": null})),
        ("sub number", json!({"sub": 1})),
        ("sub empty", json!({"sub": ""})),
        ("sub list", json!({"sub": ["u1"]})),
        ("sub huge", json!({"sub": "u".repeat(1025)})),
    ] {
        assert!(read(&changed(&changes)).is_err(), "{attack}");
    }
    let good = changed(&json!({}));
    for (attack, hostile) in [
        ("20 sub twice", good.replace(r#""sub":"u1""#, r#""sub":"u1","sub":"u2""#)),
        ("20 twice within", good.replace(r#""sub""#, r#""x":{"a":1,"a":2},"sub""#)),
        ("21 lone surrogate", good.replace("u1", r"\ud800")),
        (
            "22 deep",
            good.replace(r#""sub""#, &format!(r#""x":{}{},"sub""#, "[".repeat(10_000), "]".repeat(10_000))),
        ),
        ("29 NaN", good.replace("1800000060", "NaN")),
        ("29 overflow", good.replace("1800000060", "1e999")),
        ("not an object", "[]".to_owned()),
        ("empty", String::new()),
        ("text after it", format!("{good} x")),
    ] {
        assert_ne!(hostile, good);
        assert!(read(&hostile).is_err(), "{attack}");
    }
    assert!(Claims::read(b"\xff", Expected { now: NOW, audience: &["shop"], any: true }).is_err(), "21");
}

#[test]
fn dates_hold_to_the_second_with_five_seconds_for_other_clocks() {
    for (claim, at, good) in [
        ("exp", NOW - 4, true),
        ("exp", NOW - 5, false),
        ("nbf", NOW + 5, true),
        ("nbf", NOW + 6, false),
        ("iat", NOW + 5, true),
        ("iat", NOW + 6, false),
        ("exp", i64::MAX, true),
        ("nbf", 0, true),
    ] {
        assert_eq!(
            read(&changed(&json!({ claim: at }))).is_ok(),
            good,
            "31 {claim} {}",
            at.wrapping_sub(NOW)
        );
    }
    #[expect(clippy::cast_precision_loss, reason = "it is exact")]
    let float = (NOW + 60) as f64;
    assert!(read(&changed(&json!({ "exp": float }))).is_ok(), "a whole number written as a float");
}

#[test]
fn an_audience_is_asked_for_all_or_any() {
    let names = ["a", "b"];
    for (aud, all, any) in [
        (json!("a"), false, true),
        (json!(["a"]), false, true),
        (json!(["b", "a", "c"]), true, true),
        (json!(["c"]), false, false),
        (json!([]), false, false),
    ] {
        let claims = changed(&json!({ "aud": aud }));
        assert_eq!(read_for(&claims, &names, false).is_ok(), all, "33 {aud}");
        assert_eq!(read_for(&claims, &names, true).is_ok(), any, "33 {aud}");
        assert!(read_for(&claims, &[], true).is_err() && read_for(&claims, &[], false).is_err());
    }
}

#[test]
fn a_path_leads_through_objects_and_names_mean_nothing() {
    let claims = read(&changed(&json!({
        "a": {"b.c": {"d": 1}, "list": [1]}, "__proto__": {"x": 1}, "$where": "1",
    })))
    .unwrap();
    for (path, found) in [
        (&["a", "b.c", "d"][..], Some(json!(1))),
        (&["a", "b", "c"], None),
        (&["a", "list", "0"], None),
        (&["__proto__", "x"], Some(json!(1))),
        (&["$where"], Some(json!("1"))),
        (&["sub"], Some(json!("u1"))),
        (&["sub", "x"], None),
        (&[], None),
    ] {
        assert_eq!(claims.at(path), found.as_ref(), "41 {path:?}");
    }
}
