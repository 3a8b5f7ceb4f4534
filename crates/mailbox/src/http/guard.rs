//! Mails are for whoever develops the shop on this machine: what comes from another network, or through a tunnel, sees
//! none of them, and no page of another site changes anything.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Problem;

/// What came with the request to the gateway, which puts its own peer into the other one.
const ORIGINAL: &str = "x-original-forwarded-for";
const FORWARDED: &str = "x-forwarded-for";

pub(super) async fn only_from_here(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let cross_site = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    let follows_a_link = headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    if is_from_here(peer.ip(), headers) && (!cross_site || follows_a_link) {
        return next.run(request).await;
    }
    let detail = "the mailbox is open to loopback and private addresses only";
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail).into_response()
}

/// Whether the peer, and the client that the gateway names if it came through it, are near. A second name in the list was
/// not written by our gateway.
fn is_from_here(peer: IpAddr, headers: &HeaderMap) -> bool {
    let named = |name| -> Vec<Option<IpAddr>> {
        let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"));
        let entries = values.flat_map(|value| value.split(',')).map(str::trim);
        entries.filter(|entry| !entry.is_empty()).map(|entry| entry.parse().ok()).collect()
    };
    let client = match named(FORWARDED)[..] {
        [] => true,
        [Some(client)] => is_near(client),
        _ => false,
    };
    client && is_near(peer) && named(ORIGINAL).is_empty()
}

fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address == Ipv6Addr::LOCALHOST || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn from_here(peer: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            (axum::http::HeaderName::from_static(name), HeaderValue::from_static(value))
        });
        is_from_here(peer.parse().unwrap(), &headers.collect())
    }

    #[test]
    fn this_machine_and_its_networks_are_let_in() {
        for peer in ["127.0.0.1", "10.1.2.3", "172.18.0.5", "::1", "fd00::1", "::ffff:10.0.0.1"] {
            assert!(from_here(peer, &[]), "{peer}");
            assert!(from_here("127.0.0.1", &[(FORWARDED, peer)]), "{peer}");
        }
    }

    #[test]
    fn the_world_and_what_a_tunnel_carries_are_kept_out() {
        for peer in ["8.8.8.8", "172.32.0.1", "2001:db8::1"] {
            assert!(!from_here(peer, &[]), "{peer}");
            assert!(!from_here("127.0.0.1", &[(FORWARDED, peer)]), "{peer}");
        }
        assert!(!from_here("127.0.0.1", &[(FORWARDED, "nonsense")]));
        assert!(!from_here("127.0.0.1", &[(FORWARDED, "127.0.0.1, 127.0.0.1")]));
        assert!(!from_here("127.0.0.1", &[(ORIGINAL, "127.0.0.1"), (FORWARDED, "127.0.0.1")]));
    }
}
