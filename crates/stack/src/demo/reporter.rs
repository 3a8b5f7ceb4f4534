//! Prints the story while it happens.

use std::cell::Cell;

use tokio::time::Instant;

use crate::Result;

const WIDTH: usize = 96;

/// Prints steps and remembers what failed.
#[derive(Debug, Default)]
pub(super) struct Teller {
    failures: Cell<usize>,
}

impl Teller {
    /// Begins a chapter.
    pub(super) fn begin(title: &str) {
        println!("\n{title}");
    }

    /// Does one step and prints what it shows. The step returns its result, and the words for it.
    pub(super) async fn step<T>(&self, step: impl Future<Output = Result<(T, String)>>) -> Result<T> {
        let began = Instant::now();
        let (result, words) = step.await?;
        let took = began.elapsed();
        println!("  ok  {words:<WIDTH$} {:>7.0} ms", took.as_secs_f64() * 1000.0);
        Ok(result)
    }

    /// Ends a chapter.
    pub(super) fn end(&self, result: Result<()>) {
        if let Err(error) = result {
            println!("  FAILED  {error}");
            self.failures.set(self.failures.get() + 1);
        }
    }

    /// Says how it went; true if all of it did.
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
