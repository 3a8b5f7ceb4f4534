//! What was measured, as a table and as JSON.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::load::Load;
use super::system::Statement;
use super::usage::Usage;
use crate::measure::Latencies;

/// One round of one row of the table.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) label: String,
    pub(super) load: Load,
    pub(super) usage: Option<Usage>,
}

/// All rounds of one row of the table on one system.
#[derive(Debug)]
struct Summary<'a> {
    system: usize,
    label: &'a str,
    rounds: Vec<&'a Round>,
}

/// What was measured, each round with the place of its system.
pub(super) struct Report {
    pub(super) systems: Vec<String>,
    pub(super) rounds: Vec<(usize, Round)>,
    /// Resident bytes of the six services before and after all loads.
    pub(super) memory: Vec<Option<(u64, u64)>>,
    /// The slowest statements of each system, if they were counted.
    pub(super) statements: Vec<Vec<Statement>>,
}

impl Report {
    fn summaries(&self) -> Vec<Summary<'_>> {
        let mut all: Vec<Summary<'_>> = Vec::new();
        for (system, round) in &self.rounds {
            match all.iter_mut().find(|it| it.system == *system && it.label == round.label) {
                Some(known) => known.rounds.push(round),
                None => all.push(Summary { system: *system, label: &round.label, rounds: vec![round] }),
            }
        }
        let place = |label| all.iter().position(|other| other.label == label);
        let mut order: Vec<_> = (0..all.len()).map(|n| (place(all[n].label), all[n].system, n)).collect();
        order.sort_unstable();
        let mut all: Vec<_> = all.into_iter().map(Some).collect();
        order.into_iter().filter_map(|(_, _, n)| all[n].take()).collect()
    }

    /// Medians of the rounds; the percentiles are those of all requests. With two systems also how many times the
    /// value of the second one the first one has.
    pub(super) fn table(&self) -> String {
        let mut out = String::new();
        for (n, name) in self.systems.iter().enumerate() {
            let _infallible = writeln!(out, "{}: {name}", letter(n));
        }
        let _infallible = writeln!(
            out,
            "\n{:<58}{:>10}{:>9}{:>9}{:>10}{:>9}{:>7}{:>7}{:>7}  CPU us of each",
            "", "per s", "p50 ms", "p99 ms", "CPU us", "WAL B", "tx", "sql", "redis"
        );
        let summaries = self.summaries();
        for summary in &summaries {
            let first = summaries.iter().find(|other| other.label == summary.label && other.system == 0);
            out += &summary.line();
            if let (Some(first), true) = (first, summary.system > 0) {
                out += &first.ratio(summary);
            }
        }
        for (n, (idle, loaded)) in self.memory.iter().enumerate().filter_map(|(n, it)| Some((n, (*it)?))) {
            let mib = |bytes: u64| bytes >> 20;
            let (idle, loaded) = (mib(idle), mib(loaded));
            let _infallible = writeln!(
                out,
                "resident memory of the six, {}: {idle} MiB idle, {loaded} MiB loaded",
                letter(n)
            );
        }
        for (n, statements) in self.statements.iter().enumerate().filter(|(_, all)| !all.is_empty()) {
            let _infallible = writeln!(out, "\nstatements of {} that took most of the time:", letter(n));
            for (database, calls, ms, text) in statements {
                let text: String = text.chars().take(160).collect();
                let _infallible = writeln!(out, "{ms:>9.0} ms {calls:>8} x  {database}: {text}");
            }
        }
        out
    }

    /// Everything, each round as it was.
    pub(super) fn to_json(&self) -> Value {
        let rows = self.summaries().into_iter().map(|it| it.to_json()).collect::<Vec<_>>();
        let memory =
            self.memory.iter().map(|it| it.map(|(idle, loaded)| json!({"idle": idle, "loaded": loaded})));
        json!({"systems": self.systems, "rows": rows, "resident_bytes": memory.collect::<Vec<_>>()})
    }
}

fn letter(system: usize) -> char {
    if system == 0 { 'A' } else { 'B' }
}

