//! Money as Midtrans writes it: a decimal string with two places, always whole rupiah.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Up to here a float holds every whole number: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Why a text is not an amount of rupiah.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a plain decimal number, or one that does not fit into 64 bits.
    #[error("not an amount of money: {0:?}")]
    NotANumber(String),
    /// A fraction other than zero: the rupiah has no smaller unit, so such an amount was not made by Midtrans.
    #[error("not a whole number of rupiah: {0:?}")]
    Fraction(String),
}

/// Reads `"10000.00"`, `"10000"` or `"10000.0"` as 10,000 rupiah, exactly and without floating point (section 0.2).
///
/// ```
/// assert_eq!(midtrans::parse_rupiah("10000.00"), Ok(10_000));
/// assert!(midtrans::parse_rupiah("10000.50").is_err());
/// ```
pub fn parse_rupiah(text: &str) -> Result<i64, AmountError> {
    let not_a_number = || AmountError::NotANumber(text.to_owned());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits_only = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits_only(whole) || !digits_only(fraction) {
        return Err(not_a_number());
    }
    if fraction.bytes().any(|digit| digit != b'0') {
        return Err(AmountError::Fraction(text.to_owned()));
    }
    whole.parse().map_err(|_| not_a_number())
}

/// For `#[serde(deserialize_with)]`: an amount that must be there.
pub(crate) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    deserializer.deserialize_any(Rupiah)
}

/// For `#[serde(deserialize_with)]` together with `default`: an amount that counts as missing if it cannot be read.
pub(crate) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(Value::deserialize(deserializer)?.deserialize_any(Rupiah).ok())
}

/// Takes a string, or a JSON number in case Midtrans ever changes its mind. A float holds every whole number up to 2^53
/// exactly, which is more rupiah than there are.
struct Rupiah;

impl Visitor<'_> for Rupiah {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole amount of rupiah")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
        parse_rupiah(text).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
        i64::try_from(number).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<i64, E> {
        if (0.0..=EXACT).contains(&number) {
            self.visit_str(&number.to_string())
        } else {
            Err(E::custom("not exact"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AmountError, parse_rupiah};

    #[test]
    fn whole_amounts_are_read_exactly() {
        for (text, rupiah) in [
            ("10000.00", 10_000),
            ("10000", 10_000),
            ("0.00", 0),
            ("9007199254740993.00", 9_007_199_254_740_993),
            ("9223372036854775807.00", i64::MAX),
        ] {
            assert_eq!(parse_rupiah(text), Ok(rupiah), "{text}");
        }
    }

    #[test]
    fn a_fraction_is_refused_and_not_rounded() {
        assert_eq!(parse_rupiah("10000.01"), Err(AmountError::Fraction("10000.01".to_owned())));
    }

    #[test]
    fn whatever_is_not_a_plain_decimal_number_is_refused() {
        for text in
            ["", ".", "1.", ".00", "-1.00", "+1", "1e4", " 1", "1,000.00", "9223372036854775808", "NaN"]
        {
            assert_eq!(parse_rupiah(text), Err(AmountError::NotANumber(text.to_owned())), "{text}");
        }
    }
}
