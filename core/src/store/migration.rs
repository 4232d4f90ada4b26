//! Numbered steps of a schema, for stores that have one.

use super::{Result, StoreError, StoreErrorKind};

/// One step of a schema. A step that was released is never edited.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its place among the steps.
    pub number: i64,
    /// What it does.
    pub sql: &'static str,
}

impl Migration {
    /// FNV-1a of the text: it finds accidents, which is all that it is for.
    pub fn checksum(&self) -> i64 {
        let bytes = self.sql.bytes();
        bytes
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
            })
            .cast_signed()
    }
}

/// The steps that are still to be done, where those with these numbers and checksums were.
///
/// # Errors
/// - `NewerSchema` when one was done that is not known;
/// - `Corrupt` when one was another when it was done.
pub fn pending<'a>(known: &'a [Migration], applied: &[(i64, i64)]) -> Result<Vec<&'a Migration>> {
    for (number, checksum) in applied {
        match known.iter().find(|migration| migration.number == *number) {
            None => {
                let message = format!("the database has schema {number}, which this version does not know");
                return Err(StoreError::new(StoreErrorKind::NewerSchema, message));
            }
            Some(known) if known.checksum() != *checksum => {
                let message = "a migration differs from the one that was applied";
                return Err(StoreError::new(StoreErrorKind::Corrupt, message));
            }
            Some(_) => {}
        }
    }
    let is_new = |one: &&Migration| applied.iter().all(|(number, _)| *number != one.number);
    Ok(known.iter().filter(is_new).collect())
}