impl Summary<'_> {
    fn median(&self, value: impl Fn(&Round) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(|round| value(round)).collect();
        values.sort_unstable_by(f64::total_cmp);
        values[values.len() / 2]
    }

    fn rate(&self) -> f64 {
        self.median(|round| round.load.per_second())
    }

    /// Of all rounds, in milliseconds; none where no single request was timed.
    fn percentile(&self, percent: f64) -> Option<f64> {
        let mut all = Latencies::new();
        self.rounds.iter().for_each(|round| all.merge(&round.load.latencies));
        all.percentile_ms(percent)
    }

    /// The median of what was spent on a unit, if it is known.
    fn each(&self, spent: impl Fn(&Usage) -> Option<f64>) -> Option<f64> {
        self.rounds[0].usage.as_ref().and_then(&spent)?;
        let each = |round: &Round| round.usage.as_ref().and_then(&spent).unwrap_or_default();
        Some(self.median(|round| each(round) / float(round.load.units.max(1))))
    }

    fn cpu(&self) -> Option<f64> {
        self.each(|usage| Some(micros(usage.total_cpu())))
    }

    /// The servers that take part, the busiest first.
    fn cpu_of_each(&self) -> Vec<(&'static str, f64)> {
        let Some(usage) = &self.rounds[0].usage else { return Vec::new() };
        let of = |name: &'static str| {
            let spent = self.each(|usage| usage.cpu.get(name).map(|cpu| micros(*cpu)));
            (name, spent.unwrap_or_default())
        };
        let mut all: Vec<_> = usage.cpu.keys().map(|name| of(name)).collect();
        all.sort_unstable_by(|(_, a), (_, b)| b.total_cmp(a));
        let total: f64 = all.iter().map(|(_, cpu)| cpu).sum();
        all.retain(|(_, cpu)| *cpu > total * 0.01);
        all
    }

    fn line(&self) -> String {
        let parts = self.cpu_of_each().into_iter();
        let parts: Vec<_> =
            parts.map(|(name, cpu)| format!("{} {cpu:.0}", name.trim_end_matches("-service"))).collect();
        format!(
            "{:<56}{} {:>10.1}{}{}{}{}{}{}{}  {}\n",
            self.label,
            letter(self.system),
            self.rate(),
            cell(9, 2, self.percentile(50.0)),
            cell(9, 2, self.percentile(99.0)),
            cell(10, 0, self.cpu()),
            cell(9, 0, self.each(|usage| Some(float(usage.wal)))),
            cell(7, 1, self.each(|usage| Some(float(usage.transactions)))),
            cell(7, 1, self.each(|usage| usage.statements.map(float))),
            cell(7, 1, self.each(|usage| Some(float(usage.redis)))),
            parts.join(", ")
        )
    }

    fn ratio(&self, other: &Self) -> String {
        let of = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a / b);
        format!(
            "{:<56}{} {:>10.2}{}{}{}{}\n",
            "",
            '/',
            self.rate() / other.rate(),
            cell(9, 2, of(self.percentile(50.0), other.percentile(50.0))),
            cell(9, 2, of(self.percentile(99.0), other.percentile(99.0))),
            cell(10, 2, of(self.cpu(), other.cpu())),
            cell(
                9,
                2,
                of(self.each(|usage| Some(float(usage.wal))), other.each(|usage| Some(float(usage.wal))))
            ),
        )
    }

    fn to_json(&self) -> Value {
        let round = |round: &&Round| {
            json!({"units": round.load.units, "seconds": round.load.elapsed.as_secs_f64(),
                   "usage": round.usage.as_ref().map(Usage::to_json)})
        };
        json!({
            "label": self.label, "system": self.system, "per_second": self.rate(),
            "p50_ms": self.percentile(50.0), "p99_ms": self.percentile(99.0), "worst_ms": self.percentile(100.0),
            "cpu_us": self.cpu(), "rounds": self.rounds.iter().map(round).collect::<Vec<_>>(),
        })
    }
}

/// A number with so many decimals, or nothing.
fn cell(width: usize, decimals: usize, value: Option<f64>) -> String {
    value
        .filter(|value| value.is_finite())
        .map_or_else(|| format!("{:>width$}", "-"), |value| format!("{value:>width$.decimals$}"))
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000_000.0
}

#[allow(clippy::cast_precision_loss, reason = "a number for a person to read")]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(label: &str, ms: u64, cpu_ms: u64) -> Round {
        let mut latencies = Latencies::new();
        (1..=100).for_each(|n| latencies.record(Duration::from_millis(n)));
        let load = Load { units: 100, latencies, elapsed: Duration::from_millis(ms) };
        let cpu =
            [("order-service", Duration::from_millis(cpu_ms)), ("midtrans-sandbox", Duration::from_secs(9))];
        let usage = Usage { cpu: cpu.into(), wal: 800, ..Usage::default() };
        Round { label: label.to_owned(), load, usage: Some(usage) }
    }

    #[test]
    fn rows_are_medians_of_their_rounds_and_compare_two_systems() {
        let rounds = [(0, 200, 4), (1, 400, 8), (0, 900, 5), (1, 400, 9), (0, 250, 300), (1, 500, 9)];
        let rounds = rounds.map(|(system, ms, cpu)| (system, round("orders", ms, cpu)));
        let memory = vec![None, Some((90 << 20, 120 << 20))];
        let report = Report {
            systems: vec!["new".into(), "old".into()],
            rounds: rounds.into(),
            memory,
            statements: Vec::new(),
        };
        let table = report.table();
        let lines: Vec<Vec<&str>> =
            table.lines().skip(4).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0][..7], ["orders", "A", "400.0", "50.01", "99.01", "50", "8"], "{table}");
        assert_eq!(lines[1][..6], ["orders", "B", "250.0", "50.01", "99.01", "90"], "{table}");
        assert_eq!(lines[2], ["/", "1.60", "1.00", "1.00", "0.56", "1.00"], "{table}");
        assert!(table.ends_with("B: 90 MiB idle, 120 MiB loaded\n"), "{table}");
        assert_eq!(report.to_json()["rows"][1]["per_second"], 250.0);
    }
}
