//! What must hold after any run, once things have settled: the rules L1 to L7, checked where the truth is, in the five
//! databases, in Redis and at the local Midtrans.

mod deliveries;
mod discrepancy;
mod events;
mod history;
mod jobs;
mod messages;
mod midtrans;
mod money;
mod orders;
mod repair;
pub(crate) mod sources;
mod stock;
mod views;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

pub use self::discrepancy::{Advice, Discrepancy};
pub(crate) use self::messages::time_of;
pub use self::repair::Repair;
pub use self::sources::{Access, Ledger};

use crate::Result;
use crate::settings::Settings;

const SETTLES_WITHIN: Duration = Duration::from_secs(100);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
const LOOK_AGAIN_BESIDE_TRAFFIC: Duration = Duration::from_secs(2);
/// More would not help a reader.
const SHOWN: usize = 10;

/// What a rule found when it was checked.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The name of the rule, `L1` to `L7`.
    pub rule: &'static str,
    /// What must hold, in a sentence for people.
    pub what: &'static str,
    /// Each place where it does not hold, with the numbers.
    pub broken: Vec<Discrepancy>,
    /// What a person has to see to, although the rule holds.
    pub remarks: Vec<Discrepancy>,
}

impl Finding {
    fn new(rule: &'static str, what: &'static str, broken: Vec<Discrepancy>) -> Self {
        Self { rule, what, broken, remarks: Vec::new() }
    }

    fn with_remarks(mut self, remarks: Vec<Discrepancy>) -> Self {
        self.remarks = remarks;
        self
    }

    /// Whether the rule holds everywhere.
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }

    /// What is broken, in words.
    pub fn words(&self) -> Vec<&str> {
        self.broken.iter().map(|broken| broken.what.as_str()).collect()
    }

    /// Prints it for a person: what holds in one line, and what does not with its likely cause and what to do.
    pub fn print(&self) {
        let result = if self.holds() { "ok    " } else { "BROKEN" };
        println!("  {result}  {}  {}", self.rule, self.what);
        print_by_advice(&self.broken, "");
        print_by_advice(&self.remarks, "to see to: ");
    }
}

fn print_by_advice(discrepancies: &[Discrepancy], prefix: &str) {
    let advices: BTreeSet<Advice> = discrepancies.iter().map(|it| it.advice).collect();
    for advice in advices {
        let lines: Vec<&Discrepancy> = discrepancies.iter().filter(|it| it.advice == advice).collect();
        for line in lines.iter().take(SHOWN) {
            println!("              {prefix}{line}");
        }
        if lines.len() > SHOWN {
            println!("              and {} more", lines.len() - SHOWN);
        }
        println!("                likely cause: {}", advice.cause);
        println!("                what to do:   {}", advice.remedy);
    }
}

impl Ledger {
    /// Checks every rule once, also while orders are in flight, which break some.
    pub async fn check(&self) -> Result<Vec<Finding>> {
        let views = self.views().await?;
        Ok(vec![
            self.every_answered_order_exists_once().await?,
            self.stock_adds_up(&views).await?,
            self.no_order_is_stuck().await?,
            self.money_adds_up(&views).await?,
            deliveries::paid_orders_have_one_delivery(&views),
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

    /// What stays broken for all of a grace period, beside traffic that goes on: an event that is in flight breaks
    /// something for a moment, and the next event something else.
    pub async fn persisting(&self, grace: Duration) -> Result<Vec<Finding>> {
        let deadline = Instant::now() + grace;
        let mut findings = self.check().await?;
        while !findings.iter().all(Finding::holds) && Instant::now() < deadline {
            tokio::time::sleep(LOOK_AGAIN_BESIDE_TRAFFIC).await;
            let now = self.check().await?;
            for (finding, now) in findings.iter_mut().zip(&now) {
                finding.broken.retain(|old| now.broken.iter().any(|new| new.what == old.what));
            }
        }
        Ok(findings)
    }
}

/// Checks the books of the local shop and prints what was found. True if all rules hold.
pub async fn check_and_print(url: &str, settings: &Settings) -> Result<bool> {
    let ledger = Ledger::of_settings(url, settings, Access::Read).await?;
    let findings = ledger.settled().await?;
    findings.iter().for_each(Finding::print);
    Ok(findings.iter().all(Finding::holds))
}
