//! Rules that requests of several services share, for garde's `custom`.

use std::collections::BTreeSet;

use contracts::country::{countries, is_country};
use utoipa::openapi::{Object, ObjectBuilder, Type};

/// Refuses a text that shows nothing: white space and invisible characters only. In a document such a text has the
/// pattern `^[^\u0000]*[^\s\u0000][^\u0000]*$`.
///
/// # Errors
/// If there is nothing to read in it.
pub fn not_blank<C>(text: &str, _: &C) -> garde::Result {
    let blank = text.chars().all(|c| c.is_whitespace() || is_invisible(c));
    if blank { Err(garde::Error::new("must not be blank")) } else { Ok(()) }
}

/// Characters that show nothing and are no white space to Unicode: joiners, marks of direction, fillers.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00ad}'
            | '\u{034f}'
            | '\u{061c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
    )
}

/// Refuses a list that names something twice.
///
/// # Errors
/// If it does.
pub fn all_different<T: Ord, C>(items: &[T], _: &C) -> garde::Result {
    let different: BTreeSet<_> = items.iter().collect();
    if different.len() == items.len() { Ok(()) } else { Err(garde::Error::new("must not have duplicates")) }
}

/// Refuses a country code that ISO 3166-1 has not assigned, and one that is not in capitals.
///
/// # Errors
/// If it is none.
pub fn country_code<C>(code: &str, _: &C) -> garde::Result {
    let message = "must be an ISO 3166-1 alpha-2 code such as `ID`";
    if is_country(code) { Ok(()) } else { Err(garde::Error::new(message)) }
}

/// What a document says of a member with the rule [`country_code`]: for utoipa's `schema_with`.
pub fn country_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("ISO 3166-1 alpha-2 code, in capitals."))
        .enum_values(Some(countries()))
        .examples(["ID"])
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_shows_nothing_is_blank() {
        for blank in
            ["", " ", "\t\r\n", "\u{a0}\u{3000}\u{2003}", "\u{200b}", " \u{feff}\u{2060} ", "\u{3164}"]
        {
            assert!(not_blank(blank, &()).is_err(), "{blank:?}");
        }
        for text in ["a", " a ", "\u{200b}a", "0", "-", "茶", "👩\u{200d}🌾"] {
            assert!(not_blank(text, &()).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn a_country_has_a_code_that_is_assigned() {
        assert!(country_code("ID", &()).is_ok());
        for code in ["ZZ", "XX", "id", "IDN", "", "  "] {
            assert!(country_code(code, &()).is_err(), "{code:?}");
        }
    }

    #[test]
    fn nothing_is_named_twice() {
        assert!(all_different(&[1, 2, 3], &()).is_ok());
        assert!(all_different(&[1, 2, 1], &()).is_err());
    }
}
