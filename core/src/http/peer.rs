//! Whose request it is when a proxy stands in front.
//!
//! 1. `X-Forwarded-For` is believed only of a trusted proxy, and read from the right: what is left of the
//!    first address that is no proxy of ours, anybody may have written.
//! 2. An IPv4 address in IPv6 clothes is an IPv4 address.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::request::Parts;

use super::PeerAddress;
use crate::error::{Error, ErrorKind};

const FORWARDED_FOR: &str = "x-forwarded-for";
/// How many bits an IPv4 address has in front of it as an IPv6 one.
const MAPPED_BITS: u8 = 96;

/// Addresses with a common beginning: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether the address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let differing = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                u128::from(own.to_bits() ^ other.to_bits()) << MAPPED_BITS
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => own.to_bits() ^ other.to_bits(),
            _ => return false,
        };
        let rest = u128::BITS.saturating_sub(u32::from(self.bits));
        differing.checked_shr(rest).unwrap_or_default() == 0
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, bits: width(address) }
    }
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unreadable = || {
            let text = format!("`{text}` is neither an IP address nor a network such as 10.0.0.0/8");
            Error::new(ErrorKind::InvalidParameter, text)
        };
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| unreadable())?)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| unreadable())?;
        let whole = Self::from(written);
        let Some(bits) = bits else { return Ok(whole) };
        let bits = if written.is_ipv6() && whole.address.is_ipv4() {
            bits.checked_sub(MAPPED_BITS).ok_or_else(unreadable)?
        } else {
            bits
        };
        if bits > whole.bits { Err(unreadable()) } else { Ok(Self { bits, ..whole }) }
    }
}

/// The proxies whose word counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies(pub(crate) Vec<Network>);

impl Proxies {
    /// Who sent the request, as far as those who can be trusted know.
    pub(crate) fn client(&self, head: &Parts) -> Option<IpAddr> {
        let mut client = peer_address(head)?.to_canonical();
        let headers = head.headers.get_all(FORWARDED_FOR).iter();
        let lines: Vec<&str> = headers.map(|value| value.to_str().unwrap_or_default()).collect();
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            if !self.trusts(client) {
                break;
            }
            // What is no address tells nothing, and neither does all that stands before it.
            let Some(address) = read_hop(hop.trim()) else { break };
            client = address;
        }
        Some(client)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// The peer's address, where the mount has told it.
pub(crate) fn peer_address(head: &Parts) -> Option<IpAddr> {
    head.extensions.get::<PeerAddress>().map(|PeerAddress(address)| *address)
}

/// An address, some proxies add the port.
fn read_hop(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address| address.to_canonical())
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies = Proxies(trusted.iter().map(|text| text.parse().unwrap()).collect());
        let mut request = http::Request::builder().extension(PeerAddress(peer.parse().unwrap()));
        for line in forwarded {
            request = request.header(FORWARDED_FOR, *line);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        proxies.client(&head).unwrap().to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        for (trusted, peer, forwarded, expected) in [
            (&[][..], "192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            (&["10.0.0.0/8"], "192.0.2.1", &["198.51.100.7"], "192.0.2.1"),
            (&["10.0.0.0/8"], "10.1.2.3", &[], "10.1.2.3"),
            (&["10.0.0.0/8"], "10.1.2.3", &["198.51.100.7"], "198.51.100.7"),
            // What the client wrote itself stands left of what the proxy added.
            (&["10.0.0.0/8"], "10.1.2.3", &["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            (&["10.0.0.0/8"], "10.1.2.3", &["1.1.1.1", "198.51.100.7, 10.9.9.9"], "198.51.100.7"),
            (&["10.0.0.0/8"], "10.1.2.3", &["10.5.5.5, 198.51.100.7"], "198.51.100.7"),
            (&["10.0.0.0/8"], "10.1.2.3", &["198.51.100.7, junk, 10.9.9.9"], "10.9.9.9"),
            (&["10.0.0.0/8"], "10.1.2.3", &["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
            (&["10.0.0.0/8"], "::ffff:10.1.2.3", &["::ffff:198.51.100.7"], "198.51.100.7"),
            (&["::1"], "::1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["::1"], "::1", &["198.51.100.7:80"], "198.51.100.7"),
        ] {
            assert_eq!(client(trusted, peer, forwarded), expected, "{trusted:?} {peer} {forwarded:?}");
        }
    }

    #[test]
    fn networks_are_read_and_contain_what_begins_alike() {
        for (network, address, within) in [
            ("0.0.0.0/0", "203.0.113.9", true),
            ("203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.0/24", "203.0.114.0", false),
            ("203.0.113.9", "203.0.113.8", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "203.0.113.9", false),
            ("::ffff:10.0.0.0/104", "10.255.0.1", true),
        ] {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), within, "{network:?} {address}");
        }
        for bad in ["", "proxy", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "::ffff:10.0.0.0/8"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
