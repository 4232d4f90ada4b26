//! Reading of PHC strings that argon2's own reader does not know: `$id$a=1,b=2$salt$hash`.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Longer than any honest string.
const MAX_TEXT: usize = 1024;
/// Fewer would let a short hash be met by chance.
const MIN_HASH: usize = 16;

/// PHC leaves the padding out; Firebase's exports carry it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The parts of a string, with salt and hash decoded.
pub(super) struct Phc<'a> {
    pub(super) id: &'a str,
    params: Vec<(&'a str, &'a str)>,
    pub(super) salt: Vec<u8>,
    pub(super) hash: Vec<u8>,
}

impl<'a> Phc<'a> {
    /// `None` for anything of another shape, and for hashes under 16 bytes.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let mut parts = text.strip_prefix('$')?.split('$');
        let (id, params) = (parts.next()?, parts.next()?);
        let (salt, hash) = (decode(parts.next()?)?, decode(parts.next()?)?);
        let params: Vec<_> = params.split(',').map(|param| param.split_once('=')).collect::<Option<_>>()?;
        let whole = parts.next().is_none() && !salt.is_empty() && hash.len() >= MIN_HASH;
        whole.then_some(Self { id, params, salt, hash })
    }

    /// Whether there is nothing but these parameters: one that is not understood could change the hash.
    pub(super) fn has_only(&self, names: &[&str]) -> bool {
        self.params.iter().all(|(name, _)| names.contains(name))
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let mut found = self.params.iter().filter(|(known, _)| *known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.text(name)?.parse().ok()
    }

    pub(super) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        decode(self.text(name)?)
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// Comparison whose time does not depend on where the difference is.
pub(super) fn equal(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0_u8, |seen, (left, right)| seen | (left ^ right));
    left.len() == right.len() && std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_strings_are_read() {
        let good = Phc::parse("$x$a=1,b=YQ==$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA").unwrap();
        assert_eq!((good.id, good.number("a"), good.bytes("b").unwrap()), ("x", Some(1), b"a".to_vec()));
        assert!(good.has_only(&["a", "b"]) && !good.has_only(&["a"]));
        for bad in [
            "",
            "$x",
            "$x$a=1$c2FsdA$AAAA",
            "$x$a=1$$AAAAAAAAAAAAAAAAAAAAAA",
            "$x$a$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
            "$x$a=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA$",
            "$x$a=1$!$AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(Phc::parse(bad).is_none(), "{bad}");
        }
        let twice = Phc::parse("$x$a=1,a=2$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA").unwrap();
        assert_eq!(twice.number("a"), None, "a parameter that stands twice has no value");
    }

    #[test]
    fn equal_means_equal() {
        assert!(equal(b"", b"") && equal(b"ab", b"ab"));
        assert!(!equal(b"ab", b"ac") && !equal(b"ab", b"abc") && !equal(b"abc", b"ab"));
    }
}
