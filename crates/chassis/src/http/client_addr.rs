//! The address of the caller, behind the gateway and whatever stands in front of it.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::{
    Common,
    config::{listed, network},
};

/// The longest IPv6 prefix that belongs to one customer of a provider: any address within is theirs to choose.
const IPV6_SITE: u8 = 64;
/// How often an ignored X-Forwarded-For is logged at most.
const WARN_EVERY: Duration = Duration::from_mins(1);

/// Where a request came from, as far as it can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddr(pub IpAddr);

impl ClientAddr {
    /// The network to count requests by: the address itself for IPv4, its /64 for IPv6, where one client has 2^64
    /// addresses to send from.
    pub fn network(self) -> IpNet {
        match self.0.to_canonical() {
            IpAddr::V4(address) => Ipv4Net::from(address).into(),
            IpAddr::V6(address) => Ipv6Net::new_assert(address, IPV6_SITE).trunc().into(),
        }
    }

    /// Whether it is an address of a private network or of this machine. In production nobody comes from there: it is a
    /// proxy that `TRUSTED_PROXIES` does not name, with everybody behind it.
    pub fn is_private(self) -> bool {
        is_private(self.0.to_canonical())
    }
}

/// The proxies whose X-Forwarded-For entries count, beside the gateway's.
#[derive(Debug, Clone)]
pub(super) struct Proxies {
    trusted: Arc<[IpNet]>,
    warned: Arc<Mutex<Option<Instant>>>,
}

/// What X-Forwarded-For says about a client.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    client: IpAddr,
    /// Whether the client sent an X-Forwarded-For of its own, which was ignored.
    ignored: bool,
}

impl Proxies {
    pub(super) fn new(common: &Common) -> Self {
        Self::of(listed(&common.trusted_proxies).filter_map(network))
    }

    fn of(trusted: impl Iterator<Item = IpNet>) -> Self {
        Self { trusted: trusted.collect(), warned: Arc::default() }
    }

    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let Origin { client, ignored } = self.origin(peer, headers);
        if ignored && !is_private(client) && self.may_warn() {
            tracing::warn!(
                network.peer.address = %client,
                "X-Forwarded-For was ignored: if its sender is a proxy of yours, add it to TRUSTED_PROXIES"
            );
        }
        client
    }

    /// The last entry of X-Forwarded-For was written by the gateway, which is reached over a private network; the entries
    /// before it count only as far as trusted proxies wrote them.
    fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let chain: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut entries = chain.iter().rev();
        let mut client = peer.to_canonical();
        let mut is_believed = is_private(client) || self.trusts(client);
        while is_believed {
            let Some(Ok(address)) = entries.next().map(|entry| entry.parse::<IpAddr>()) else {
                return Origin { client, ignored: false };
            };
            client = address.to_canonical();
            is_believed = self.trusts(client);
        }
        let ignored = entries.next().is_some_and(|entry| entry.parse() != Ok(client));
        Origin { client, ignored }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    fn may_warn(&self) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let due = warned.is_none_or(|at| at.elapsed() >= WARN_EVERY);
        if due {
            *warned = Some(Instant::now());
        }
        due
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
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

    const GATEWAY: &str = "172.18.0.2";

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn proxies(trusted: &[&str]) -> Proxies {
        Proxies::of(trusted.iter().filter_map(|proxy| network(proxy)))
    }

    fn origin(trusted: &[&str], peer: &str, forwarded: &'static str) -> (String, bool) {
        let headers =
            HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), forwarded.parse().unwrap())]);
        let Origin { client, ignored } = proxies(trusted).origin(ip(peer), &headers);
        (client.to_string(), ignored)
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
    fn only_entries_of_trusted_proxies_count() {
        let client = |trusted: &[&str], peer, forwarded| origin(trusted, peer, forwarded).0;
        assert_eq!(client(&[], GATEWAY, "203.0.113.7"), "203.0.113.7");
        assert_eq!(
            client(&[], GATEWAY, "1.1.1.1, 203.0.113.7"),
            "203.0.113.7",
            "the client made up the first"
        );
        assert_eq!(client(&["198.51.100.1"], GATEWAY, "203.0.113.7, 198.51.100.1"), "203.0.113.7");
        assert_eq!(client(&[], "203.0.113.9", "1.1.1.1"), "203.0.113.9", "not from the gateway");
        assert_eq!(client(&["203.0.113.9"], "203.0.113.9", "1.1.1.1"), "1.1.1.1", "it is trusted by name");
        assert_eq!(client(&[], "::ffff:172.18.0.2", "::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(client(&["198.51.100.1"], GATEWAY, "unknown, 198.51.100.1"), "198.51.100.1");
    }

    #[test]
    fn a_network_of_proxies_is_trusted_as_a_whole() {
        let chain = "1.1.1.1, 203.0.113.7, 198.51.100.77, 2001:db8:1::9";
        let networks = ["198.51.100.0/24", "2001:db8:1::/48"];
        assert_eq!(origin(&networks, GATEWAY, chain).0, "203.0.113.7");
        assert_eq!(origin(&["198.51.100.0/26", "2001:db8:1::/48"], GATEWAY, chain).0, "198.51.100.77");
    }

    #[test]
    fn a_sender_that_is_not_trusted_is_noticed() {
        assert!(origin(&[], GATEWAY, "1.1.1.1, 203.0.113.7").1, "a proxy that nobody named, or a forger");
        assert!(origin(&[], "203.0.113.9", "1.1.1.1").1);
        assert!(!origin(&[], GATEWAY, "203.0.113.7").1, "only the gateway's own entry");
        assert!(!origin(&["198.51.100.1"], GATEWAY, "203.0.113.7, 198.51.100.1").1);
        assert!(
            !origin(&[], GATEWAY, "203.0.113.7, 203.0.113.7").1,
            "nginx repeats an address that it corrected"
        );
    }

    #[test]
    fn a_warning_is_not_repeated_at_once() {
        let proxies = proxies(&[]);
        assert!(proxies.may_warn());
        assert!(!proxies.may_warn());
        assert!(!proxies.clone().may_warn(), "clones share the interval");
    }

    #[test]
    fn a_client_is_counted_by_the_network_that_it_can_choose_addresses_from() {
        let network = |address| ClientAddr(ip(address)).network().to_string();
        assert_eq!(network("203.0.113.7"), "203.0.113.7/32");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7/32");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2:ffff::1"), "2001:db8:1:2::/64");
    }
}
