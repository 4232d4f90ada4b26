//! Which servers may be asked.
//!
//! 1. Requests go to `https` URLs of public addresses.
//! 2. A private, loopback or link-local address, and plain `http`, need an entry `host:port` in the app's
//!    list (`"egress": {"allow": […]}`, decision 56).
//! 3. The client checks the address that it connects to, so that a name which resolves to a private
//!    address gets no further than one that is written as a number. Redirects are never followed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use http::{Request, Response, Uri};

use super::Env;
use crate::error::{Error, ErrorKind, Result};

/// The servers at private addresses that an app may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Egress {
    allow: Vec<String>,
}

/// A request's extension: the client may connect it to a private address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrivateAllowed;

impl Egress {
    /// Allows these, each `host:port`, beside all public addresses.
    pub fn allowing(hosts: impl IntoIterator<Item = String>) -> Self {
        Self { allow: hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect() }
    }

    /// Sends a request if its URL may be asked, and refuses an answer of more than `most` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::HttpError`] for a refused URL, a failure, a redirect or a large answer; the hint names
    /// the host at most.
    pub async fn send(&self, env: &Env, mut request: Request<Bytes>, most: usize) -> Result<Response<Bytes>> {
        if self.check(request.uri())? {
            request.extensions_mut().insert(PrivateAllowed);
        }
        let host = request.uri().host().unwrap_or_default().to_owned();
        let failed = || Error::new(ErrorKind::HttpError, format!("`{host}` could not be asked"));
        let response = env.http.send(request).await.map_err(|cause| failed().with_cause(cause))?;
        if response.status().is_redirection() || response.body().len() > most {
            return Err(failed().with_cause("a redirect, or more bytes than are wanted"));
        }
        Ok(response)
    }

    /// Whether the URL is on the list; one that is neither there nor public is refused.
    fn check(&self, url: &Uri) -> Result<bool> {
        // The host alone: a path or a query may carry a secret, and the hint leaves the process.
        let refused = |why: &str| {
            let host = url.host().unwrap_or_default();
            Err(Error::new(ErrorKind::HttpError, format!("the server `{host}` may not be asked: {why}")))
        };
        let (Some(scheme), Some(host)) = (url.scheme_str(), url.host()) else {
            return refused("it is not a whole URL");
        };
        if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return refused("it carries credentials");
        }
        let port = url.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
        if self.allow.contains(&format!("{}:{port}", host.to_ascii_lowercase())) {
            return Ok(true);
        }
        let name = host.trim_start_matches('[').trim_end_matches([']', '.']);
        match name.parse::<IpAddr>() {
            _ if scheme != "https" => refused("it is not https"),
            Ok(address) if !is_public(address) => refused("it is private"),
            Err(_) if name.eq_ignore_ascii_case("localhost") => refused("it is private"),
            _ => Ok(false),
        }
    }
}

/// Whether an address is one of the internet at large: not loopback, private, link-local, shared,
/// multicast, documentation or reserved (RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Global unicast is 2000::/3; within it, 2001:db8::/32 is documentation and 2001::/23 protocols' own.
    (0x2000..0x4000).contains(&first) && !(first == 0x2001 && (second == 0x0db8 || second < 0x0200))
}

/// The IPv4 address inside a mapped, NAT64 or 6to4 one.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => address.to_ipv4(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_public_ones_in_every_disguise() {
        for public in ["1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn a_url_has_to_be_https_and_public_or_on_the_list() {
        let egress = Egress::allowing(["127.0.0.1:8099".to_owned(), "Keys.Internal:443".to_owned()]);
        for (url, allowed) in [
            ("https://keys.example.com/jwks", Some(false)),
            ("http://127.0.0.1:8099/jwks", Some(true)),
            ("https://keys.internal/jwks", Some(true)),
            ("http://keys.example.com/jwks", None),
            ("https://127.0.0.1:8098/jwks", None),
            ("https://[::1]/jwks", None),
            ("https://localhost./jwks", None),
            ("https://a:b@keys.example.com/", None),
            ("/jwks", None),
        ] {
            assert_eq!(egress.check(&url.parse().unwrap()).ok(), allowed, "{url}");
        }
    }
}
