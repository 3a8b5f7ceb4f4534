//! Prints the steps while they happen.

use std::cell::Cell;

use tokio::time::Instant;

use crate::Result;

const WIDTH: usize = 96;

/// Prints steps and counts the journeys that failed.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    failures: Cell<usize>,
}

impl Reporter {
    /// Prints the title of a journey.
    pub(super) fn begin(title: &str) {
        println!("\n{title}");
    }

    /// Runs one step and prints its text with the duration. The step returns its result and that text.
    pub(super) async fn step<T>(&self, step: impl Future<Output = Result<(T, String)>>) -> Result<T> {
        let began = Instant::now();
        let (result, words) = step.await?;
        let took = began.elapsed();
        println!("  ok  {words:<WIDTH$} {:>7.0} ms", took.as_secs_f64() * 1000.0);
        Ok(result)
    }

    pub(super) fn end(&self, result: Result<()>) {
        if let Err(error) = result {
            println!("  FAILED  {error}");
            self.failures.set(self.failures.get() + 1);
        }
    }

    /// Prints the summary; true if every journey succeeded and the books balance.
    pub(super) fn conclude(&self, balanced: bool) -> bool {
        let failures = self.failures.get();
        println!();
        match (failures, balanced) {
            (0, true) => println!("Every step went as it should, and the books balance."),
            (0, false) => println!("Every step went as it should, but the books do not balance."),
            (_, true) => println!("{failures} journeys FAILED; the books balance."),
            (_, false) => println!("{failures} journeys FAILED, and the books do not balance."),
        }
        failures == 0 && balanced
    }
}
