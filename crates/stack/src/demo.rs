//! `stack demo`: journeys of customers through the gateway, one line for each step with its duration.

mod journeys;
mod latency;
mod mails;
mod reporter;

use crate::actors::{Admin, Bank};
use crate::api::Api;
use crate::settings::Settings;
use crate::{Result, ledger};

use self::reporter::Reporter;

struct Fixtures {
    api: Api,
    admin: Admin,
    bank: Bank,
}

/// Plays all journeys against the shop behind `url` and checks its books. False if anything did not hold.
pub async fn run(url: &str, orders: usize, settings: &Settings) -> Result<bool> {
    let api = Api::new(url)?;
    api.get("/health", None).await?.expect(200)?;
    let admin = Admin::log_in(&api, settings.get("ADMIN_EMAIL"), settings.get("ADMIN_PASSWORD")).await?;
    let fixtures = Fixtures { bank: Bank::of(&api), api, admin };
    let reporter = Reporter::default();
    reporter.end(journeys::happy(&reporter, &fixtures).await);
    reporter.end(journeys::denied(&reporter, &fixtures).await);
    reporter.end(journeys::expired(&reporter, &fixtures).await);
    reporter.end(journeys::sold_out(&reporter, &fixtures).await);
    reporter.end(journeys::cancelled(&reporter, &fixtures).await);
    reporter.end(journeys::undeliverable(&reporter, &fixtures).await);
    reporter.end(latency::measure(&reporter, &fixtures, orders).await);
    println!("\nThe books");
    let balanced = ledger::check_and_print(url, settings).await?;
    Ok(reporter.conclude(balanced))
}
