//! Which passwords may be set.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use crate::auth::config::PasswordPolicy;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// Some 4,800 passwords that guessers try first, sorted, in lower case: drawn from the frequency lists of
/// zxcvbn 4.4.2 (MIT, © 2012–2016 Dan Wheeler and Dropbox, Inc.), with a few of our own.
static COMMON: &str = include_str!("common.txt");

/// Words of an address that are shorter stand in too many good passwords.
const MIN_CONTEXT: usize = 4;

/// The rules for new passwords of one app.
#[derive(Clone, Debug)]
pub(in crate::auth) struct PasswordRules {
    length: RangeInclusive<usize>,
    forbid_common: bool,
}

impl PasswordRules {
    pub(in crate::auth) fn new(policy: PasswordPolicy, length: &RangeInclusive<usize>) -> Self {
        let least = policy.min.max(*length.start());
        Self { length: least..=*length.end(), forbid_common: policy.forbid_common }
    }

    /// Whether it is longer than any password can be; at log-in that is just wrong, without a hash.
    pub(in crate::auth) fn is_too_long(&self, password: &Secret) -> bool {
        characters(password) > *self.length.end()
    }

    /// Checks a password that is to be set for this address.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidParameter`], which says what is wrong with it.
    pub(in crate::auth) fn check(&self, password: &Secret, email: &str) -> Result<()> {
        if !self.length.contains(&characters(password)) {
            let (least, most) = (self.length.start(), self.length.end());
            let text = format!("password must be between {least} and {most} characters");
            return Err(Error::new(ErrorKind::InvalidParameter, text));
        }
        if self.forbid_common {
            let folded = password.expose().to_lowercase();
            if is_guessable(&folded, is_common) {
                return Err(refused("password is too common: it is among those that are guessed first"));
            }
            let words = context(email);
            if is_guessable(&folded, |text| words.iter().any(|word| word == text)) {
                return Err(refused("password must not be made of the e-mail address"));
            }
        }
        Ok(())
    }
}

fn characters(password: &Secret) -> usize {
    password.expose().chars().count()
}

fn refused(text: &'static str) -> Error {
    Error::new(ErrorKind::InvalidParameter, text)
}

/// Whether the text, or what is left without the digits and signs around it, is known, or either is a
/// known word again and again. Length alone does not help: `password12345678`, `dragondragondragon`.
fn is_guessable(folded: &str, known: impl Fn(&str) -> bool) -> bool {
    let core = folded.trim_matches(|character: char| !character.is_alphabetic());
    [folded, core].into_iter().any(|text| !text.is_empty() && (known(text) || known(unit(text))))
}

/// The shortest beginning that gives the text when it is repeated: `ab` of `ababa`.
fn unit(text: &str) -> &str {
    let periodic = |end: &usize| {
        let (Some(unit), Some(rest)) = (text.get(..*end), text.get(*end..)) else { return false };
        !unit.is_empty() && text.get(..rest.len()) == Some(rest)
    };
    (1..text.len()).find(periodic).and_then(|end| text.get(..end)).unwrap_or(text)
}

fn is_common(text: &str) -> bool {
    static SORTED: OnceLock<Vec<&'static str>> = OnceLock::new();
    let sorted = SORTED.get_or_init(|| COMMON.lines().collect());
    // One or two characters again and again: such a unit is in no list.
    text.chars().count() <= 2 || sorted.binary_search(&text).is_ok()
}

/// The address, its local part, and the words of both sides, in lower case.
fn context(email: &str) -> Vec<String> {
    let folded = email.to_lowercase();
    let (local, domain) = folded.rsplit_once('@').unwrap_or((&folded, ""));
    let words = folded.split(|character: char| !character.is_alphanumeric());
    [folded.as_str(), local, domain]
        .into_iter()
        .chain(words)
        .filter(|word| word.chars().count() >= MIN_CONTEXT)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAIL: &str = "Alice.Liddell@wonderland.example";

    fn verdict(policy: PasswordPolicy, password: &str) -> Option<String> {
        let rules = PasswordRules::new(policy, &(6..=128));
        rules.check(&Secret::new(password), EMAIL).err().map(|error| error.hint().to_owned())
    }

    #[test]
    fn by_default_only_the_length_counts() {
        let policy = PasswordPolicy::default();
        assert_eq!(verdict(policy, "123456"), None);
        let text = "password must be between 6 and 128 characters";
        assert_eq!(verdict(policy, "12345").as_deref(), Some(text));
        assert_eq!(verdict(policy, &"\u{e9}".repeat(128)), None);
        assert_eq!(verdict(policy, &"x".repeat(129)).as_deref(), Some(text));
    }

    #[test]
    fn a_longer_minimum_is_told() {
        let policy = PasswordPolicy { min: 15, forbid_common: false };
        let text = "password must be between 15 and 128 characters";
        assert_eq!(verdict(policy, "fourteen chars").as_deref(), Some(text));
        assert_eq!(verdict(policy, "fifteen letters"), None);
    }

    #[test]
    fn common_and_own_words_are_refused_whatever_stands_around_them() {
        let policy = PasswordPolicy { min: 0, forbid_common: true };
        for common in [
            "password",
            "PassWord",
            "123456",
            "password12345678",
            "!!dragon!!",
            "dragondragondragon",
            "aaaaaaaaaaaaaaaa",
            "1212121212121212",
            "sunshine",
        ] {
            assert!(verdict(policy, common).is_some_and(|text| text.contains("common")), "{common}");
        }
        for own in
            ["alice.liddell", "liddell2026", "Wonderland!", "alice.liddell@wonderland.example", "alicealice"]
        {
            assert!(verdict(policy, own).is_some_and(|text| !text.is_empty()), "{own}");
        }
        for good in [
            "correct horse battery",
            "dragons eat teapots",
            "alice eats the teapot",
            "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}-tea",
        ] {
            assert_eq!(verdict(policy, good), None, "{good}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_in_lower_case() {
        let lines: Vec<_> = COMMON.lines().collect();
        assert!(lines.len() > 4000 && lines.is_sorted());
        assert!(lines.iter().all(|line| line.len() >= 6 && **line == line.to_lowercase()));
    }
}
