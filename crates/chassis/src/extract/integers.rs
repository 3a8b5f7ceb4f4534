//! Integers as JSON Schema defines them: `2.0`, `1e2` and `20.00e-1` have no fraction and are integers. serde reads such a
//! number through an `f64`, which holds 15 digits exactly, while an `i64` has 19.

use std::{borrow::Cow, iter::repeat_n};

/// The most digits that an integer of 64 bits has. Longer ones stay as they are, and are refused for their type.
const MAX_DIGITS: usize = 20;

/// The JSON text with every number that is an integer written as one, digit for digit. What is not JSON stays that way.
pub(super) fn canonical(json: &[u8]) -> Cow<'_, [u8]> {
    let mut rewritten = Vec::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(byte) = json.get(at) {
        let start = at;
        match byte {
            b'"' => at = end_of_string(json, at),
            b'-' | b'0'..=b'9' => at = end_of_number(json, at),
            _ => at += 1,
        }
        if let Some(integer) = integer(&json[start..at]) {
            rewritten.extend_from_slice(&json[copied..start]);
            rewritten.extend_from_slice(integer.as_bytes());
            copied = at;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    rewritten.extend_from_slice(&json[copied..]);
    Cow::Owned(rewritten)
}

fn end_of_string(json: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match json.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at + 1,
            Some(_) => at += 1,
            None => return json.len(),
        }
    }
}

fn end_of_number(json: &[u8], start: usize) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    start + json[start..].iter().take_while(|byte| is_part(byte)).count()
}

/// The integer that a number with a point or an exponent is, if it is one.
fn integer(token: &[u8]) -> Option<String> {
    let number = std::str::from_utf8(token).ok()?;
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_integer_already = mantissa == unsigned && whole == mantissa && number != "-0";
    if is_integer_already || !is_whole(whole) || !is_digits(fraction) {
        return None;
    }
    let digits = shifted(&format!("{whole}{fraction}"), whole.len(), parse_exponent(exponent)?)?;
    let is_negative = unsigned != number && digits != "0";
    Some(if is_negative { format!("-{digits}") } else { digits })
}

/// The digits before the point, once it is moved by `exponent`; none if there is more than zeros behind it.
fn shifted(digits: &str, point: usize, exponent: i64) -> Option<String> {
    let zeros = digits.len() - digits.trim_start_matches('0').len();
    let significant = digits[zeros..].trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let point = i64::try_from(point).ok()?.checked_add(exponent)?;
    let length = usize::try_from(point).ok()?.checked_sub(zeros)?;
    let is_whole = (significant.len()..=MAX_DIGITS).contains(&length);
    is_whole.then(|| significant.chars().chain(repeat_n('0', length - significant.len())).collect())
}

/// JSON allows no zeros in front.
fn is_whole(text: &str) -> bool {
    text == "0" || (is_digits(text) && !text.starts_with('0'))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_exponent(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if is_digits(unsigned) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;
    use serde_json::Value;

    use super::*;

    fn rewritten(json: &str) -> String {
        String::from_utf8(canonical(json.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn a_number_without_a_fraction_is_written_as_an_integer() {
        for (number, integer) in [
            ("2.0", "2"),
            ("1e2", "100"),
            ("20.00e-1", "2"),
            ("0.002E+3", "2"),
            ("-12.50e1", "-125"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("0e99999", "0"),
            ("2005684490880299.0", "2005684490880299"),
            ("9223372036854775807.0", "9223372036854775807"),
            ("1e19", "10000000000000000000"),
        ] {
            assert_eq!(rewritten(number), integer, "{number}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for text in [
            "2.5",
            "1e-1",
            "1e20",
            "1e999",
            "1e99999999999999999999",
            "01.0",
            "1.",
            "1e",
            "1.e1",
            "1.0.0",
            "1.0-2",
            ".0",
            "-",
            "7",
            "\"1.0\"",
            r#""\"1.0""#,
            r#""1.0"#,
            r#"{"1.0":"2.0"}"#,
        ] {
            assert_eq!(rewritten(text), text);
        }
        assert_eq!(rewritten(r#" {"1.0":[1.0,"\\",2.0]}"#), r#" {"1.0":[1,"\\",2]}"#);
    }

    proptest! {
        #[test]
        fn an_integer_is_read_exactly_however_it_is_written(n: i64, zeros in 0_usize..30, shift in 0_i64..30) {
            let (sign, digits) = (if n < 0 { "-" } else { "" }, n.unsigned_abs().to_string());
            let point = digits.len().saturating_sub(usize::try_from(shift).unwrap()).max(1);
            let moved = digits.len() - point;
            let (whole, fraction) = digits.split_at(point);
            let zeros = "0".repeat(zeros);
            for number in [
                format!("{sign}{whole}.{fraction}{zeros}0e{moved}"),
                format!("{sign}{digits}{zeros}.0E-{}", zeros.len()),
            ] {
                // Zero with zeros behind it is no number of JSON.
                if n != 0 || zeros.is_empty() {
                    prop_assert_eq!(rewritten(&number).parse(), Ok(n), "{}", number);
                }
            }
        }

        #[test]
        fn no_text_becomes_json_or_ceases_to_be(text in r#"[-+0-9.eE\[\],:{}"\\ at]{0,24}"#) {
            let is_json = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
            prop_assert_eq!(is_json(&rewritten(&text)), is_json(&text));
        }

        #[test]
        fn no_value_changes(a in -1e15..1e15_f64, b: f64, text in ".*") {
            let json = serde_json::json!({ "a": a, "b": b, "whole": a.trunc(), &text: [&text] }).to_string();
            let (before, after): (Value, Value) =
                (serde_json::from_str(&json).unwrap(), serde_json::from_str(&rewritten(&json)).unwrap());
            prop_assert_eq!(before["a"].as_f64(), after["a"].as_f64());
            prop_assert_eq!(before["b"].as_f64(), after["b"].as_f64());
            prop_assert_eq!(before["whole"].as_f64(), after["whole"].as_f64());
            prop_assert_eq!(&before[&text], &after[&text]);
        }
    }
}
