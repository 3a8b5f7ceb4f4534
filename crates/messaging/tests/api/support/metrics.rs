//! What the crate measures, as a scrape shows it. Every test is a process of its own, so that it has its own numbers.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::GROUP;

pub struct Metrics(PrometheusHandle);

impl Metrics {
    pub fn record() -> Self {
        Self(PrometheusBuilder::new().install_recorder().unwrap())
    }

    /// The value of a series, such as `outbox_backlog`; none if nothing was measured yet.
    pub fn value(&self, series: &str) -> Option<f64> {
        let text = self.0.render();
        text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }

    /// How often handling an entry of the stream ended like this.
    pub fn outcomes(&self, stream: &str, outcome: &str) -> f64 {
        let labels = format!(r#"group="{GROUP}",stream="{stream}",outcome="{outcome}""#);
        self.value(&format!("consumer_events_total{{{labels}}}")).unwrap_or_default()
    }
}
