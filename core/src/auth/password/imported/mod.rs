//! Hashes that other systems made. They are verified, never made.
//!
//! | make | the stored string | the most it may ask for |
//! |---|---|---|
//! | bcrypt | `$2a$`, `$2b$`, `$2y$` and cost, salt, hash | cost 16 |
//! | scrypt | `$scrypt$ln=17,r=8,p=1$salt$hash` (PHC) | 256 MiB, 1 GiB over all lanes |
//! | Firebase | `$firebase-scrypt$r=8,m=14,k=signer key,s=salt separator$salt$hash` | as scrypt |
//! | PBKDF2 | `$pbkdf2-sha256$i=600000$salt$hash`, `$pbkdf2-sha512$…` (PHC) | 5 million iterations |
//!
//! A password with a NUL byte is wrong: bcrypt often stops at it, and HMAC (inside scrypt and PBKDF2) takes
//! `x` and `x\0` for the same key.
//!
//! Binary values are Base64 of the standard alphabet, with or without padding; those of Firebase stand as
//! `firebase auth:export` and the project's password hash parameters print them.

mod bcrypt;
mod firebase;
mod pbkdf2;
mod scrypt;

use super::phc::Phc;
use bcrypt::Bcrypt;
use firebase::FirebaseScrypt;
use pbkdf2::Pbkdf2;
use scrypt::Scrypt;

/// A hash of another make.
pub(super) enum Imported {
    Bcrypt(Bcrypt),
    Scrypt(Scrypt),
    Firebase(FirebaseScrypt),
    Pbkdf2(Pbkdf2),
}

impl Imported {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.starts_with("$2") {
            return Bcrypt::parse(text).map(Self::Bcrypt);
        }
        let phc = Phc::parse(text)?;
        match phc.id {
            "scrypt" => Scrypt::parse(phc).map(Self::Scrypt),
            "firebase-scrypt" => FirebaseScrypt::parse(phc).map(Self::Firebase),
            "pbkdf2-sha256" | "pbkdf2-sha512" => Pbkdf2::parse(phc).map(Self::Pbkdf2),
            _ => None,
        }
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        // The work is done in any case, so that its absence tells nothing.
        let right = match self {
            Self::Bcrypt(stored) => stored.matches(password),
            Self::Scrypt(stored) => stored.matches(password),
            Self::Firebase(stored) => stored.matches(password),
            Self::Pbkdf2(stored) => stored.matches(password),
        };
        right && !password.contains(&0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(stored: &str, password: &str) -> bool {
        Imported::parse(stored).unwrap_or_else(|| panic!("{stored}")).matches(password.as_bytes())
    }

    /// Made by libxcrypt, Python's hashlib, RFC 7914 and Firebase's published example.
    #[test]
    fn hashes_of_other_systems_are_verified() {
        let firebase = "$firebase-scrypt$r=8,m=14,\
            k=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,s=Bw==\
            $42xEC+ixf3L2lw==\
            $lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";
        let long = "x".repeat(72);
        for (stored, password) in [
            ("$2a$04$abcdefghijklmnopqrstuunQyUw6zg0jclhYTlg5/zHyfwGycQZ8W", "user1password"),
            ("$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i", long.as_str()),
            ("$2y$04$abcdefghijklmnopqrstuufSeHSNXwW8gGp3yOdYlyY8aUWmZrTZ.", "\u{e9}t\u{e9}123"),
            (
                "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHRzYWx0$rkfKuo7RdHGvRYAO69AQqgbX01u4TRFka2vXuQUQvBc",
                "user1password",
            ),
            (
                "$pbkdf2-sha256$i=1000$c2FsdHNhbHRzYWx0$FebcNWmKn/6Q936FOKeTugu6y/e3ZLqbevESpuMuxJE",
                "user1password",
            ),
            (
                "$pbkdf2-sha512$i=1000,l=64$c2FsdHNhbHRzYWx0\
                 $cTLnUb7uEbFmuwPteMwb0KNdDuHRyUABaAMEtCku6opKhlgm7VRG4sXWfEhjkLQKAwsk+tM2v69Ctip5hSp6iQ",
                "user1password",
            ),
            (firebase, "user1password"),
        ] {
            assert!(matches(stored, password), "{stored}");
            for wrong in ["", "user1passwore", "user1password ", &format!("{password}\0")] {
                assert!(!matches(stored, wrong), "{stored} {wrong:?}");
            }
        }
    }

    #[test]
    fn bcrypt_opens_to_nothing_longer_than_what_it_reads() {
        let stored = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";
        assert!(matches(stored, &"x".repeat(72)));
        assert!(!matches(stored, &"x".repeat(73)) && !matches(stored, &"x".repeat(71)));
        assert!(!matches(stored, &format!("{}\0", "x".repeat(72))));
    }

    #[test]
    fn strings_that_ask_for_too_much_or_are_broken_are_refused_unread() {
        let tail = "$c2FsdHNhbHRzYWx0$rkfKuo7RdHGvRYAO69AQqgbX01u4TRFka2vXuQUQvBc";
        let bcrypt = "abcdefghijklmnopqrstuunQyUw6zg0jclhYTlg5/zHyfwGycQZ8W";
        let mut bad = vec!["plain".to_owned(), "$2b$04$short".to_owned()];
        for cost in ["2a$31", "2b$17", "2x$04", "2b$03", "2$04", "2b$+4", "2b$-1"] {
            bad.push(format!("${cost}${bcrypt}"));
        }
        for params in [
            "scrypt$ln=22,r=8,p=1",
            "scrypt$ln=18,r=8,p=5",
            "scrypt$ln=63,r=1,p=1",
            "scrypt$ln=64,r=1,p=1",
            "scrypt$ln=4294967295,r=8,p=1",
            "scrypt$ln=4,r=4294967295,p=4294967295",
            "scrypt$ln=4,r=8,p=1073741823",
            "scrypt$ln=0,r=8,p=1",
            "scrypt$ln=4,r=0,p=1",
            "scrypt$ln=4,r=8,p=0",
            "scrypt$ln=4,r=8",
            "scrypt$ln=4,r=8,p=1,x=1",
            "scrypt$ln=-4,r=8,p=1",
            "firebase-scrypt$r=8,m=40,k=AAAA,s=Bw==",
            "firebase-scrypt$r=8,m=14,k=AAAA,s=Bw==",
            "firebase-scrypt$r=8,m=14,s=Bw==",
            "pbkdf2-sha256$i=0",
            "pbkdf2-sha256$i=4294967295",
            "pbkdf2-sha256$i=1000,l=64",
            "pbkdf2-sha1$i=1000",
        ] {
            bad.push(format!("${params}{tail}"));
        }
        for stored in bad {
            assert!(Imported::parse(&stored).is_none(), "{stored}");
        }
    }
}
