//! What becomes of an entry whose handling failed.

use std::time::Duration;

use chassis::Backoff;
use contracts::events::Fields;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{HandlerError, Policy};

/// An entry that this process has read and not acknowledged.
#[derive(Debug)]
pub(super) struct Entry {
    pub id: String,
    pub fields: Fields,
    /// Its names and values as they came, if `fields` cannot hold them.
    pub bytes: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    /// How often it was tried by this process.
    pub tries: u32,
    /// How often of those it met a bug, and when first.
    pub bugs: Option<(u32, Instant)>,
    pub first_failed_at: Option<OffsetDateTime>,
    /// Since when this process knows that it waits for its cause, and for how long it had waited by then.
    pub waits: Option<(Instant, Duration)>,
}

/// What to do with a failed entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RetryDecision {
    RetryAfter(Duration),
    DeadLetter,
}

impl Entry {
    pub(super) fn new(id: String, fields: Fields) -> Self {
        Self { id, fields, bytes: None, tries: 0, bugs: None, first_failed_at: None, waits: None }
    }

    /// Counts the try that just failed. Waiting for others is not held against an entry that then meets a bug.
    pub(super) fn count(&mut self, fail: &HandlerError) {
        self.tries += 1;
        self.first_failed_at.get_or_insert_with(OffsetDateTime::now_utc);
        if matches!(fail, HandlerError::Bug(_)) {
            let (before, since) = self.bugs.unwrap_or((0, Instant::now()));
            self.bugs = Some((before + 1, since));
        }
    }

    /// Notes that it waits for its cause, and has for so long, whichever process tried it before.
    pub(super) fn note_wait(&mut self, already: Duration) {
        self.waits = Some((Instant::now(), already));
        self.first_failed_at = Some(OffsetDateTime::now_utc() - already);
    }

    fn waited(&self) -> Duration {
        self.waits.map_or(Duration::ZERO, |(since, before)| since.elapsed() + before)
    }

    /// Judges the try that just failed; it is counted already.
    pub(super) fn decide(&self, fail: &HandlerError, policy: &Policy) -> RetryDecision {
        let hopeless = match fail {
            HandlerError::Retry(_) => false,
            HandlerError::NotYet(_) => self.waited() >= policy.not_yet_for,
            HandlerError::Bug(_) => self
                .bugs
                .is_some_and(|(tries, since)| tries >= policy.bug_tries && since.elapsed() >= policy.bug_for),
            HandlerError::Reject(_) => true,
        };
        if hopeless {
            return RetryDecision::DeadLetter;
        }
        let backoff = Backoff::new(policy.shortest_wait, policy.longest_wait);
        RetryDecision::RetryAfter(backoff.jittered(self.tries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(waited: Duration, tries: u32) -> Entry {
        let mut entry = Entry { tries, ..Entry::new("1-0".to_owned(), Fields::new()) };
        entry.note_wait(waited);
        entry
    }

    fn is_dead(entry: &Entry, fail: &HandlerError) -> bool {
        entry.decide(fail, &Policy::default()) == RetryDecision::DeadLetter
    }

    #[test]
    fn a_dependency_that_is_down_is_waited_for_without_end() {
        assert!(!is_dead(&entry(Duration::from_hours(1_000), 1_000_000), &HandlerError::retry("down")));
    }

    #[test]
    fn a_missing_cause_is_waited_for_from_the_first_try() {
        assert!(!is_dead(&entry(Duration::from_hours(23), 1_000_000), &HandlerError::not_yet("no order")));
        assert!(is_dead(&entry(Duration::from_hours(25), 1), &HandlerError::not_yet("no order")));
    }

    #[test]
    fn a_bug_has_its_tries_and_its_time() {
        let fail = HandlerError::bug("wrong");
        let (mut few, mut many) = (entry(Duration::ZERO, 0), entry(Duration::ZERO, 0));
        (0..9).for_each(|_| few.count(&fail));
        (0..10).for_each(|_| many.count(&fail));
        assert!(!is_dead(&many, &fail), "ten tries, but not ten minutes");
        let timeless = Policy { bug_for: Duration::ZERO, ..Policy::default() };
        assert_eq!(many.decide(&fail, &timeless), RetryDecision::DeadLetter);
        assert_ne!(few.decide(&fail, &timeless), RetryDecision::DeadLetter, "the time, but not ten tries");
    }

    #[test]
    fn what_waited_long_for_others_still_has_all_its_tries() {
        let timeless = Policy { bug_for: Duration::ZERO, ..Policy::default() };
        let mut entry = entry(Duration::from_hours(1), 1_000);
        for _ in 0..9 {
            entry.count(&HandlerError::bug("wrong"));
            entry.count(&HandlerError::retry("down"));
            assert_ne!(entry.decide(&HandlerError::bug("wrong"), &timeless), RetryDecision::DeadLetter);
        }
        entry.count(&HandlerError::bug("wrong"));
        assert_eq!(entry.decide(&HandlerError::bug("wrong"), &timeless), RetryDecision::DeadLetter);
    }

    #[test]
    fn what_can_never_be_handled_is_dead_immediately() {
        assert!(is_dead(&entry(Duration::ZERO, 1), &HandlerError::reject("nonsense")));
    }

    #[test]
    fn the_waits_grow_from_the_shortest_to_the_longest() {
        let policy = Policy::default();
        let wait = |tries| match entry(Duration::ZERO, tries).decide(&HandlerError::retry("down"), &policy) {
            RetryDecision::RetryAfter(wait) => wait,
            RetryDecision::DeadLetter => panic!("is_dead"),
        };
        assert_eq!(wait(1), policy.shortest_wait);
        assert!(wait(5) > wait(1) && wait(5) < policy.longest_wait);
        let last = wait(1_000);
        assert!(last >= policy.longest_wait / 2 && last <= policy.longest_wait);
    }
}
