//! How often one party may do something. Counted in this process: with n replicas a party that is spread over them may
//! do it n times as often, which still is a bound.

use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};

use crate::{Code, Codes, Problem, Refuses, config::Switch};

/// After so many checks parties that have been quiet are dropped: memory is bounded by those that were active meanwhile.
const UPKEEP: u32 = 1_024;

/// A limit on the rate of each party, named by a key. Nobody is limited if `burst` or the rate is 0.
#[derive(Debug)]
pub struct RateLimit<K: Hash + Eq + Clone>(Option<Limiter<K>>);

#[derive(Debug)]
struct Limiter<K: Hash + Eq + Clone> {
    parties: DefaultKeyedRateLimiter<K>,
    checks: AtomicU32,
}

/// The party did it too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too often: again in {retry_after} s")]
pub struct TooOften {
    /// After so many seconds it may do it again, at least 1.
    pub retry_after: u32,
}

impl Switch {
    /// While rates are limited (`RATE_LIMIT=on`): `burst` at once, and `count` within each `period` for long.
    pub fn limit<K: Hash + Eq + Clone>(self, burst: u32, count: u32, period: Duration) -> RateLimit<K> {
        if self == Self::On { RateLimit::new(burst, count, period) } else { RateLimit(None) }
    }
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    fn new(burst: u32, count: u32, period: Duration) -> Self {
        let quota = period.checked_div(count).and_then(Quota::with_period);
        let limiter = NonZeroU32::new(burst).zip(quota).map(|(burst, quota)| Limiter {
            parties: RateLimiter::keyed(quota.allow_burst(burst)),
            checks: AtomicU32::new(0),
        });
        Self(limiter)
    }

    /// Counts that a party does it now.
    ///
    /// # Errors
    /// If it did it too often: this time does not count.
    pub fn check(&self, party: &K) -> Result<(), TooOften> {
        let Some(Limiter { parties, checks }) = &self.0 else { return Ok(()) };
        if checks.fetch_add(1, Ordering::Relaxed) % UPKEEP == UPKEEP - 1 {
            parties.retain_recent();
            parties.shrink_to_fit();
        }
        parties.check_key(party).map_err(|refused| {
            let wait = refused.wait_time_from(parties.clock().now()).as_secs_f64().ceil();
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a cast of a float saturates"
            )]
            TooOften { retry_after: (wait as u32).max(1) }
        })
    }
}

impl From<TooOften> for Problem {
    fn from(TooOften { retry_after }: TooOften) -> Self {
        Self::new(Code::TooManyRequests, "That is too often; try again later.").retry_after(retry_after)
    }
}

impl Refuses for TooOften {
    const CODES: Codes = &[&Code::TooManyRequests];
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn allowed(limit: &RateLimit<u32>, party: u32) -> usize {
        (0..1_000).take_while(|_| limit.check(&party).is_ok()).count()
    }

    #[test]
    fn each_party_has_its_burst_and_then_waits_for_its_rate() {
        let limit = Switch::On.limit(3, 240, HOUR);
        assert_eq!((allowed(&limit, 1), allowed(&limit, 1), allowed(&limit, 2)), (3, 0, 3));
        let refused = limit.check(&1).unwrap_err();
        assert!((1..=15).contains(&refused.retry_after), "{refused:?}");
        let problem = Problem::from(refused);
        assert_eq!((problem.status().as_u16(), problem.code()), (429, "too_many_requests"));
    }

    #[test]
    fn a_limit_that_is_off_or_zero_is_none() {
        for limit in
            [Switch::Off.limit(3, 240, HOUR), Switch::On.limit(0, 240, HOUR), Switch::On.limit(3, 0, HOUR)]
        {
            assert_eq!(allowed(&limit, 1), 1_000);
        }
    }

    #[test]
    fn parties_that_have_been_quiet_are_dropped() {
        let limit = Switch::On.limit(1, 1_000_000, Duration::from_millis(1));
        for party in 0..100_000_u32 {
            limit.check(&party).ok();
        }
        let known = limit.0.unwrap().parties.len();
        assert!(known <= UPKEEP as usize * 2, "{known} are known");
    }
}
