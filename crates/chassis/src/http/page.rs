//! Pages of lists: which part was asked for, and the link to the next one.

use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use axum::http::HeaderValue;

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

    /// How many pages a number of entries fills.
    pub const fn pages(self, total: i64) -> i64 {
        (total + self.limit - 1) / self.limit
    }
}

/// The value of a `Link` header to the next page: the present path with some parameters replaced.
pub fn link_next(path: &str, query: &[(&str, String)]) -> Option<HeaderValue> {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    HeaderValue::from_str(&format!("<{path}?{query}>; rel=\"next\"")).ok()
}
