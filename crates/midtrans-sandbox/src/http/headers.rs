//! The headers by which merchants may redirect the notifications of a payment.

use axum::http::HeaderMap;

use crate::order::Destinations;

/// Midtrans takes two or three addresses, depending on the page of its documentation.
const MOST_URLS: usize = 3;

/// Where the merchant wants the notifications of this payment.
pub(super) fn destinations(headers: &HeaderMap) -> Destinations {
    Destinations {
        instead: urls(headers, "x-override-notification"),
        also: urls(headers, "x-append-notification"),
    }
}

fn urls(headers: &HeaderMap, name: &str) -> Vec<String> {
    let list = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let urls = list.split(',').map(str::trim).filter(|url| !url.is_empty());
    urls.take(MOST_URLS).map(str::to_owned).collect()
}
