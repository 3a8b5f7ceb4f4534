//! Times as Midtrans writes them: WIB (Western Indonesia Time, UTC+7), without an offset.

use std::time::Duration;

use time::format_description::BorrowedFormatItem;
use time::macros::{format_description, offset};
use time::{OffsetDateTime, UtcOffset};

const WIB: UtcOffset = offset!(+7);

const REPLY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

const REQUEST: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day] [hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
);

const UTC_MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A time as replies and notifications carry it.
pub(crate) fn format(at: OffsetDateTime) -> String {
    at.to_offset(WIB).format(REPLY).unwrap_or_default()
}

/// A time as the answer to a token cancel carries it: the one place where Midtrans speaks UTC.
pub(crate) fn format_utc(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC).format(UTC_MILLIS).unwrap_or_default()
}

/// A time as requests carry it, with an offset.
pub(crate) fn parse_request(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, REQUEST).ok()
}

/// How long it is from `now` until `at`; nothing if that is over.
pub(crate) fn until(at: OffsetDateTime, now: OffsetDateTime) -> Duration {
    Duration::try_from(at - now).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    #[test]
    fn replies_carry_wib_without_an_offset() {
        assert_eq!(super::format(datetime!(2024-04-30 20:13:31 UTC)), "2024-05-01 03:13:31");
    }

    #[test]
    fn requests_carry_their_offset() {
        let at = super::parse_request("2030-12-20 18:11:08 +0700");
        assert_eq!(at, Some(datetime!(2030-12-20 11:11:08 UTC)));
        assert_eq!(super::parse_request("2030-12-20 18:11:08"), None);
    }

    #[test]
    fn the_token_cancel_answers_in_utc() {
        assert_eq!(super::format_utc(datetime!(2025-06-03 13:09:39.776 UTC)), "2025-06-03T13:09:39.776Z");
    }
}
