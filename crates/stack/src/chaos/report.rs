//! What a run has shown: as text, and as a page with a time line.

use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::record::{Requests, Summary, Window};
use crate::ledger::Finding;

/// The aims: requests that succeed outside of the windows, in percent, and the longest recovery.
const SUCCESS: f64 = 99.9;
const RECOVERY: Duration = Duration::from_secs(15);
/// Failures that are shown one by one.
const SHOWN: usize = 10;

/// A run that has ended.
#[derive(Debug)]
pub struct Report {
    pub(super) seed: u64,
    pub(super) took: Duration,
    pub(super) summary: Summary,
    pub(super) findings: Vec<Finding>,
    /// Orders that were answered 201 and are not there, or are another buyer's.
    pub(super) lost: Vec<i64>,
    /// How long the shop took to settle once traffic and faults were over.
    pub(super) settled: Duration,
}

impl Report {
    /// Each aim, and whether it was reached.
    pub fn aims(&self) -> Vec<(String, bool)> {
        let longest = self.summary.recoveries().map_or(Duration::ZERO, |(_, longest)| longest);
        let broken: Vec<&str> = self.findings.iter().filter(|it| !it.holds()).map(|it| it.rule).collect();
        let success = self.summary.outside.success();
        let (orders, lost) = (self.summary.orders, self.lost.len());
        let ledger = if broken.is_empty() { "all hold".to_owned() } else { broken.join(", ") + " broken" };
        vec![
            (
                format!("{success:.2} % of requests outside of faults succeeded ({SUCCESS} %)"),
                success >= SUCCESS,
            ),
            (format!("the longest recovery took {:.1} s (15 s)", longest.as_secs_f64()), longest <= RECOVERY),
            (format!("{lost} of {orders} orders that were answered 201 are lost (0)"), lost == 0),
            (format!("the ledger L1 to L7: {ledger}"), broken.is_empty()),
        ]
    }

    /// Whether every order that was answered 201 is there, and the ledger holds.
    pub fn is_lossless(&self) -> bool {
        self.lost.is_empty() && self.findings.iter().all(Finding::holds)
    }

    /// How many orders were answered 201, and how many faults there were.
    pub fn counts(&self) -> (usize, usize) {
        (self.summary.orders, self.summary.windows.len())
    }

    /// Whether every aim was reached.
    pub fn succeeded(&self) -> bool {
        self.aims().iter().all(|(_, reached)| *reached)
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| {
            text.push_str(&words);
            text.push('\n');
        };
        let summary = &self.summary;
        line(format!(
            "\nSeed {}, {:.0} s of faults and traffic, settled after {:.1} s more",
            self.seed,
            self.took.as_secs_f64(),
            self.settled.as_secs_f64()
        ));
        line("Purchases".to_owned());
        for ((journey, end), count) in &summary.ends {
            line(format!("  {count:>5}  {journey}: {end:?}"));
        }
        line("Faults".to_owned());
        for (kind, count) in summary.kinds() {
            line(format!("  {count:>5}  {kind:?}"));
        }
        if let Some((median, longest)) = summary.recoveries() {
            let (median, longest) = (median.as_secs_f64(), longest.as_secs_f64());
            line(format!("Recovery after a fault: p50 {median:.1} s, max {longest:.1} s"));
        }
        line("Requests".to_owned());
        for (place, requests) in [("within", &summary.inside), ("outside of", &summary.outside)] {
            let (count, failed) = (requests.count, requests.failed.len());
            line(format!("  {count:>5}  {place} faults, {failed} failed"));
        }
        for failure in summary.outside.failed.iter().take(SHOWN) {
            line(format!("         {}: {}", failure.what, failure.failure.as_deref().unwrap_or_default()));
        }
        line("Aims".to_owned());
        for (aim, reached) in self.aims() {
            line(format!("  {}  {aim}", if reached { "ok    " } else { "MISSED" }));
        }
        text
    }

    /// A page with everything, which needs nothing else.
    pub fn page(&self) -> String {
        let summary = &self.summary;
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    title { "Chaos, seed " (self.seed) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { "Chaos, seed " (self.seed) }
                    ul { @for (aim, reached) in self.aims() { li class=(if reached { "ok" } else { "missed" }) { (aim) } } }
                    (self.time_line())
                    h2 { "Faults" }
                    table {
                        tr { th { "at" } th { "fault" } th { "lasted" } th { "recovery" } }
                        @for window in &summary.windows { (self.row(window)) }
                    }
                    h2 { "Purchases" }
                    table {
                        @for ((journey, end), count) in &summary.ends {
                            tr { td { (journey) } td { (format!("{end:?}")) } td.number { (count) } }
                        }
                    }
                    h2 { "Requests" }
                    (requests("within faults", &summary.inside))
                    (requests("outside of faults", &summary.outside))
                    h2 { "Ledger" }
                    @for finding in &self.findings {
                        p class=(if finding.holds() { "ok" } else { "missed" }) { (finding.rule) ": " (finding.what) }
                        ul { @for broken in &finding.broken { li { (broken.to_string()) } } }
                    }
                }
            }
        }
        .into_string()
    }

    fn seconds(&self, at: tokio::time::Instant) -> f64 {
        at.saturating_duration_since(self.summary.began).as_secs_f64()
    }

    fn row(&self, window: &Window) -> Markup {
        html! {
            tr {
                td.number { (format!("{:.1} s", self.seconds(window.began))) }
                td { (window.fault.to_string()) }
                td.number { (format!("{:.1} s", (window.lifted - window.began).as_secs_f64())) }
                td.number { (format!("{:.1} s", window.recovery().as_secs_f64())) }
            }
        }
    }

    /// Faults are dark, recoveries light, failed requests are strokes below them.
    fn time_line(&self) -> Markup {
        let width = 1000.0 / self.took.as_secs_f64().max(1.0);
        let (began, failed) = (
            |window: &Window| self.seconds(window.began) * width,
            self.summary.inside.failed.iter().chain(&self.summary.outside.failed),
        );
        html! {
            svg viewBox="0 0 1000 60" {
                @for window in &self.summary.windows {
                    rect.recovery x=(began(window)) y="5" height="25"
                        width=((window.recovered - window.began).as_secs_f64() * width) {}
                    rect.fault x=(began(window)) y="5" height="25"
                        width=((window.lifted - window.began).as_secs_f64() * width + 1.0) {
                        title { (window.fault.to_string()) }
                    }
                }
                @for failure in failed {
                    rect.failure x=(self.seconds(failure.began) * width) y="35" width="1" height="20" {
                        title { (failure.what) ": " (failure.failure.as_deref().unwrap_or_default()) }
                    }
                }
            }
        }
    }
}

fn requests(place: &str, requests: &Requests) -> Markup {
    html! { p { (requests.count) " " (place) ", " (requests.failed.len()) " failed: " (format!("{:.2} %", requests.success())) " succeeded" } }
}

const STYLE: &str = "body{font:15px sans-serif;max-width:1000px;margin:2em auto}table{border-collapse:collapse}
td,th{padding:2px 12px 2px 0;text-align:left}.number{text-align:right}.ok{color:#176b3a}.missed{color:#b3261e;font-weight:bold}
svg{width:100%;background:#f2f2f2}.fault{fill:#6b2fb3}.recovery{fill:#cdb4ee}.failure{fill:#b3261e}";
