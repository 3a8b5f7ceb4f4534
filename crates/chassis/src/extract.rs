//! Axum's extractors with our errors: every refusal is a [`Problem`] that names the member.

use std::{fmt, marker::PhantomData};

use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, RawPathParams, Request,
        path::ErrorKind,
        rejection::{BytesRejection, PathRejection},
    },
    http::{HeaderMap, HeaderName, StatusCode, header::CONTENT_TYPE, request::Parts},
};
use garde::Validate;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

use crate::{FieldError, Problem};

/// A JSON body that was read and found valid.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

/// A JSON body that may be left out: then it is the type's default.
#[derive(Debug, Clone, Copy)]
pub struct OptionalJson<T>(pub T);

/// The Idempotency-Key header, if it is there: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(pub Option<String>);

/// Says on a reply that it is the one to an earlier request with the same key.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The longest Idempotency-Key.
const LONGEST_KEY: usize = 255;

/// The query string, read and found valid.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

/// The parameters of the path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        let key = value.as_bytes();
        let well_formed = (1..=LONGEST_KEY).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        match value.to_str() {
            Ok(key) if well_formed && values.next().is_none() => Ok(Self(Some(key.to_owned()))),
            _ => Err(Problem::invalid_field(
                "Idempotency-Key",
                "must be 1 to 255 visible ASCII characters, once",
            )),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Validate<Context = ()>> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let body = Bytes::from_request(request, state).await.map_err(refused_body)?;
        parse(&body).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Validate<Context = ()> + Default> FromRequest<S>
    for OptionalJson<T>
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state).await.map_err(refused_body)?;
        if body.trim_ascii().is_empty() {
            return Ok(Self(T::default()));
        }
        require_json(&headers)?;
        parse(&body).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Validate<Context = ()>> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = parts.uri.query().unwrap_or_default();
        if pairs.contains("%00") {
            return Err(Problem::malformed("NUL is not allowed."));
        }
        let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(pairs.as_bytes()));
        let query = serde_path_to_error::deserialize(reader).map_err(|error| wrong_member(&error))?;
        validated(query).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(failure)) => Err(match failure.into_kind() {
                ErrorKind::ParseErrorAtKey { key, .. } => {
                    Problem::invalid_field(key, "must be a positive integer")
                }
                ErrorKind::DeserializeError { key, message, .. } => Problem::invalid_field(key, message),
                _ => Problem::invalid_field(last_parameter(parts).await, "must be a positive integer"),
            }),
            Err(other) => Err(Problem::internal(other)),
        }
    }
}

/// The parameter of a path that has one; axum does not name it.
async fn last_parameter(parts: &mut Parts) -> String {
    let parameters = RawPathParams::from_request_parts(parts, &()).await;
    let last = parameters.ok().and_then(|all| all.iter().last().map(|(name, _)| name.to_owned()));
    last.unwrap_or_default()
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let essence = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = "Send the body as application/json.";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

fn refused_body(rejection: BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large.");
    }
    Problem::malformed("The body could not be read.")
}

/// Reads and validates a JSON body.
///
/// # Errors
/// 400 that names the member which is unknown, of the wrong type, out of its limits, or has a NUL in it.
pub fn parse<T: DeserializeOwned + Validate<Context = ()>>(body: &[u8]) -> Result<T, Problem> {
    let value = read(body).or_else(|problem| match with_whole_numbers(body) {
        Some(rewritten) => read(&rewritten),
        None => Err(problem),
    })?;
    if contains(body, b"\\u0000") {
        refuse_nul(body)?;
    }
    validated(value)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let Object(value) = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        // To serde_json a number in the place of an enum's name, or one beyond all bounds, is a fault of syntax.
        if error.inner().is_data() || serde_json::from_slice::<IgnoredAny>(body).is_ok() {
            wrong_member(&error)
        } else {
            Problem::malformed(format!("The body is not JSON: {}.", error.inner()))
        }
    })?;
    reader.end().map_err(|error| Problem::malformed(format!("The body is not JSON: {error}.")))?;
    Ok(value)
}

/// Reads an object from an object. A struct by itself may also be read from the list of its values in their order, which
/// nobody is told of.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMembers<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OfMembers<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(OfMembers(PhantomData))
    }
}

/// For a member that is an object and may be left out: `#[serde(default, deserialize_with = "chassis::extract::object")]`.
/// A body is an object by itself.
///
/// # Errors
/// If it is something else.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|Object(value)| value))
}

/// The body with `2.0` written as `2`, if there is any such: an integer to JSON Schema, but a fraction to serde.
fn with_whole_numbers(body: &[u8]) -> Option<Vec<u8>> {
    fn rewrite(value: &mut Value) -> bool {
        match value {
            Value::Number(number) => {
                let whole = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0);
                let whole = whole.and_then(|float| format!("{float:.0}").parse::<i64>().ok());
                whole.map(|whole| *number = whole.into()).is_some()
            }
            Value::Array(items) => items.iter_mut().fold(false, |any, item| rewrite(item) | any),
            Value::Object(members) => members.values_mut().fold(false, |any, item| rewrite(item) | any),
            _ => false,
        }
    }
    let mut value = serde_json::from_slice(body).ok()?;
    rewrite(&mut value).then(|| value.to_string().into_bytes())
}

fn contains(body: &[u8], needle: &[u8]) -> bool {
    body.windows(needle.len()).any(|window| window == needle)
}

