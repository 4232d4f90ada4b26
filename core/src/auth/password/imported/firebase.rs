//! Firebase's scrypt: a key is derived from the password and encrypts the project's signer key.

use aes::Aes256;
use aes::cipher::{KeyIvInit, StreamCipher};
use ctr::Ctr128BE;

use super::scrypt::bearable;
use crate::auth::password::phc::{Phc, equal};

const KEY_BYTES: usize = 32;

pub(in crate::auth::password) struct FirebaseScrypt {
    params: ::scrypt::Params,
    signer_key: Vec<u8>,
    /// The user's salt with the project's separator behind it.
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl FirebaseScrypt {
    pub(super) fn parse(phc: Phc<'_>) -> Option<Self> {
        let known = phc.has_only(&["r", "m", "k", "s"]);
        let params = bearable(phc.number("m")?, phc.number("r")?, 1)?;
        let (signer_key, separator) = (phc.bytes("k")?, phc.bytes("s")?);
        let mut salt = phc.salt;
        salt.extend(separator);
        let fits = known && signer_key.len() == phc.hash.len();
        fits.then_some(Self { params, signer_key, salt, hash: phc.hash })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut key = [0_u8; KEY_BYTES];
        let derived = ::scrypt::scrypt(password, &self.salt, &self.params, &mut key);
        let mut encrypted = self.signer_key.clone();
        let cipher =
            Ctr128BE::<Aes256>::new(&key.into(), &[0; 16].into()).try_apply_keystream(&mut encrypted);
        derived.is_ok() && cipher.is_ok() && equal(&encrypted, &self.hash)
    }
}
