//! Keys that check signatures; each knows the one algorithm that it is for.

use jsonwebtoken::Algorithm;
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::Fault;

/// The bytes that an HMAC secret must have (RFC 7518 §3.2).
pub(crate) const MIN_SECRET: usize = 32;

/// A key that checks signatures of one algorithm.
#[derive(Clone, Debug)]
pub(crate) enum VerifyingKey {
    /// HMAC-SHA256, prebuilt (RFC 7518 §3.2).
    Hs256(hmac::Key),
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    Rs256(RsaPublicKeyComponents<Vec<u8>>),
    /// ECDSA on P-256 with SHA-256, signatures of 64 raw bytes (RFC 7518 §3.4).
    Es256(UnparsedPublicKey<Vec<u8>>),
    /// Ed25519 (RFC 8037 §3.1).
    EdDsa(UnparsedPublicKey<Vec<u8>>),
}

impl VerifyingKey {
    /// A shared secret of at least 32 bytes, which must not be somebody's public key.
    pub(crate) fn hs256(secret: &[u8]) -> Result<Self, Fault> {
        if secret.len() < MIN_SECRET {
            return Err(Fault("a shared secret must have at least 32 bytes"));
        }
        if secret.trim_ascii_start().starts_with(b"-----BEGIN") {
            return Err(Fault("a PEM document is no shared secret: whoever knows the public key could sign"));
        }
        Ok(Self::Hs256(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// An RSA key of 2048 to 4096 bits, modulus and exponent big-endian.
    pub(crate) fn rs256(modulus: &[u8], exponent: &[u8]) -> Result<Self, Fault> {
        let (n, e) = (without_zeros(modulus), without_zeros(exponent));
        let top_zeros = n.first().map_or(0, |byte| byte.leading_zeros() as usize);
        let bits = (n.len() * 8).saturating_sub(top_zeros);
        if !(2048..=4096).contains(&bits) {
            return Err(Fault("an RSA key must have 2048 to 4096 bits"));
        }
        // FIPS 186-5 §A.1.1 wants more than 2^16; ring reads up to 33 bits.
        let exponent = e.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
        if e.len() > 4 || exponent <= 1 << 16 || exponent.is_multiple_of(2) {
            return Err(Fault("an RSA key's exponent must be odd and between 2^16 and 2^32"));
        }
        if n.last().is_none_or(|byte| byte.is_multiple_of(2)) || has_roca_fingerprint(n) {
            return Err(Fault("an RSA key's modulus must not be one that is easily factored"));
        }
        Ok(Self::Rs256(RsaPublicKeyComponents { n: n.to_vec(), e: e.to_vec() }))
    }

    /// A point of P-256. That it lies on the curve is checked with every signature.
    pub(crate) fn es256(x: &[u8], y: &[u8]) -> Result<Self, Fault> {
        if x.len() != 32 || y.len() != 32 {
            return Err(Fault("a P-256 key's coordinates must have 32 bytes each"));
        }
        let point = [&[4], x, y].concat();
        Ok(Self::Es256(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)))
    }

    /// An Ed25519 key in its one spelling and not of small order: such a key would accept signatures
    /// that nobody made.
    pub(crate) fn ed25519(key: &[u8]) -> Result<Self, Fault> {
        let key: [u8; 32] = key.try_into().map_err(|_| Fault("an Ed25519 key must have 32 bytes"))?;
        if is_weak_ed25519(key) {
            return Err(Fault("an Ed25519 key must be canonical and not of small order"));
        }
        Ok(Self::EdDsa(UnparsedPublicKey::new(&ED25519, key.to_vec())))
    }

    /// The algorithm that a token must name to be checked with this key.
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::HS256,
            Self::Rs256(_) => Algorithm::RS256,
            Self::Es256(_) => Algorithm::ES256,
            Self::EdDsa(_) => Algorithm::EdDSA,
        }
    }