/// PostgreSQL cannot store NUL in a text, and nobody means it: the escape is looked for before anything is parsed
/// twice.
fn refuse_nul(body: &[u8]) -> Result<(), Problem> {
    fn find(value: &Value, path: &str) -> Option<String> {
        let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match value {
            Value::String(text) => text.contains('\0').then(|| path.to_owned()),
            Value::Array(items) => {
                items.iter().enumerate().find_map(|(index, item)| find(item, &format!("{path}[{index}]")))
            }
            Value::Object(members) => members.iter().find_map(|(key, item)| find(item, &below(key))),
            _ => None,
        }
    }
    let value: Value = serde_json::from_slice(body).map_err(Problem::internal)?;
    match find(&value, "") {
        Some(field) => Err(Problem::invalid_field(field, "must not contain NUL")),
        None => Ok(()),
    }
}

fn wrong_member<E: fmt::Display>(error: &serde_path_to_error::Error<E>) -> Problem {
    let message = error.inner().to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let path = error.path().to_string();
    let path = path.trim_start_matches('.');
    let field = match quoted(message) {
        Some(member) if path.is_empty() => member.to_owned(),
        // Its path is that of the object which lacks it.
        Some(member) if message.starts_with("missing field") => format!("{path}.{member}"),
        _ => path.to_owned(),
    };
    Problem::invalid_field(field, message)
}

/// The member that serde names in "missing field `x`" and "unknown field `x`".
fn quoted(message: &str) -> Option<&str> {
    let about_member =
        ["missing field", "unknown field", "duplicate field"].iter().any(|m| message.starts_with(m));
    message.split('`').nth(1).filter(|_| about_member)
}

fn validated<T: Validate<Context = ()>>(value: T) -> Result<T, Problem> {
    value.validate().map_err(|report| {
        let errors = report.iter().map(|(path, error)| FieldError::new(path.to_string(), error.message()));
        Problem::invalid(errors.collect())
    })?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    #[garde(allow_unvalidated)]
    struct Line {
        #[garde(range(min = 1, max = 1000))]
        quantity: i32,
        #[serde(default)]
        #[garde(length(max = 255))]
        note: String,
        #[serde(default)]
        #[garde(dive)]
        inner: Vec<Line>,
        #[serde(default)]
        kind: Kind,
        #[serde(default, deserialize_with = "object")]
        #[garde(dive)]
        within: Option<Box<Line>>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    enum Kind {
        #[default]
        Plain,
    }

    fn fault(body: &str) -> (String, String) {
        let problem = parse::<Line>(body.as_bytes()).unwrap_err();
        assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
        problem.errors().first().map(|e| (e.field.clone(), e.message.clone())).unwrap_or_default()
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let line: Line = parse(br#"{"quantity":2.0,"inner":[{"quantity":1e2}]}"#).unwrap();
        assert_eq!((line.quantity, line.inner[0].quantity), (2, 100));
    }

    #[test]
    fn a_list_of_values_is_no_object() {
        assert_eq!(fault(r#"[1,"",[],"Plain"]"#).0, "");
        assert_eq!(fault(r#"{"quantity":1,"within":[1,"",[],"Plain"]}"#).0, "within");
        assert_eq!(fault(r#"{"quantity":1,"within":{"quantity":0}}"#).0, "within.quantity");
        assert_eq!(fault(r#"{"quantity":1,"within":{"quantity":"1"}}"#).0, "within.quantity");
        let line: Line = parse(br#"{"quantity":1,"within":{"quantity":2}}"#).unwrap();
        assert_eq!(line.within.unwrap().quantity, 2);
        assert!(parse::<Line>(br#"{"quantity":1,"within":null}"#).unwrap().within.is_none());
    }

    #[test]
    fn the_wrong_member_is_named() {
        assert_eq!(fault(r#"{"quantity":"1"}"#).0, "quantity");
        assert_eq!(fault(r#"{"quantity":4294967297}"#).0, "quantity");
        assert_eq!(fault(r#"{"quantity":0}"#).0, "quantity");
        assert_eq!(fault("{}"), ("quantity".to_owned(), "missing field `quantity`".to_owned()));
        assert_eq!(fault(r#"{"quantity":1,"role":"admin"}"#).0, "role");
        assert_eq!(fault(r#"{"quantity":1,"inner":[{"quantity":1,"role":2}]}"#).0, "inner[0].role");
        assert_eq!(fault(r#"{"quantity":1,"inner":[{"note":""}]}"#).0, "inner[0].quantity");
        assert_eq!(fault(r#"{"quantity":1,"inner":[{"quantity":5000}]}"#).0, "inner[0].quantity");
        assert_eq!(fault(r#"{"quantity":1,"note":"a\u0000b"}"#).0, "note");
        assert_eq!(parse::<Line>(br#"{"quantity":1}"#).unwrap().kind, Kind::Plain);
        assert_eq!(fault(r#"{"quantity":1,"kind":7}"#).0, "kind");
        assert_eq!(fault(r#"{"quantity":1e999}"#).0, "quantity");
        assert_eq!(fault(r#"{"quantity":2.5}"#).0, "quantity");
        assert_eq!(fault(r#"{"quantity":1001.0}"#).0, "quantity");
        assert_eq!(fault(r#"{"quantity":2.0,"role":1}"#).0, "role");
        assert_eq!(fault(r#"{"quantity":9.3e18}"#).0, "quantity");
        assert_eq!(fault("[1").0, "", "not JSON at all");
        assert_eq!(fault(r#"[1,"note",[],"Plain"]"#).1, "invalid type: sequence, expected an object");
        assert_eq!(fault(r#"{"quantity":1} x"#).0, "", "more than one value");
    }
}
