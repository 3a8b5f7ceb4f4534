//! The address of the caller, behind the gateway and whatever stands in front of it.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};

use crate::{Common, config::listed};

/// Where a request came from, as far as it can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddr(pub IpAddr);

impl ClientAddr {
    /// What one customer's addresses have in common, to count requests by: an IPv4 address itself, the first address
    /// of an IPv6 address' /64, of which a customer has at least one to choose from.
    #[must_use]
    pub fn network(self) -> IpAddr {
        match self.0.to_canonical() {
            IpAddr::V4(v4) => v4.into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        }
    }

    /// Whether it is an address of a private network or of this machine. In production nobody comes from there: it is a
    /// proxy that `TRUSTED_PROXIES` does not name, with everybody behind it.
    #[must_use]
    pub fn is_private(self) -> bool {
        is_private(self.0.to_canonical())
    }
}

/// The proxies whose word counts, beside the gateway.
#[derive(Debug, Clone)]
pub(super) struct Proxies(Arc<[IpAddr]>);

impl Proxies {
    pub(super) fn new(common: &Common) -> Self {
        Self(listed(&common.trusted_proxies).filter_map(|proxy| proxy.parse().ok()).collect())
    }

    /// The last entry of X-Forwarded-For is the gateway's word, which counts if the connection comes from a private
    /// network; the ones before it are believed only as far as `TRUSTED_PROXIES` wrote them.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !is_private(peer) {
            return peer;
        }
        let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let chain: Vec<&str> = values.flat_map(|value| value.split(',')).collect();
        let mut client = peer;
        for address in chain.iter().rev().map_while(|address| address.trim().parse().ok()) {
            client = address;
            if !self.0.contains(&address) {
                break;
            }
        }
        client
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => {
            v6.is_loopback() || v6.is_unique_local() || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_private())
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddr {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |ConnectInfo(address)| address.ip());
        Ok(Self(
            parts.extensions.get::<Proxies>().map_or(peer, |proxies| proxies.client(peer, &parts.headers)),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_customer_is_counted_by_the_whole_network() {
        let network = |text: &str| ClientAddr(text.parse().unwrap()).network().to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
    }

    #[test]
    fn private_networks_are_told_from_the_world() {
        let is_private = |text: &str| ClientAddr(text.parse().unwrap()).is_private();
        for private in [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "172.18.0.2",
            "::ffff:192.168.1.1",
            "::ffff:127.0.0.1",
            "fd00::1",
        ] {
            assert!(is_private(private), "{private}");
        }
        for public in ["203.0.113.7", "172.32.0.1", "::ffff:203.0.113.7", "2001:db8::1"] {
            assert!(!is_private(public), "{public}");
        }
    }

    #[test]
    fn only_the_word_of_known_proxies_counts() {
        let gateway: IpAddr = "172.18.0.2".parse().unwrap();
        let client = |proxies: &[&str], peer: IpAddr, forwarded: &'static str| {
            let proxies = Proxies(proxies.iter().map(|proxy| proxy.parse().unwrap()).collect());
            let headers =
                HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), forwarded.parse().unwrap())]);
            proxies.client(peer, &headers).to_string()
        };
        assert_eq!(client(&[], gateway, "203.0.113.7"), "203.0.113.7");
        assert_eq!(
            client(&[], gateway, "1.1.1.1, 203.0.113.7"),
            "203.0.113.7",
            "the first was made up by the client"
        );
        assert_eq!(client(&["198.51.100.1"], gateway, "203.0.113.7, 198.51.100.1"), "203.0.113.7");
        assert_eq!(
            client(&[], "203.0.113.9".parse().unwrap(), "1.1.1.1"),
            "203.0.113.9",
            "not from the gateway"
        );
    }
}
