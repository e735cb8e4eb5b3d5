//! These are the addresses to which nothing is sent, unless the settings say so: whoever may set a URL must not reach what only
//! this machine can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A `Network` is a range of addresses: an address, and how many bits of it count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, or one address; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.parse().ok()).filter(|bits| *bits <= most)?;
        Some(Self { address, bits })
    }

    /// Says whether an address is in it.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        let left = |known: u128, other: u128, width: u32| {
            let ignored = width.saturating_sub(u32::from(self.bits));
            ignored >= width || known.checked_shr(ignored) == other.checked_shr(ignored)
        };
        match (self.address, address) {
            (IpAddr::V4(known), IpAddr::V4(other)) => {
                left(u32::from(known).into(), u32::from(other).into(), 32)
            }
            (IpAddr::V6(known), IpAddr::V6(other)) => left(known.into(), other.into(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// An `Allowed` says which hosts may be ones with a blocked address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    hosts: Vec<String>,
    networks: Vec<Network>,
}

impl Allowed {
    /// Makes it of host names, addresses and networks.
    ///
    /// # Errors
    /// Fails with the text that is none of these, such as one with a port.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        let mut allowed = Self::default();
        for text in texts {
            let is_host_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            if let Some(network) = Network::parse(text) {
                allowed.networks.push(network);
            } else if !text.is_empty() && text.bytes().all(is_host_byte) {
                allowed.hosts.push(text.to_ascii_lowercase());
            } else {
                return Err(text.clone());
            }
        }
        Ok(allowed)
    }

    /// Says whether something may be sent to this address of this host.
    #[must_use]
    pub fn may_reach(&self, host: &str, address: IpAddr) -> bool {
        let is_named = || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        is_public(address) || is_named() || self.networks.iter().any(|network| network.has(address))
    }
}

/// Says whether an address is one of the public internet, to which anybody may send.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_blocked = address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        // What is at and above 224 is multicast, reserved, or the broadcast address.
        || a >= 224
        // Addresses of providers' own networks (RFC 6598).
        || (a == 100 && (64..128).contains(&b))
        // Protocol assignments, the old relays to IPv6, and benchmarks.
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && matches!(b, 18 | 19));
    !is_blocked
}

/// Only the part of IPv6 that is given out (2000::/3) is public. In it, what carries an address of IPv4 or leads out of a
/// tunnel is blocked: where that would end can't be seen here.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_given_out = a & 0xe000 == 0x2000;
    // 2002::/16 is 6to4. 2001::/23 has Teredo and other protocols; 2001:db8::/32 and 3fff::/20 are for documents.
    let is_special = a == 0x2002 || (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || (a == 0x3fff && b < 0x1000);
    is_given_out && !is_special
}
