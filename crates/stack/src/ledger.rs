//! What must hold after any run, once things have settled: the rules L1 to L7, checked where the truth is, in the five
//! databases, in Redis and at the local Midtrans.

mod messages;
mod money;
mod orders;
pub(crate) mod sources;
mod stock;

use std::time::Duration;

use tokio::time::Instant;

pub use self::sources::Ledger;

use crate::Result;
use crate::settings::Settings;

const SETTLES_WITHIN: Duration = Duration::from_secs(100);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// More would not help a reader.
const SHOWN: usize = 10;

/// What a rule found when it was checked.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The name of the rule, `L1` to `L7`.
    pub rule: &'static str,
    /// What must hold, in a sentence for people.
    pub what: &'static str,
    /// Each place where it does not hold, with the numbers.
    pub broken: Vec<String>,
    /// What a person has to see to, although the rule holds.
    pub remarks: Vec<String>,
}

impl Finding {
    fn new(rule: &'static str, what: &'static str, broken: Vec<String>) -> Self {
        Self { rule, what, broken, remarks: Vec::new() }
    }

    fn with_remarks(mut self, remarks: Vec<String>) -> Self {
        self.remarks = remarks;
        self
    }

    /// Whether the rule holds everywhere.
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }

    fn print(&self) {
        let result = if self.holds() { "ok    " } else { "BROKEN" };
        println!("  {result}  {}  {}", self.rule, self.what);
        for line in self.broken.iter().take(SHOWN) {
            println!("              {line}");
        }
        if self.broken.len() > SHOWN {
            println!("              and {} more", self.broken.len() - SHOWN);
        }
        for line in self.remarks.iter().take(SHOWN) {
            println!("              to see to: {line}");
        }
    }
}

impl Ledger {
    /// Checks every rule once, also while orders are in flight, which break some.
    pub async fn check(&self) -> Result<Vec<Finding>> {
        Ok(vec![
            self.every_answered_order_exists_once().await?,
            self.stock_adds_up().await?,
            self.no_order_is_stuck().await?,
            self.money_adds_up().await?,
            self.paid_orders_have_one_delivery().await?,
            self.nothing_is_in_flight().await?,
            self.no_state_went_backwards().await?,
        ])
    }

    /// Checks until every rule holds, or for a while: what is in flight breaks some.
    pub async fn settled(&self) -> Result<Vec<Finding>> {
        let deadline = Instant::now() + SETTLES_WITHIN;
        loop {
            let findings = self.check().await?;
            if findings.iter().all(Finding::holds) || Instant::now() > deadline {
                return Ok(findings);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// Checks the books of the local shop and prints what was found. True if all rules hold.
pub async fn check_and_print(url: &str, settings: &Settings) -> Result<bool> {
    let ledger = Ledger::of_settings(url, settings).await?;
    let findings = ledger.settled().await?;
    findings.iter().for_each(Finding::print);
    Ok(findings.iter().all(Finding::holds))
}
