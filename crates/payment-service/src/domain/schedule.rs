//! When Midtrans is asked again, webhook or not: often at first, and until money cannot be taken back any more.

use std::time::Duration;

use super::Status;

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

/// A captured payment settles within a day or two, and may be called off until then.
const CAPTURED: Duration = Duration::from_hours(1);
/// A settled payment may be charged back.
const SETTLED: Duration = Duration::from_hours(24);

/// A question to Midtrans that is due. All times are by the database's clock, as the schedule is.
#[derive(Debug, Clone)]
pub struct Poll {
    pub status: Status,
    /// Whether the order was paid on its page.
    pub paid_here: bool,
    /// How long ago the page was made.
    pub since_linked: Duration,
    /// How long it can still be paid; zero once that is over.
    pub until_end: Duration,
    /// How long ago the order was paid.
    pub since_paid: Duration,
}

impl Poll {
    /// Whether an answer could change anything: the payment is open, or its money may be taken back.
    pub fn is_worth_asking(&self) -> bool {
        self.status.is_open() || (self.status.is_paid() && self.paid_here)
    }

    /// After how long it is asked about again, now that it is found to be `captured` or not; `None`: no more. `watch` is
    /// how long after a payment its money may still be taken back.
    pub fn next(&self, captured: bool, watch: Duration) -> Option<Duration> {
        match self.status {
            status if status.is_open() => Some(next_poll(self.since_linked, self.until_end)),
            status if status.is_paid() && self.paid_here && self.since_paid < watch => {
                Some(if captured { CAPTURED } else { SETTLED })
            }
            _ => None,
        }
    }

    /// The same poll as it stands after the answer, which took so long.
    #[must_use]
    pub fn after(self, status: Status, taken: Duration) -> Self {
        Self {
            status,
            // What was open is paid by what was asked about.
            paid_here: self.paid_here || self.status.is_open(),
            since_linked: self.since_linked + taken,
            until_end: self.until_end.saturating_sub(taken),
            ..self
        }
    }
}

/// After how long an open payment is asked about: by the schedule, and at its end.
pub fn next_poll(since_linked: Duration, until_end: Duration) -> Duration {
    if until_end.is_zero() {
        return OVERDUE;
    }
    let scheduled = OFFSETS.into_iter().find(|offset| *offset > since_linked);
    let rounds = u32::try_from(since_linked.as_secs() / LAST.as_secs()).unwrap_or(u32::MAX);
    let offset = scheduled.unwrap_or_else(|| LAST.saturating_mul(rounds.saturating_add(1)));
    offset.saturating_sub(since_linked).min(until_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds after the page was made at which it is asked about, each time right away.
    fn polls(lifetime: u64) -> Vec<u64> {
        let end = Duration::from_secs(lifetime);
        let mut times = vec![Duration::ZERO];
        while let Some(now) = times.last().copied().filter(|now| *now < end) {
            times.push(now + next_poll(now, end.saturating_sub(now)));
        }
        times.into_iter().skip(1).map(|time| time.as_secs()).collect()
    }

    fn paid(paid_here: bool, days: u64) -> Poll {
        Poll {
            status: Status::Success,
            paid_here,
            since_linked: Duration::from_hours(1),
            until_end: Duration::ZERO,
            since_paid: Duration::from_hours(24 * days),
        }
    }

    #[test]
    fn a_page_is_asked_about_more_and_more_rarely_until_its_end() {
        assert_eq!(polls(1_800), [15, 30, 60, 120, 300, 600, 1_200, 1_800]);
        assert_eq!(polls(20), [15, 20]);
        assert_eq!(polls(2_000), [15, 30, 60, 120, 300, 600, 1_200, 1_800, 2_000]);
    }

    #[test]
    fn what_could_not_be_closed_at_its_end_is_asked_about_again() {
        assert_eq!(next_poll(Duration::from_mins(30), Duration::ZERO), OVERDUE);
    }

    #[test]
    fn a_paid_payment_is_watched_for_as_long_as_its_money_may_be_taken_back() {
        let watch = Duration::from_hours(24 * 120);
        assert_eq!(paid(true, 0).next(true, watch), Some(Duration::from_hours(1)));
        assert_eq!(paid(true, 119).next(false, watch), Some(Duration::from_hours(24)));
        assert_eq!(paid(true, 120).next(false, watch), None);
        assert_eq!(paid(false, 0).next(false, watch), None, "paid on another page");
        for status in [Status::Failed, Status::Cancelled, Status::Review, Status::Reversed, Status::Refunded]
        {
            assert_eq!(Poll { status, ..paid(true, 0) }.next(false, watch), None);
        }
    }
}
