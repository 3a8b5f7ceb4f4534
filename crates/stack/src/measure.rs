//! Latencies, summed up in a histogram, so that no single one has to be kept.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The largest latency that is distinguished, in microseconds: a minute.
const LONGEST: u64 = 60_000_000;

/// Latencies in microseconds, precise to a thousandth of each.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// A histogram of no latencies.
    #[allow(clippy::expect_used, clippy::missing_panics_doc, reason = "the bounds are constants and valid")]
    #[allow(clippy::new_without_default, reason = "one way to make it is enough")]
    pub fn new() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST, 3).expect("valid bounds"))
    }

    /// Adds one; what is longer than a minute counts as a minute.
    pub fn record(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST));
    }

    /// Adds all latencies of another histogram.
    pub fn merge(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    /// How many latencies were recorded.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency in milliseconds that this many of a hundred do not exceed; none of none.
    pub fn percentile_ms(&self, percent: f64) -> Option<f64> {
        let micros = self.0.value_at_percentile(percent);
        (!self.0.is_empty()).then(|| Duration::from_micros(micros).as_secs_f64() * 1000.0)
    }

    /// The usual percentiles in words, in milliseconds.
    pub fn summary(&self) -> String {
        let ms = |percent| self.percentile_ms(percent).unwrap_or_default();
        format!(
            "p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
            ms(50.0),
            ms(95.0),
            ms(99.0),
            ms(100.0)
        )
    }
}
