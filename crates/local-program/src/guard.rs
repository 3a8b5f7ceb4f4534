//! Local programs are for whoever develops the shop on this machine: what comes from another network or through a tunnel is
//! refused, and a page of another site may link to them, but no more.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chassis::{Code, Problem};

/// What the gateway renames the header to that had come with the request already; it puts its own peer into the other one.
const ORIGINAL: &str = "x-original-forwarded-for";
const FORWARDED: &str = "x-forwarded-for";

/// A middleware: 403 for what does not come from this machine or a private network, and for other sites' requests. It reads
/// the peer's address from `ConnectInfo`.
pub async fn only_from_here(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    if is_from_here(peer.ip(), request.headers()) && !is_of_another_site(&request) {
        return next.run(request).await;
    }
    Problem::new(Code::Forbidden, "this is open to loopback and private addresses only").into_response()
}

/// Whether a page of another site makes this request, by what a browser says of it, other than by a link that somebody
/// follows.
fn is_of_another_site(request: &Request) -> bool {
    let says = |name, what| request.headers().get(name).is_some_and(|value| value == what);
    let follows_a_link = request.method() == Method::GET && says("sec-fetch-mode", "navigate");
    says("sec-fetch-site", "cross-site") && !follows_a_link
}

/// Whether the peer, and the client that the gateway names if it came through it, are near. The gateway appends its peer to
/// `X-Forwarded-For`: a second entry came from outside.
fn is_from_here(peer: IpAddr, headers: &HeaderMap) -> bool {
    let client_is_near = match entries(headers, FORWARDED)[..] {
        [] => true,
        [client] => client.parse().is_ok_and(is_near),
        _ => false,
    };
    client_is_near && is_near(peer) && entries(headers, ORIGINAL).is_empty()
}

fn entries<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    // A value that is no text counts as an entry that is no address.
    let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"));
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|entry| !entry.is_empty()).collect()
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
    use axum::body::Body;
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn from_here(peer: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        is_from_here(peer.parse().unwrap(), &map)
    }

    #[test]
    fn loopback_and_private_peers_are_let_in() {
        for peer in
            ["127.0.0.1", "10.1.2.3", "172.18.0.5", "192.168.1.9", "::1", "fd00::1", "::ffff:10.0.0.1"]
        {
            assert!(from_here(peer, &[]), "{peer}");
        }
        for peer in ["8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8"] {
            assert!(!from_here(peer, &[]), "{peer}");
        }
    }

    #[test]
    fn behind_the_gateway_its_peer_has_to_be_private() {
        assert!(from_here("127.0.0.1", &[(FORWARDED, "192.168.1.9")]));
        assert!(!from_here("127.0.0.1", &[(FORWARDED, "8.8.8.8")]));
        assert!(!from_here("127.0.0.1", &[(FORWARDED, "unknown")]));
        assert!(!from_here("8.8.8.8", &[(FORWARDED, "127.0.0.1")]), "anybody can send the header");
    }

    #[test]
    fn what_was_forwarded_before_the_gateway_is_kept_out() {
        assert!(!from_here("127.0.0.1", &[(FORWARDED, "127.0.0.1, 127.0.0.1")]));
        assert!(!from_here("127.0.0.1", &[(FORWARDED, "127.0.0.1"), (FORWARDED, "127.0.0.1")]));
        assert!(!from_here("127.0.0.1", &[(ORIGINAL, "127.0.0.1"), (FORWARDED, "127.0.0.1")]));
        assert!(
            from_here("127.0.0.1", &[(ORIGINAL, ""), (FORWARDED, "127.0.0.1")]),
            "empty: nothing had come"
        );
    }

    #[test]
    fn another_site_may_link_here_and_nothing_else() {
        let is_foreign = |method, headers: &[(&str, &str)]| {
            let request = Request::builder().method(method);
            let request =
                headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            is_of_another_site(&request.body(Body::empty()).unwrap())
        };
        let (cross, link) = (("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"));
        assert!(is_foreign(Method::GET, &[cross]) && is_foreign(Method::DELETE, &[cross]));
        assert!(is_foreign(Method::POST, &[cross, link]), "a form");
        assert!(!is_foreign(Method::GET, &[cross, link]));
        assert!(!is_foreign(Method::POST, &[]), "no browser");
        assert!(!is_foreign(Method::POST, &[("sec-fetch-site", "same-origin")]));
    }
}
