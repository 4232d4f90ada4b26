//! Log-in by redirect: the browser goes to a service and comes back (RFC 6749 §4.1, RFC 9700).
//!
//! 1. Whatever is needed later lies in a ticket that is used once and lives half an hour ([`state`]). Its secret is
//!    the `state`; whoever comes back with it also has to show the cookie of the browser that began.
//! 2. The browser is sent to listed addresses only, errors included ([`flow`]).
//! 3. A redirect that links carries user and session, and both have to be there still when it comes back.

mod flow;
mod provider;
mod state;

pub(crate) use flow::{Callback, RedirectRequest, RedirectResult};
pub(crate) use provider::{Challenge, CodeAnswer, RedirectProvider};
pub(crate) use state::{Linking, StateParameter};

/// The path of the callback below the public URL.
const CALLBACK: &str = "/api/client/v2.0/auth/callback";

/// Where services send browsers back to.
pub(crate) fn callback_url(public_url: &str) -> String {
    format!("{public_url}{CALLBACK}")
}

/// The path that the callback has for browsers, which may reach us below a path.
pub(crate) fn callback_path(public_url: &str) -> String {
    let rest = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
    let prefix = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
    format!("{prefix}{CALLBACK}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_callback_lies_below_the_public_url() {
        for (url, path) in [
            ("https://api.example.com", "/api/client/v2.0/auth/callback"),
            ("http://127.0.0.1:9090/base", "/base/api/client/v2.0/auth/callback"),
        ] {
            assert_eq!(super::callback_path(url), path);
            assert_eq!(super::callback_url(url), format!("{url}/api/client/v2.0/auth/callback"));
        }
    }
}
