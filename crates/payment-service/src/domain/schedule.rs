//! When Midtrans is asked again.

use std::time::Duration;

use time::OffsetDateTime;

/// How long after the page was made Midtrans is asked, webhook or not; then at every further [`LAST`].
const OFFSETS: [Duration; 6] = [
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(2),
    Duration::from_mins(5),
    LAST,
];
const LAST: Duration = Duration::from_mins(10);
/// How soon a payment is looked at again that could not be closed at its end.
const OVERDUE: Duration = Duration::from_secs(15);

/// When an open payment is asked about next: by the schedule, and at its end.
pub fn next_poll(
    linked_at: OffsetDateTime,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> OffsetDateTime {
    if now >= expires_at {
        return now + OVERDUE;
    }
    let elapsed = Duration::try_from(now - linked_at).unwrap_or_default();
    let scheduled = OFFSETS.into_iter().find(|offset| *offset > elapsed);
    let rounds = u32::try_from(elapsed.as_secs() / LAST.as_secs()).unwrap_or(u32::MAX);
    let offset = scheduled.unwrap_or_else(|| LAST.saturating_mul(rounds.saturating_add(1)));
    expires_at.min(linked_at + offset)
}

/// How long to wait after so many tries that failed: from one second to five minutes.
pub fn again_after(tries: i32) -> Duration {
    let doublings = u32::try_from(tries.clamp(1, 10) - 1).unwrap_or_default();
    Duration::from_secs(1 << doublings).min(Duration::from_mins(5))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const LINKED: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);

    /// The seconds after the page was made at which it is asked about, each time right away.
    fn polls(lifetime: i64) -> Vec<i64> {
        let end = LINKED + time::Duration::seconds(lifetime);
        let mut now = LINKED;
        let next = |now: &mut OffsetDateTime| {
            *now = next_poll(LINKED, end, *now);
            (*now - LINKED).whole_seconds()
        };
        let mut times: Vec<i64> = Vec::new();
        while times.last().is_none_or(|last| *last < lifetime) {
            times.push(next(&mut now));
        }
        times
    }

    #[test]
    fn a_page_is_asked_about_more_and_more_rarely_until_its_end() {
        assert_eq!(polls(1_800), [15, 30, 60, 120, 300, 600, 1_200, 1_800]);
        assert_eq!(polls(20), [15, 20]);
        assert_eq!(polls(2_000), [15, 30, 60, 120, 300, 600, 1_200, 1_800, 2_000]);
    }

    #[test]
    fn what_could_not_be_closed_at_its_end_is_looked_at_again() {
        let end = LINKED + Duration::from_mins(30);
        assert_eq!(next_poll(LINKED, end, end), end + OVERDUE);
    }

    #[test]
    fn failures_make_the_pauses_longer_up_to_a_bound() {
        assert_eq!([1, 2, 3, 9].map(again_after).map(|pause| pause.as_secs()), [1, 2, 4, 256]);
        assert_eq!(again_after(i32::MAX), Duration::from_mins(5));
    }
}
