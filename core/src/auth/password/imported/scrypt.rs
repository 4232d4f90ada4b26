//! scrypt (RFC 7914).

use ::scrypt::Params;

use crate::auth::password::cost::MOST_MEMORY_KIB;
use crate::auth::password::phc::{Phc, equal};

/// Work is memory × lanes; four times the most memory.
const MOST_WORK_KIB: u64 = 4 * MOST_MEMORY_KIB as u64;

pub(in crate::auth::password) struct Scrypt {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Scrypt {
    pub(super) fn parse(phc: Phc<'_>) -> Option<Self> {
        let known = phc.has_only(&["ln", "r", "p"]);
        let params = bearable(phc.number("ln")?, phc.number("r")?, phc.number("p")?)?;
        known.then_some(Self { params, salt: phc.salt, hash: phc.hash })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut derived = vec![0; self.hash.len()];
        let done = ::scrypt::scrypt(password, &self.salt, &self.params, &mut derived);
        done.is_ok() && equal(&derived, &self.hash)
    }
}

/// The parameters, if their work is bearable: memory is 128 bytes × r × 2^ln.
pub(super) fn bearable(log_n: u32, r: u32, p: u32) -> Option<Params> {
    let kib = 1_u64.checked_shl(log_n).filter(|_| log_n < 32)?.checked_mul(u64::from(r))?.div_ceil(8);
    // The lanes' own buffer, 128 bytes × r × p, is within the bound of the work.
    let work = kib.checked_mul(u64::from(p))?;
    let bearable = kib <= u64::from(MOST_MEMORY_KIB) && work <= MOST_WORK_KIB && log_n > 0;
    bearable.then(|| Params::new(u8::try_from(log_n).ok()?, r, p).ok()).flatten()
}
