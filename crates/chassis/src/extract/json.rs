//! A JSON body, read once. The text becomes a [`Strict`] tree, in which two readers could not take anything differently,
//! and the tree becomes the type.

use std::{fmt, marker::PhantomData};

use garde::Validate;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Value};

use super::{integers, validated, wrong_member};
use crate::Problem;

/// Reads and validates a JSON body.
///
/// # Errors
/// 400 that names the field which is unknown, given twice, of the wrong type, out of its limits, or has a NUL in it.
pub fn parse<T: DeserializeOwned + Validate<Context = ()>>(body: &[u8]) -> Result<T, Problem> {
    let Strict(tree) = read(body)?;
    let Object(value) = serde_path_to_error::deserialize(tree).map_err(|error| wrong_member(&error))?;
    validated(value)
}

fn read(body: &[u8]) -> Result<Strict, Problem> {
    let text = integers::canonical(body);
    let mut reader = serde_json::Deserializer::from_slice(&text);
    let tree = serde_path_to_error::deserialize(&mut reader).map_err(|error| unreadable(&error))?;
    reader.end().map_err(|error| malformed(&error))?;
    Ok(tree)
}

/// To `serde_json` a number beyond all bounds is a fault of syntax.
fn unreadable(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let is_about_a_value =
        error.inner().is_data() || error.inner().to_string().starts_with("number out of range");
    if is_about_a_value { wrong_member(error) } else { malformed(error.inner()) }
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::malformed(format!("The body is not JSON: {error}."))
}

/// A JSON value in which, at every depth, no object has a field twice and no text has a NUL, which PostgreSQL cannot store.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        without_nul(text)?;
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            without_nul(&name)?;
            if fields.contains_key(&name) {
                return Err(Error::custom(format_args!("duplicate field `{name}`")));
            }
            let Strict(value) = access.next_value()?;
            fields.insert(name, value);
        }
        Ok(fields.into())
    }
}

fn without_nul<E: Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') { Err(Error::custom("must not contain NUL")) } else { Ok(()) }
}

/// Reads an object from an object. A struct by itself may also be read from the list of its values in their order, which
/// no document describes.
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

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use proptest::prelude::*;
    use serde_json::json;

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

    #[derive(Debug, Deserialize, Validate)]
    #[garde(allow_unvalidated)]
    struct Lenient {
        id: i64,
        #[serde(default)]
        extra: Value,
    }

    #[test]
    fn a_field_given_twice_is_refused_at_every_depth() {
        for (body, field) in [
            (r#"{"quantity":1,"quantity":2}"#, "quantity"),
            (r#"{"quantity":1,"quantity":2.0}"#, "quantity"),
            (r#"{"quantity":"x","quantity":2.0}"#, "quantity"),
            (r#"{"quantity":1e0,"note":"a","n\u006fte":"b"}"#, "note"),
            (r#"{"quantity":1,"inner":[{"quantity":1},{"quantity":1,"quantity":1.0}]}"#, "inner[1].quantity"),
        ] {
            assert_eq!(fault(body).0, field, "{body}");
        }
        for body in [
            r#"{"id":1,"extra":{"a":1,"a":1}}"#,
            r#"{"id":1,"unknown":1,"unknown":2}"#,
            r#"{"id":1,"unknown":[{"a":{"b":null,"b":2e0}}]}"#,
        ] {
            parse::<Lenient>(body.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn an_integer_is_read_exactly_or_refused() {
        for id in [2_005_684_490_880_299, 9_007_199_254_740_993, i64::MAX, i64::MIN] {
            let read: Lenient = parse(format!(r#"{{"id":{id}.0,"extra":{id}.00}}"#).as_bytes()).unwrap();
            assert_eq!((read.id, read.extra), (id, id.into()));
        }
        for id in ["9223372036854775808", "9223372036854775808.0", "-9223372036854775809.0", "1e19", "1e400"]
        {
            let problem = parse::<Lenient>(format!(r#"{{"id":{id}}}"#).as_bytes()).unwrap_err();
            assert_eq!(problem.errors()[0].field, "id", "{id}");
        }
    }

    #[test]
    fn nul_is_refused_wherever_it_is() {
        assert_eq!(fault(r#"{"quantity":1,"note":"a\u0000b"}"#).0, "note");
        assert_eq!(fault(r#"{"quantity":1,"inner":[{"quantity":1,"note":"\u0000"}]}"#).0, "inner[0].note");
        parse::<Lenient>(br#"{"id":1,"unknown":["\u0000"]}"#).unwrap_err();
        parse::<Lenient>(br#"{"id":1,"\u0000":1}"#).unwrap_err();
        let read: Lenient = parse(br#"{"id":1,"extra":"\\u0000"}"#).unwrap();
        assert_eq!(read.extra, "\\u0000", "a backslash, and no NUL");
    }

    proptest! {
        #[test]
        fn any_value_is_read_as_it_is(value in any_json()) {
            let read: Lenient = parse(json!({ "id": 7, "extra": value }).to_string().as_bytes()).unwrap();
            prop_assert_eq!(read.extra, value);
        }

        #[test]
        fn no_duplicate_is_missed(value in any_json(), name in "[a-z]{1,3}", twice: (u8, u8)) {
            let (first, second) = (f64::from(twice.0), f64::from(twice.1));
            let pair = format!(r#"{{"{name}":{first:?},"x-{name}":{value},"{name}":{second:?}}}"#);
            for body in [
                pair.clone(),
                format!(r#"{{"id":1,"extra":[{value},{pair}]}}"#),
                format!(r#"{{"id":1,"unknown":{{"a":{value},"b":{pair}}}}}"#),
            ] {
                prop_assert!(parse::<Lenient>(body.as_bytes()).is_err(), "{}", body);
            }
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            "[^\0]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z\"\\\\]{0,3}", inner, 0..4)
                    .prop_map(|fields| fields.into_iter().collect::<Map<_, _>>().into()),
            ]
        })
    }
}
