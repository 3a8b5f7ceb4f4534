//! How long to wait before something is tried again.

use std::time::Duration;

/// Pauses that double from try to try.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// `first` after the first try, doubled with each further one, up to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The pause after a number of tries.
    pub fn after(self, tries: u32) -> Duration {
        let factor = 2_u32.checked_pow(tries.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }

    /// The same, shortened by up to a half but not below the first pause, so that many who wait do not come back as one.
    pub fn jittered(self, tries: u32) -> Duration {
        self.after(tries).mul_f64(rand::random_range(0.5..=1.0)).max(self.first.min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff::new(Duration::from_secs(30), Duration::from_mins(10));
        let pauses = [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(|tries| backoff.after(tries).as_secs());
        assert_eq!(pauses, [30, 30, 60, 120, 240, 480, 600, 600]);
    }

    #[test]
    fn jitter_stays_between_the_first_pause_and_the_whole_one() {
        let backoff = Backoff::new(Duration::from_secs(30), Duration::from_mins(10));
        for tries in 0..20 {
            let pause = backoff.jittered(tries);
            assert!(pause >= Duration::from_secs(30) && pause >= backoff.after(tries) / 2, "{pause:?}");
            assert!(pause <= backoff.after(tries), "{pause:?}");
        }
    }
}
