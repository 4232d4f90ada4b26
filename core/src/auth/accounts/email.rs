//! Under which spelling an address is kept and found.
//!
//! 1. Addresses are compared byte for byte, as in the original, unless the app folds them (`foldEmails`).
//! 2. Folded, an address is without spaces around it, each letter in its lower case, composed (Unicode NFC). It is
//!    kept, found, throttled and mailed to in that form alone: whoever types another spelling never gets a mail
//!    that is meant for this one.
//! 3. Nothing else is folded. Letters that only look alike (`а` of Cyrillic), full-width letters, dots, what stands
//!    behind a `+` and the two spellings of an international domain are different addresses.
//! 4. An account that was registered in another form before the app folded addresses stays as it is, and is found
//!    by its own spelling alone. Two accounts that differ only in spelling are never merged: each is found by its
//!    own, and any third spelling is that of the folded one.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::registering::MAX_EMAIL_BYTES;
use crate::auth::login::Auth;
use crate::auth::provider::{ProviderContext, Purpose};
use crate::auth::providers::EmailPassword;
use crate::error::Result;

impl EmailPassword {
    /// The address that an account of this spelling has, or would get.
    pub(in crate::auth) async fn address<'e>(
        &self,
        cx: &ProviderContext<'_>,
        typed: &'e str,
    ) -> Result<Cow<'e, str>> {
        // What is too long is nobody's address, and not worth the work.
        if !self.folds_emails || typed.len() > MAX_EMAIL_BYTES {
            return Ok(Cow::Borrowed(typed));
        }
        let folded = folded(typed);
        if folded == typed || cx.store.registration(cx.app, typed).await?.is_some() {
            return Ok(Cow::Borrowed(typed));
        }
        Ok(Cow::Owned(folded))
    }
}

impl Auth {
    /// As [`EmailPassword::address`]; as it stands in an app without such a provider.
    pub(in crate::auth) async fn address<'e>(&self, typed: &'e str) -> Result<Cow<'e, str>> {
        match self.email_password() {
            Ok(provider) => provider.address(&self.context(Purpose::LogIn), typed).await,
            Err(_) => Ok(Cow::Borrowed(typed)),
        }
    }
}

fn folded(email: &str) -> String {
    // Letter by letter, not `str::to_lowercase`: there a capital sigma's form depends on where it stands.
    email.trim().chars().flat_map(char::to_lowercase).nfc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_form_for_what_is_the_same_and_two_for_what_looks_alike() {
        let ada = "ada@example.test";
        for (typed, expected) in [
            ("Ada@Example.TEST", ada),
            (" ada@example.test\t", ada),
            ("JOSE\u{301}@x.test", "jos\u{e9}@x.test"),
            ("Jos\u{e9}@x.test", "jos\u{e9}@x.test"),
            ("ΟΔΟΣ@x.test", "οδοσ@x.test"),
            ("οδοσ@x.test", "οδοσ@x.test"),
            // The Kelvin sign is the letter K, says Unicode.
            ("\u{212a}elvin@x.test", "kelvin@x.test"),
        ] {
            assert_eq!(folded(typed), expected, "{typed}");
        }
        for other in [
            "\u{430}da@example.test",
            "a.da@example.test",
            "ada+shop@example.test",
            "\u{ff41}da@example.test",
            "ad\u{e4}@example.test",
            "a\u{131}da@example.test",
        ] {
            assert_ne!(folded(other), ada, "{other}");
            assert_eq!(folded(other), other, "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_folded_stays_as_it_is(email in "\\PC{0,40}") {
            let once = folded(&email);
            prop_assert_eq!(folded(&once), once);
        }
    }
}
