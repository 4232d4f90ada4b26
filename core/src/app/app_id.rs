//! The client app id of an app that has none of its own.

use ring::digest::{SHA256, digest};

use crate::id::AppId;

/// `<name>-<five letters>`, the letters derived from the name, so that the id is stable.
pub(super) fn derived(name: &str) -> AppId {
    let hash = digest(&SHA256, name.as_bytes());
    let letters: String = hash.as_ref().iter().take(5).map(|byte| char::from(b'a' + byte % 26)).collect();
    AppId::new(format!("{name}-{letters}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_name_and_five_letters_that_never_change() {
        let id = derived("movies");
        assert_eq!(id, derived("movies"));
        assert_ne!(id, derived("cinemas"));
        let letters = id.as_str().strip_prefix("movies-").unwrap();
        assert!(letters.len() == 5 && letters.bytes().all(|byte| byte.is_ascii_lowercase()), "{letters}");
    }
}
