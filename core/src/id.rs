//! Identifiers: newtypes, so that two of them cannot be swapped.

use std::fmt;
use std::sync::Arc;

use bson::oid::ObjectId;
use chrono::{DateTime, Utc};

use crate::env::Random;
use crate::error::Error;

/// The client app id, as it stands in URLs: `movies-abcde`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppId(Arc<str>);

impl AppId {
    /// Takes the id as written.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppId({})", self.0)
    }
}

macro_rules! object_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(ObjectId);

        impl $name {
            /// Wraps the twelve bytes.
            pub const fn new(id: ObjectId) -> Self {
                Self(id)
            }

            /// A fresh id: four bytes of time, eight of randomness.
            pub fn generate(now: DateTime<Utc>, random: &dyn Random) -> Result<Self, Error> {
                fresh_object_id(now, random).map(Self)
            }

            /// Reads 24 hexadecimal digits; anything else is `None`.
            pub fn parse(hex: &str) -> Option<Self> {
                parse_hex(hex).map(Self)
            }

            /// The twelve bytes.
            pub const fn object_id(self) -> ObjectId {
                self.0
            }

            /// The id as 24 lower-case hexadecimal digits.
            pub fn to_hex(self) -> String {
                to_hex(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&to_hex(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), to_hex(self.0))
            }
        }
    )*};
}

object_ids! {
    /// A user of one app.
    UserId;
    /// A session: what one log-in opened.
    SessionId;
    /// An API key.
    ApiKeyId;
    /// A device, as the client SDK names it; all zeros when it sent none.
    DeviceId;
    /// A record of a request.
    RecordId;
    /// The app's identity inside tokens; app-less routes find the app by it.
    DomainId;
}

impl DeviceId {
    /// The id of a client that named no device.
    pub const NONE: Self = Self(ObjectId::from_bytes([0; 12]));
}

/// A collection: what documents are stored under and rules are written for.
///
/// `group` is the app's id, or the name of a data group that several apps share.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CollectionId {
    /// The app's id, or the data group's name.
    pub group: Arc<str>,
    /// The data source, usually `mongodb-atlas`.
    pub service: Arc<str>,
    /// The database.
    pub database: Arc<str>,
    /// The collection.
    pub name: Arc<str>,
}

impl CollectionId {
    /// Names a collection by its four parts.
    pub fn new(
        group: impl Into<Arc<str>>,
        service: impl Into<Arc<str>>,
        database: impl Into<Arc<str>>,
        name: impl Into<Arc<str>>,
    ) -> Self {
        Self { group: group.into(), service: service.into(), database: database.into(), name: name.into() }
    }

    /// `database.collection`, as rules and logs name it.
    pub fn namespace(&self) -> String {
        format!("{}.{}", self.database, self.name)
    }
}

impl fmt::Display for CollectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}.{}", self.service, self.database, self.name)
    }
}

/// A fresh ObjectId from injected time and randomness: four bytes of seconds, eight random ones.
pub fn fresh_object_id(now: DateTime<Utc>, random: &dyn Random) -> Result<ObjectId, Error> {
    let mut bytes = [0_u8; 12];
    random.fill(&mut bytes)?;
    let seconds = u32::try_from(now.timestamp()).unwrap_or(0).to_be_bytes();
    for (slot, byte) in bytes.iter_mut().zip(seconds) {
        *slot = byte;
    }
    Ok(ObjectId::from_bytes(bytes))
}

/// Tokens hold four ids or more and are read and written all the time: no detour over `char`s as in the `hex` crate.
fn to_hex(id: ObjectId) -> String {
    let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + (nibble - 10) });
    let mut hex = String::with_capacity(24);
    for byte in id.bytes() {
        hex.push(digit(byte >> 4));
        hex.push(digit(byte & 15));
    }
    hex
}

fn parse_hex(hex: &str) -> Option<ObjectId> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    };
    let digits: &[u8; 24] = hex.as_bytes().try_into().ok()?;
    let mut bytes = [0_u8; 12];
    let (pairs, _) = digits.as_chunks::<2>();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(ObjectId::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_read_and_written_as_bson_does() {
        for first in 0..=255_u8 {
            let bytes = std::array::from_fn(|index| first.wrapping_mul(index as u8 + 1).wrapping_add(first));
            let id = ObjectId::from_bytes(bytes);
            assert_eq!(to_hex(id), id.to_hex());
            assert_eq!(parse_hex(&id.to_hex()), Some(id));
            assert_eq!(parse_hex(&id.to_hex().to_uppercase()), Some(id));
            let text = format!("{}{:0>23}", char::from(first), 0);
            assert_eq!(parse_hex(&text), ObjectId::parse_str(&text).ok(), "{text}");
        }
    }

    #[test]
    fn only_24_hexadecimal_digits_are_an_id() {
        assert!(UserId::parse("65a000000000000000000001").is_some());
        for bad in ["", "65a0", "zza000000000000000000001", "65a0000000000000000000012"] {
            assert!(UserId::parse(bad).is_none(), "{bad}");
        }
    }
}
