//! The attacks on the token layer (numbers of the attack list), each refused.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

const MAX: usize = 8 * 1024;
const GOOD_HEADER: &str = r#"{"alg":"HS256","kid":"k1","typ":"JWT"}"#;

fn mac() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &[7; 32])
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs whatever stands in the two segments, so that only the shape can be at fault.
fn sealed(header: &str, payload: &str) -> String {
    let signed = format!("{header}.{payload}");
    let tag = hmac::sign(&mac(), signed.as_bytes());
    format!("{signed}.{}", base64(tag.as_ref()))
}

fn token(header: &str) -> String {
    sealed(&base64(header), &base64("{}"))
}

fn check(token: &str) -> Result<Vec<u8>, Refused> {
    let key = VerifyingKey::Hs256(mac());
    verify(token, MAX, |kid| (kid == "k1").then_some(&key))
}

#[test]
fn a_token_of_ours_is_accepted() {
    assert_eq!(SigningKey::hs256("k1", mac()).sign(b"{}"), token(GOOD_HEADER));
    assert_eq!(check(&token(GOOD_HEADER)), Ok(b"{}".to_vec()));
}

#[test]
fn hostile_headers_are_refused_although_the_signature_holds() {
    for (attack, header) in [
        ("1 alg none", r#"{"alg":"none","kid":"k1","typ":"JWT"}"#),
        ("1 alg None", r#"{"alg":"None","kid":"k1","typ":"JWT"}"#),
        ("1 alg nOnE", r#"{"alg":"nOnE","kid":"k1","typ":"JWT"}"#),
        ("1 lower case", r#"{"alg":"hs256","kid":"k1","typ":"JWT"}"#),
        ("1 alg missing", r#"{"kid":"k1","typ":"JWT"}"#),
        ("1 alg null", r#"{"alg":null,"kid":"k1","typ":"JWT"}"#),
        ("3 RS256", r#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#),
        ("4 HS512", r#"{"alg":"HS512","kid":"k1","typ":"JWT"}"#),
        ("4 ES256", r#"{"alg":"ES256","kid":"k1","typ":"JWT"}"#),
        ("7 kid number", r#"{"alg":"HS256","kid":1,"typ":"JWT"}"#),
        ("7 kid object", r#"{"alg":"HS256","kid":{},"typ":"JWT"}"#),
        ("7 kid null", r#"{"alg":"HS256","kid":null,"typ":"JWT"}"#),
        ("7 kid missing", r#"{"alg":"HS256","typ":"JWT"}"#),
        ("7 kid escaped", r#"{"alg":"HS256","kid":"\u006b1","typ":"JWT"}"#),
        ("8 jwk", r#"{"alg":"HS256","kid":"k1","typ":"JWT","jwk":{"kty":"oct","k":"AA"}}"#),
        ("9 jku", r#"{"alg":"HS256","kid":"k1","typ":"JWT","jku":"https://evil"}"#),
        ("9 x5u", r#"{"alg":"HS256","kid":"k1","typ":"JWT","x5u":"https://evil"}"#),
        ("10 x5c", r#"{"alg":"HS256","kid":"k1","typ":"JWT","x5c":["AA"]}"#),
        ("11 crit", r#"{"alg":"HS256","kid":"k1","typ":"JWT","crit":["exp"]}"#),
        ("11 crit empty", r#"{"alg":"HS256","kid":"k1","typ":"JWT","crit":[]}"#),
        ("12 b64", r#"{"alg":"HS256","kid":"k1","typ":"JWT","b64":false}"#),
        ("12 b64 in crit", r#"{"alg":"HS256","kid":"k1","typ":"JWT","b64":false,"crit":["b64"]}"#),
        ("16 zip", r#"{"alg":"HS256","kid":"k1","typ":"JWT","zip":"DEF"}"#),
        ("16 enc", r#"{"alg":"HS256","kid":"k1","typ":"JWT","enc":"A128GCM"}"#),
        ("16 nested", r#"{"alg":"HS256","kid":"k1","typ":"JWT","cty":"JWT"}"#),
        ("20 alg twice", r#"{"alg":"HS256","alg":"HS256","kid":"k1","typ":"JWT"}"#),
        ("20 kid twice", r#"{"alg":"HS256","kid":"k2","kid":"k1","typ":"JWT"}"#),
        ("28 dir", r#"{"alg":"dir","kid":"k1","typ":"JWT"}"#),
        ("28 PBES2", r#"{"alg":"PBES2-HS256+A128KW","kid":"k1","typ":"JWT"}"#),
        ("35 another typ", r#"{"alg":"HS256","kid":"k1","typ":"refresh+jwt"}"#),
        ("35 typ lower case", r#"{"alg":"HS256","kid":"k1","typ":"jwt"}"#),
        ("35 typ missing", r#"{"alg":"HS256","kid":"k1"}"#),
        ("not an object", "[]"),
        ("text after it", r#"{"alg":"HS256","kid":"k1","typ":"JWT"}{}"#),
        ("BOM", "\u{feff}{\"alg\":\"HS256\",\"kid\":\"k1\",\"typ\":\"JWT\"}"),
    ] {
        assert_eq!(check(&token(header)), Err(Refused::Invalid), "{attack}");
    }
    assert_eq!(
        check(&sealed(&base64(b"{\"alg\":\"\xff\"}"), "e30")),
        Err(Refused::Invalid),
        "21 invalid UTF-8"
    );
}

#[test]
fn unknown_and_hostile_key_ids_find_no_key() {
    for kid in ["k2", "", "../k1", "k1' OR '1'='1", "K1", "k1 "] {
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"JWT"}}"#);
        assert_eq!(check(&token(&header)), Err(Refused::UnknownKey), "5/6 {kid}");
    }
    for kid in [r"k1\u0000".to_owned(), "k".repeat(4000)] {
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"JWT"}}"#);
        assert_eq!(check(&token(&header)), Err(Refused::Invalid), "6");
    }
}

#[test]
fn malformed_segments_are_refused() {
    let good = token(GOOD_HEADER);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let header = base64(GOOD_HEADER);
    let deep = format!("{}{}", r#"{"a":"#.repeat(600), "}".repeat(600));
    for (attack, hostile) in [
        ("1 empty signature", format!("{signed}.")),
        ("14 short signature", format!("{signed}.{}", &signature[..40])),
        ("14 long signature", format!("{signed}.{signature}AAAA")),
        ("14 huge signature", format!("{signed}.{}", "A".repeat(4000))),
        ("17 JSON serialisation", format!(r#"{{"payload":"e30","signature":"{signature}"}}"#)),
        ("18 two segments", signed.to_owned()),
        ("18 four segments", format!("{good}.AAAA")),
        ("18 five segments", format!("{good}.AAAA.AAAA")),
        ("18 empty header", sealed("", "e30")),
        ("18 empty payload", sealed(&header, "")),
        ("18 empty", String::new()),
        ("18 dots", "..".to_owned()),
        ("19 padded header", sealed(&format!("{header}="), "e30")),
        ("19 padded payload", sealed(&header, "e30=")),
        ("19 padded signature", format!("{good}=")),
        ("19 other alphabet", sealed(&header, "e30+")),
        ("19 trailing bits in the payload", sealed(&header, "e31")),
        ("19 leading space", format!(" {good}")),
        ("19 trailing newline", format!("{good}\n")),
        ("19 BOM", format!("\u{feff}{good}")),
        ("19 space inside", sealed(&header, "e3 0")),
        ("22 deep header", sealed(&base64(deep), "e30")),
        ("23 too long", sealed(&header, &"A".repeat(MAX))),
    ] {
        assert_eq!(check(&hostile), Err(Refused::Invalid), "{attack}");
    }
    // The last character of a 43-letter tag has two spare bits: only one spelling is right.
    let last = char::from(signature.as_bytes()[42] + 1);
    assert_eq!(check(&format!("{signed}.{}{last}", &signature[..42])), Err(Refused::Invalid), "19 tag bits");
}

#[test]
fn a_public_key_as_secret_signs_nothing_that_we_accept() {
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
    let key = hmac::Key::new(hmac::HMAC_SHA256, pem.as_bytes());
    assert_eq!(check(&SigningKey::hs256("k1", key).sign(b"{}")), Err(Refused::Invalid), "2");
    let empty = hmac::Key::new(hmac::HMAC_SHA256, b"");
    assert_eq!(check(&SigningKey::hs256("k1", empty).sign(b"{}")), Err(Refused::Invalid), "24");
}

proptest! {
    #[test]
    fn what_is_signed_comes_back(payload in proptest::collection::vec(any::<u8>(), 1..600)) {
        prop_assert_eq!(check(&SigningKey::hs256("k1", mac()).sign(&payload)), Ok(payload));
    }

    #[test]
    fn any_change_of_one_byte_is_refused(
        payload in proptest::collection::vec(any::<u8>(), 1..200),
        at in any::<prop::sample::Index>(),
        byte in 0x20_u8..0x7f,
    ) {
        let mut token = SigningKey::hs256("k1", mac()).sign(&payload).into_bytes();
        let at = at.index(token.len());
        prop_assume!(token[at] != byte);
        token[at] = byte;
        let token = String::from_utf8(token).unwrap();
        prop_assert!(check(&token).is_err());
    }
}
