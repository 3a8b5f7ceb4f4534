//! Pages of lists: which part was asked for, and the link to the next one.

use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use axum::http::{HeaderMap, HeaderValue, header::LINK};

/// Which page of a list. Lists with more parameters repeat these two members: `serde(flatten)` would accept unknown
/// ones.
#[derive(Debug, Clone, Copy, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The page, from 1.
    #[serde(default = "Page::first")]
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[param(minimum = 1, maximum = 1_000_000_000, default = 1)]
    pub page: i64,
    /// Entries per page.
    #[serde(default = "Page::ten")]
    #[garde(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10)]
    pub limit: i64,
}

impl Page {
    /// The page of a list that was asked for without one.
    pub const fn first() -> i64 {
        1
    }

    /// The entries per page of a list that was asked for without a limit.
    pub const fn ten() -> i64 {
        10
    }

    /// How many entries come before this page: SQL's `offset`.
    pub const fn offset(self) -> i64 {
        (self.page - 1) * self.limit
    }

    /// The parameters that lead to the next page, if a list of so many entries has one.
    pub const fn next(self, total: i64) -> Option<[(&'static str, i64); 2]> {
        if self.page * self.limit < total {
            Some([("page", self.page + 1), ("limit", self.limit)])
        } else {
            None
        }
    }

    /// How many pages a number of entries fills.
    pub const fn pages(self, total: i64) -> i64 {
        (total + self.limit - 1) / self.limit
    }
}

/// The headers of a part of a list: how many entries there are in all, and a `Link` to the next part if parameters lead
/// there. The filters that are set are kept in it.
pub fn list_headers<const FILTERS: usize>(
    path: &str,
    total: i64,
    filters: [(&'static str, Option<String>); FILTERS],
    next: Option<[(&'static str, i64); 2]>,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-total-count", HeaderValue::from(total));
    headers.extend(next.and_then(|next| Some((LINK, link_next(path, filters, next)?))));
    headers
}

fn link_next<const FILTERS: usize>(
    path: &str,
    filters: [(&'static str, Option<String>); FILTERS],
    next: [(&'static str, i64); 2],
) -> Option<HeaderValue> {
    let filters = filters.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let query = filters.chain(next.map(|(name, value)| (name, value.to_string())));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    HeaderValue::from_str(&format!("<{path}?{query}>; rel=\"next\"")).ok()
}
