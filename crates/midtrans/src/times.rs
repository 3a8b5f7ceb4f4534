//! Times as Midtrans writes them: Western Indonesia Time without saying so (section 4.4).

use serde::Deserializer;
use time::format_description::BorrowedFormatItem;
use time::macros::{format_description, offset};
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

use crate::lenient;

/// UTC+7; Indonesia has no summer time.
pub(crate) const WIB: UtcOffset = offset!(+7);

const REPLY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// For `#[serde(deserialize_with)]` together with `default`. A time that cannot be read is treated as missing: no
/// decision about money hangs on it, and a payment must not be lost to a changed clock format.
pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<OffsetDateTime>, D::Error> {
    Ok(lenient::optional::<_, String>(deserializer)?.as_deref().and_then(parse))
}

fn parse(text: &str) -> Option<OffsetDateTime> {
    Some(PrimitiveDateTime::parse(text, REPLY).ok()?.assume_offset(WIB))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    #[test]
    fn times_are_read_as_western_indonesia_time() {
        assert_eq!(super::parse("2024-04-30 16:13:31"), Some(datetime!(2024-04-30 09:13:31 UTC)));
    }

    #[test]
    fn an_unknown_format_is_no_time() {
        assert_eq!(super::parse("2024-04-30T16:13:31Z"), None);
    }
}
