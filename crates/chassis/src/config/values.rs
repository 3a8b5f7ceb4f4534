//! Values that people write into the environment: lists, networks, origins.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Origin, Url};

/// The entries of a list, with or without spaces after its commas. A variable without a value has one entry that is empty.
pub(crate) fn listed(values: &[String]) -> impl Iterator<Item = &str> {
    values.iter().map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// A network in CIDR notation, or the one of a single address.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| Some(text.parse::<IpAddr>().ok()?.to_canonical().into()))
}

/// A web origin exactly as browsers send it (RFC 6454): scheme, host, and the port unless it is the scheme's own.
pub(crate) fn origin(text: &str) -> Option<Origin> {
    let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()))?;
    let origin = url.origin();
    (origin.ascii_serialization() == text).then_some(origin)
}
