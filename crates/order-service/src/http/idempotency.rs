//! The Idempotency-Key header.

use axum::{extract::FromRequestParts, http::request::Parts};
use chassis::Problem;

/// The header's name.
const HEADER: &str = "idempotency-key";
/// The longest key.
const LONGEST: usize = 255;

/// The key that a request carries, if it does.
#[derive(Debug)]
pub(super) struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        let key = value.as_bytes();
        let well_formed = (1..=LONGEST).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        match value.to_str() {
            Ok(key) if well_formed && values.next().is_none() => Ok(Self(Some(key.to_owned()))),
            _ => Err(Problem::invalid_field(
                "Idempotency-Key",
                "must be 1 to 255 visible ASCII characters, once",
            )),
        }
    }
}