    /// Whether the key's owner signed the message.
    pub(super) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            // ring compares in constant time and refuses other lengths.
            Self::Hs256(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Rs256(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok(),
            Self::Es256(key) | Self::EdDsa(key) => key.verify(message, signature).is_ok(),
        }
    }
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// Whether a modulus is one of those that flawed chips made (CVE-2017-15361): modulo every small prime
/// it is a power of 65537, which happens by chance about once in 2^27 times.
fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    const PRIMES: [u32; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];
    PRIMES.into_iter().all(|prime| {
        let residue = modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let next = |power: &u32| Some(power * 65_537 % prime);
        std::iter::successors(Some(1), next).take(prime as usize).any(|power| power == residue)
    })
}

/// The points of order 1, 2, 4 and 8, and every encoding of a coordinate that is not below 2^255 − 19.
fn is_weak_ed25519(mut key: [u8; 32]) -> bool {
    const ORDER_8: [[u8; 32]; 2] = [
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
            0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
    ];
    // The top bit is the sign of the other coordinate.
    let [first, middle @ .., last] = &mut key;
    *last &= 0x7f;
    let zero_or_one = *first <= 1 && *last == 0 && middle.iter().all(|byte| *byte == 0);
    // 2^255 − 20 is −1, of order 2; from 2^255 − 19 on the spelling is a second one.
    let minus_one_or_more = *first >= 0xec && *last == 0x7f && middle.iter().all(|byte| *byte == 0xff);
    zero_or_one || minus_one_or_more || ORDER_8.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_keys_are_refused_at_construction() {
        assert!(VerifyingKey::hs256(&[1; 31]).is_err() && VerifyingKey::hs256(b"").is_err(), "24");
        assert!(VerifyingKey::hs256(&[1; 32]).is_ok());
        assert!(VerifyingKey::hs256(b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA").is_err(), "2");
        let modulus = |bits: usize| {
            let mut bytes = vec![0xff; bits / 8];
            bytes[1] = 0x5a;
            bytes
        };
        for (bits, good) in [(1024, false), (2040, false), (2048, true), (4096, true), (4104, false)] {
            assert_eq!(VerifyingKey::rs256(&modulus(bits), &[1, 0, 1]).is_ok(), good, "25 {bits}");
        }
        let padded = [vec![0; 9], modulus(2040)].concat();
        assert!(VerifyingKey::rs256(&padded, &[1, 0, 1]).is_err(), "25 padded with zeros");
        for exponent in [&[][..], &[1], &[3], &[1, 0, 0], &[1, 0, 2], &[1, 0, 0, 0, 1]] {
            assert!(VerifyingKey::rs256(&modulus(2048), exponent).is_err(), "25 {exponent:?}");
        }
        assert!(VerifyingKey::es256(&[1; 32], &[1; 31]).is_err());
        assert!(VerifyingKey::ed25519(&[9; 31]).is_err());
    }

    #[test]
    fn ed25519_keys_of_small_order_or_with_a_second_spelling_are_refused() {
        let filled = |first: u8, middle: u8, last: u8| {
            let mut key = [middle; 32];
            (key[0], key[31]) = (first, last);
            key
        };
        for weak in [
            filled(0, 0, 0),
            filled(0, 0, 0x80),
            filled(1, 0, 0),
            filled(1, 0, 0x80),
            filled(0xec, 0xff, 0x7f),
            filled(0xec, 0xff, 0xff),
            filled(0xed, 0xff, 0x7f),
            filled(0xee, 0xff, 0xff),
            filled(0xff, 0xff, 0xff),
        ] {
            assert!(VerifyingKey::ed25519(&weak).is_err(), "15 {weak:x?}");
        }
        for good in [filled(2, 0, 0), filled(0xeb, 0xff, 0x7f)] {
            assert!(VerifyingKey::ed25519(&good).is_ok(), "{good:x?}");
        }
    }
}
