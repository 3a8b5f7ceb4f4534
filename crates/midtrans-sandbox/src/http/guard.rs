//! The APIs of a Midtrans whose key everybody knows, and a control API without any: open to this machine and its private
//! networks only, and closed to everything a tunnel carries in and to the pages of other sites in a browser.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::control::Problem;

/// What the gateway renames the header to when it had come with the request already.
const ORIGINAL: &str = "x-original-forwarded-for";
const FORWARDED: &str = "x-forwarded-for";

pub(super) async fn only_from_here(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    if is_from_here(peer.ip(), request.headers()) && !is_of_another_site(request.headers()) {
        return next.run(request).await;
    }
    Problem {
        status: StatusCode::FORBIDDEN,
        code: "forbidden",
        detail: "the local Midtrans is open to loopback and private addresses only".to_owned(),
    }
    .into_response()
}

/// A body is JSON: what a form of any page could send is refused.
pub(super) async fn json_only(request: Request, next: Next) -> Response {
    if !has_body(request.headers()) || is_json(request.headers()) {
        return next.run(request).await;
    }
    Problem {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        code: "unsupported_media_type",
        detail: "send the body as application/json".to_owned(),
    }
    .into_response()
}

fn has_body(headers: &HeaderMap) -> bool {
    let empty = headers.get(CONTENT_LENGTH).is_none_or(|length| length == "0");
    !empty || headers.contains_key(TRANSFER_ENCODING)
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// What a browser says of a request that a page of another site makes.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").map(HeaderValue::as_bytes) == Some(b"cross-site")
}

/// The gateway appends its peer to `X-Forwarded-For`: one entry is the gateway's own, a second one came from outside.
fn is_from_here(peer: IpAddr, headers: &HeaderMap) -> bool {
    if entries(headers, ORIGINAL).next().is_some() {
        return false;
    }
    let mut forwarded = entries(headers, FORWARDED);
    let (first, second) = (forwarded.next(), forwarded.next());
    let client_is_private = match first {
        None => true,
        Some(text) => text.parse().is_ok_and(is_private),
    };
    second.is_none() && client_is_private && is_private(peer)
}

fn entries<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    // A value that is no text counts as an entry that is no address.
    let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"));
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|entry| !entry.is_empty())
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address == Ipv6Addr::LOCALHOST || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{FORWARDED, ORIGINAL, is_from_here};

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
}
