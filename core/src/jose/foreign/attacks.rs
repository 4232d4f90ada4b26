//! The attacks on third parties' tokens (numbers of the attack list), each refused.

use super::*;
use crate::jose::kit::{self, Signer};
use proptest::prelude::*;

const MAX: usize = 64 * 1024;

fn keys() -> Vec<VerifyingKey> {
    Signer::ALL.map(Signer::key).to_vec()
}

fn check(token: &str) -> Result<Vec<u8>, Fault> {
    ForeignToken::read(token, MAX)?.verify(&keys())
}

#[test]
fn every_algorithm_is_accepted_with_the_headers_that_issuers_write() {
    for signer in Signer::ALL {
        let alg = signer.alg();
        for rest in [
            "",
            r#","typ":"JWT""#,
            r#","typ":"jwt""#,
            r#","typ":"at+jwt""#,
            r#","typ":"application/at+jwt""#,
            r#","kid":"k/1=","x5t":"abc""#,
            r#","kid":"\u006b1""#,
        ] {
            let token = signer.token(&format!(r#"{{"alg":"{alg}"{rest}}}"#), "{}");
            assert_eq!(check(&token), Ok(b"{}".to_vec()), "{alg} {rest}");
        }
    }
}

#[test]
fn hostile_headers_are_refused_although_the_signature_holds() {
    for (attack, header) in [
        ("1 alg none", r#"{"alg":"none"}"#),
        ("1 alg None", r#"{"alg":"None"}"#),
        ("1 alg nOnE", r#"{"alg":"nOnE"}"#),
        ("1 lower case", r#"{"alg":"hs256"}"#),
        ("1 alg missing", r#"{"typ":"JWT"}"#),
        ("1 alg null", r#"{"alg":null}"#),
        ("1 alg list", r#"{"alg":["HS256"]}"#),
        ("4 HS512", r#"{"alg":"HS512"}"#),
        ("4 PS256", r#"{"alg":"PS256"}"#),
        ("7 kid number", r#"{"alg":"HS256","kid":1}"#),
        ("7 kid object", r#"{"alg":"HS256","kid":{}}"#),
        ("7 kid null", r#"{"alg":"HS256","kid":null}"#),
        ("8 jwk", r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AA"}}"#),
        ("9 jku", r#"{"alg":"HS256","jku":"https://evil"}"#),
        ("9 x5u", r#"{"alg":"HS256","x5u":"https://evil"}"#),
        ("10 x5c", r#"{"alg":"HS256","x5c":["AA"]}"#),
        ("11 crit", r#"{"alg":"HS256","crit":["exp"],"exp":1}"#),
        ("11 crit empty", r#"{"alg":"HS256","crit":[]}"#),
        ("11 crit null", r#"{"alg":"HS256","crit":null}"#),
        ("11 crit absent header", r#"{"alg":"HS256","crit":["x"]}"#),
        ("12 b64", r#"{"alg":"HS256","b64":false}"#),
        ("12 b64 true", r#"{"alg":"HS256","b64":true}"#),
        ("12 b64 in crit", r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#),
        ("16 zip", r#"{"alg":"HS256","zip":"DEF"}"#),
        ("16 enc", r#"{"alg":"HS256","enc":"A128GCM"}"#),
        ("16 nested", r#"{"alg":"HS256","cty":"JWT"}"#),
        ("20 alg twice", r#"{"alg":"HS256","alg":"HS256"}"#),
        ("20 alg twice, escaped", r#"{"alg":"HS256","\u0061lg":"none"}"#),
        ("20 unknown twice", r#"{"alg":"HS256","x":1,"x":1}"#),
        ("21 lone surrogate", r#"{"alg":"HS256","x":"\ud800"}"#),
        ("28 dir", r#"{"alg":"dir"}"#),
        ("28 PBES2", r#"{"alg":"PBES2-HS256+A128KW"}"#),
        ("28 PBES2 count", r#"{"alg":"HS256","p2c":1000000000}"#),
        ("35 refresh token", r#"{"alg":"HS256","typ":"refresh+jwt"}"#),
        ("35 JOSE", r#"{"alg":"HS256","typ":"JOSE"}"#),
        ("35 logout token", r#"{"alg":"HS256","typ":"logout+jwt"}"#),
        ("35 typ null", r#"{"alg":"HS256","typ":null}"#),
        ("not an object", "[]"),
        ("text after it", r#"{"alg":"HS256"}{}"#),
        ("19 BOM", "\u{feff}{\"alg\":\"HS256\"}"),
    ] {
        assert!(check(&Signer::Hs256.token(header, "{}")).is_err(), "{attack}");
    }
    let token = Signer::Hs256.sealed(&compact::encode(b"{\"alg\":\"HS256\",\"x\":\"\xff\"}"), "e30");
    assert!(check(&token).is_err(), "21 invalid UTF-8");
}

#[test]
fn hostile_key_ids_are_refused_or_just_names() {
    for (kid, read) in
        [("../../etc/passwd", true), ("k' OR '1'='1", true), (r"a\u0000", false), (r"a\n", false)]
    {
        let token = Signer::Hs256.token(&format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#), "{}");
        assert_eq!(ForeignToken::read(&token, MAX).is_ok(), read, "6 {kid}");
    }
    for length in [257, 3000, 10_000] {
        let header = format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(length));
        assert!(check(&Signer::Hs256.token(&header, "{}")).is_err(), "6 of {length} bytes");
    }
}

#[test]
fn malformed_segments_are_refused() {
    let header = compact::encode(r#"{"alg":"HS256"}"#);
    let sealed = |header: &str, payload: &str| Signer::Hs256.sealed(header, payload);
    let good = sealed(&header, "e30");
    assert!(check(&good).is_ok());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let deep = format!(r#"{{"alg":"HS256","x":{}{}}}"#, "[".repeat(1000), "]".repeat(1000));
    // The last character of a 43-letter tag has two spare bits: only one spelling is right.
    let last = char::from(signature.as_bytes()[42] + 1);
    for (attack, hostile) in [
        ("1 empty signature", format!("{signed}.")),
        ("14 short signature", format!("{signed}.{}", &signature[..40])),
        ("14 long signature", format!("{signed}.{signature}AAAA")),
        ("14 huge signature", format!("{signed}.{}", "A".repeat(4000))),
        ("16 JWE", format!("{header}.AAAA.AAAA.AAAA.AAAA")),
        ("17 JSON serialisation", format!(r#"{{"payload":"e30","signature":"{signature}"}}"#)),
        ("18 two segments", signed.to_owned()),
        ("18 four segments", format!("{good}.AAAA")),
        ("18 empty header", sealed("", "e30")),
        ("18 empty payload", sealed(&header, "")),
        ("18 empty", String::new()),
        ("18 dots", "..".to_owned()),
        ("19 padded header", sealed(&format!("{header}="), "e30")),
        ("19 padded payload", sealed(&header, "e30=")),
        ("19 padded signature", format!("{good}=")),
        ("19 other alphabet", sealed(&header, "e30+")),
        ("19 trailing bits in the payload", sealed(&header, "e31")),
        ("19 trailing bits in the tag", format!("{signed}.{}{last}", &signature[..42])),
        ("19 leading space", format!(" {good}")),
        ("19 trailing newline", format!("{good}\n")),
        ("19 BOM", format!("\u{feff}{good}")),
        ("19 space inside", sealed(&header, "e3 0")),
        ("22 deep header", sealed(&compact::encode(deep), "e30")),
        ("23 too long", sealed(&header, &"A".repeat(MAX))),
    ] {
        assert!(check(&hostile).is_err(), "{attack}");
    }
}

#[test]
fn a_key_is_used_for_its_own_algorithm_only() {
    for signer in Signer::ALL {
        for claimed in Signer::ALL {
            let token = signer.token(&format!(r#"{{"alg":"{}"}}"#, claimed.alg()), "{}");
            assert_eq!(check(&token).is_ok(), signer == claimed, "4 {signer:?} as {claimed:?}");
            let good = signer.token(&format!(r#"{{"alg":"{}"}}"#, signer.alg()), "{}");
            let token = ForeignToken::read(&good, MAX).unwrap();
            assert_eq!(token.verify([&claimed.key()]).is_ok(), signer == claimed, "3/4");
        }
    }
}

#[test]
fn a_public_key_as_shared_secret_signs_nothing_that_is_accepted() {
    let jwk = Signer::Rs256.jwk("a")["n"].as_str().unwrap().to_owned();
    let ed = compact::decode(Signer::EdDsa.jwk("a")["x"].as_str().unwrap()).unwrap();
    let secrets = [kit::RSA_PEM.as_bytes(), kit::P256_PEM.as_bytes(), kit::RSA_PEM.trim().as_bytes(), &ed];
    for secret in secrets.into_iter().chain([compact::decode(&jwk).unwrap().as_slice()]) {
        let signed = format!("{}.e30", compact::encode(r#"{"alg":"HS256"}"#));
        let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret), signed.as_bytes());
        assert!(check(&format!("{signed}.{}", compact::encode(tag))).is_err(), "2");
    }
}

#[test]
fn forged_and_misspelt_elliptic_signatures_are_refused() {
    const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let n: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&N[2 * at..2 * at + 2], 16).unwrap()).collect();
    let signed = format!("{}.e30", compact::encode(r#"{"alg":"ES256"}"#));
    let good = Signer::Es256.signature(signed.as_bytes());
    let (r, s) = good.split_at(32);
    let der = |number: &[u8]| [&[0x02, 33, 0], number].concat();
    for (attack, signature) in [
        ("13 zeros", vec![0; 64]),
        ("13 r = 0", [&[0; 32], s].concat()),
        ("13 s = 0", [r, &[0; 32]].concat()),
        ("13 r = n", [&n, s].concat()),
        ("13 s = n", [r, &n].concat()),
        ("13 both n", [n.clone(), n.clone()].concat()),
        ("13 both 1", [vec![0; 31], vec![1], vec![0; 31], vec![1]].concat()),
        ("14 DER", [&[0x30, 70][..], &der(r), &der(s)].concat()),
        ("14 short", good[..63].to_vec()),
        ("14 long", [&good[..], &[0]].concat()),
        ("14 padded", [&[0], r, &[0], s].concat()),
    ] {
        assert!(check(&format!("{signed}.{}", compact::encode(signature))).is_err(), "{attack}");
    }
    assert!(check(&format!("{signed}.{}", compact::encode(&good))).is_ok());
    // S + L, with L the order of Ed25519's group: the same signature for a careless reader.
    let signed = format!("{}.e30", compact::encode(r#"{"alg":"EdDSA"}"#));
    let mut signature = Signer::EdDsa.signature(signed.as_bytes());
    assert!(check(&format!("{signed}.{}", compact::encode(&signature))).is_ok());
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0_u16;
    for (slot, byte) in signature[32..].iter_mut().zip(order) {
        carry += u16::from(*slot) + u16::from(byte);
        *slot = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    assert!(check(&format!("{signed}.{}", compact::encode(signature))).is_err(), "15");
}

#[test]
fn public_keys_are_read_out_of_pem_and_weak_ones_are_not() {
    let ed = kit::ed25519_pem();
    for (text, algorithm, good) in [
        (kit::RSA_PEM, Algorithm::RS256, true),
        (kit::RSA_PKCS1_PEM, Algorithm::RS256, true),
        (kit::RSA_1024_PEM, Algorithm::RS256, false),
        (kit::P256_PEM, Algorithm::ES256, true),
        (kit::P256_COMPRESSED_PEM, Algorithm::ES256, false),
        (&ed, Algorithm::EdDSA, true),
        (include_str!("../kit/rsa.pem"), Algorithm::RS256, false),
    ] {
        assert_eq!(VerifyingKey::from_pem(algorithm, text).is_ok(), good, "25 {text}");
    }
    let token = Signer::Rs256.token(r#"{"alg":"RS256"}"#, "{}");
    let token = ForeignToken::read(&token, MAX).unwrap();
    let key = VerifyingKey::from_pem(Algorithm::RS256, kit::RSA_PKCS1_PEM).unwrap();
    assert!(token.verify([&key]).is_ok());
}

proptest! {
    #[test]
    fn any_change_of_one_byte_is_refused(
        signer in prop::sample::select(&Signer::ALL[..]),
        at in any::<prop::sample::Index>(),
        byte in 0x20_u8..0x7f,
    ) {
        let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, signer.alg());
        let mut token = signer.token(&header, r#"{"sub":"somebody"}"#).into_bytes();
        let at = at.index(token.len());
        prop_assume!(token[at] != byte);
        token[at] = byte;
        prop_assert!(check(&String::from_utf8(token).unwrap()).is_err());
    }

    #[test]
    fn no_text_is_a_token(text in ".{0,300}") {
        prop_assert!(check(&text).is_err());
    }
}
