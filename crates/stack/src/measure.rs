//! Durations, summed up.

use std::time::Duration;

/// What was measured.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Adds one measurement.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// Adds those of another.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The value that this many of a hundred do not exceed (nearest rank).
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or_default()
    }

    /// The usual percentiles in words.
    pub fn summary(&self) -> String {
        let ms = |percent| self.percentile(percent).as_secs_f64() * 1000.0;
        format!("p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, worst {:.1} ms", ms(50), ms(95), ms(99), ms(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut samples = Samples::default();
        (1..=50).rev().for_each(|ms| samples.add(Duration::from_millis(ms)));
        let ms = |percent| samples.percentile(percent).as_millis();
        assert_eq!([ms(1), ms(50), ms(99), ms(100)], [1, 25, 50, 50]);
        assert_eq!(Samples::default().percentile(99), Duration::ZERO);
    }
}
