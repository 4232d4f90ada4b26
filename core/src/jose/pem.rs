//! Public keys as PEM (RFC 7468): `PUBLIC KEY` (RFC 5280's SubjectPublicKeyInfo) and `RSA PUBLIC KEY`
//! (RFC 8017's). DER is read strictly; nothing that is not needed is understood.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::Algorithm;

use super::{Fault, VerifyingKey};

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const NULL: u8 = 0x05;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

impl VerifyingKey {
    /// The public key in a PEM document, if it is one for that algorithm.
    ///
    /// Line breaks may be written `\n`, as they are in environment variables.
    pub(crate) fn from_pem(algorithm: Algorithm, text: &str) -> Result<Self, Fault> {
        let text = text.replace("\\n", "\n");
        let (label, der) = document(text.trim())?;
        let key = match label {
            "PUBLIC KEY" => public_key(&der),
            "RSA PUBLIC KEY" => rsa(&der),
            "CERTIFICATE" => Err(Fault("a certificate where its public key is wanted")),
            _ => Err(Fault("a PEM document that is no public key")),
        }?;
        if key.algorithm() != algorithm {
            return Err(Fault("a public key of another algorithm"));
        }
        Ok(key)
    }
}

/// Label and content.
fn document(text: &str) -> Result<(&str, Vec<u8>), Fault> {
    let bad = || Fault("not a PEM document");
    let (label, rest) =
        text.strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----")).ok_or_else(bad)?;
    let body = rest.strip_suffix("-----").and_then(|rest| rest.strip_suffix(label)).ok_or_else(bad)?;
    let body = body.strip_suffix("-----END ").ok_or_else(bad)?;
    let base64: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    Ok((label, STANDARD.decode(base64).map_err(|_| bad())?))
}

fn public_key(der: &[u8]) -> Result<VerifyingKey, Fault> {
    let (kind, parameters, bits) = public_key_info(der).ok_or(Fault("not a public key in DER"))?;
    match (kind, parameters) {
        (RSA, Parameters::Null) => rsa(bits),
        (ED25519, Parameters::None) => VerifyingKey::ed25519(bits),
        (EC, Parameters::Object(P256)) => match bits.split_first() {
            Some((4, point)) if point.len() == 64 => {
                let (x, y) = point.split_at(32);
                VerifyingKey::es256(x, y)
            }
            _ => Err(Fault("a P-256 key must be an uncompressed point")),
        },
        _ => Err(Fault("a public key of an algorithm that is not known")),
    }
}

enum Parameters<'d> {
    None,
    Null,
    Object(&'d [u8]),
}

/// `SubjectPublicKeyInfo`: algorithm, its parameters, and the key's bits.
fn public_key_info(der: &[u8]) -> Option<(&[u8], Parameters<'_>, &[u8])> {
    let mut info = Der::whole(der, SEQUENCE)?;
    let mut algorithm = Der(info.take(SEQUENCE)?);
    let kind = algorithm.take(OBJECT_ID)?;
    let parameters = match algorithm.0.first() {
        None => Parameters::None,
        Some(&NULL) => algorithm.take(NULL).filter(|content| content.is_empty()).map(|_| Parameters::Null)?,
        Some(_) => Parameters::Object(algorithm.take(OBJECT_ID)?),
    };
    let (unused_bits, bits) = info.take(BIT_STRING)?.split_first()?;
    (*unused_bits == 0 && algorithm.0.is_empty() && info.0.is_empty()).then_some((kind, parameters, bits))
}

fn rsa(der: &[u8]) -> Result<VerifyingKey, Fault> {
    let numbers = || {
        let mut key = Der::whole(der, SEQUENCE)?;
        let (modulus, exponent) = (key.take(INTEGER)?, key.take(INTEGER)?);
        let positive = |number: &[u8]| number.first().is_some_and(|byte| *byte < 0x80);
        (key.0.is_empty() && positive(modulus) && positive(exponent)).then_some((modulus, exponent))
    };
    let (modulus, exponent) = numbers().ok_or(Fault("not an RSA public key in DER"))?;
    VerifyingKey::rs256(modulus, exponent)
}

/// The elements that are still to be read.
struct Der<'d>(&'d [u8]);

impl<'d> Der<'d> {
    /// The content of the one element that the bytes are.
    fn whole(bytes: &'d [u8], tag: u8) -> Option<Self> {
        let mut outer = Self(bytes);
        let content = outer.take(tag)?;
        outer.0.is_empty().then_some(Self(content))
    }

    /// The next element's content; its length must be written in the one shortest way.
    fn take(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (length, rest) = match self.0 {
            [found, rest @ ..] if *found == tag => match rest {
                [length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
                [0x81, length @ 0x80..=0xff, rest @ ..] => (usize::from(*length), rest),
                [0x82, high @ 1..=0xff, low, rest @ ..] => {
                    (usize::from(*high) << 8 | usize::from(*low), rest)
                }
                _ => return None,
            },
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAfU0Of2FTpptiQrUiq77mhf2kQg+INLEIw72uNp71Sfo=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn a_key_is_read_for_its_own_algorithm_only_and_with_either_line_break() {
        assert!(VerifyingKey::from_pem(Algorithm::EdDSA, ED).is_ok());
        assert!(VerifyingKey::from_pem(Algorithm::EdDSA, &ED.replace('\n', "\\n")).is_ok());
        assert!(VerifyingKey::from_pem(Algorithm::EdDSA, &ED.replace('\n', "\r\n")).is_ok());
        for other in [Algorithm::RS256, Algorithm::ES256, Algorithm::HS256] {
            assert!(VerifyingKey::from_pem(other, ED).is_err(), "{other:?}");
        }
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let pem = |label: &str, der: &[u8]| {
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", STANDARD.encode(der))
        };
        let der = document(ED.trim()).unwrap().1;
        let changed = |at: usize, to: u8| {
            let mut der = der.clone();
            der[at] = to;
            pem("PUBLIC KEY", &der)
        };
        for (why, text) in [
            ("empty", String::new()),
            ("no end", ED.replace("-----END PUBLIC KEY-----", "")),
            ("another end", ED.replace("END PUBLIC", "END PRIVATE")),
            ("certificate", pem("CERTIFICATE", &der)),
            ("private key", pem("PRIVATE KEY", &der)),
            ("cut", pem("PUBLIC KEY", &der[..43])),
            ("something after it", pem("PUBLIC KEY", &[&der[..], &[0]].concat())),
            ("unused bits", changed(11, 1)),
            ("another curve", changed(8, 0x71)),
            ("long form of a short length", pem("PUBLIC KEY", &[&[0x30, 0x81], &der[1..]].concat())),
            ("PKCS#1 label", pem("RSA PUBLIC KEY", &der)),
        ] {
            assert!(VerifyingKey::from_pem(Algorithm::EdDSA, &text).is_err(), "{why}");
        }
    }
}
