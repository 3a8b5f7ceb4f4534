//! `stack demo`: what the shop does, shown from outside: one line for each step, with what it shows and how long it took.

mod journeys;
mod latency;
mod teller;

use crate::api::Api;
use crate::people::{Admin, Bank};
use crate::settings::Settings;
use crate::{Result, ledger};

use self::teller::Teller;

/// Everybody who takes part.
struct Cast {
    api: Api,
    admin: Admin,
    bank: Bank,
}

/// Plays all journeys against the shop behind `url` and checks its books. False if anything did not hold.
pub async fn run(url: &str, orders: usize, settings: &Settings) -> Result<bool> {
    let api = Api::new(url)?;
    api.get("/health", None).await?.expect(200)?;
    let admin = Admin::arrive(&api, settings.get("ADMIN_EMAIL"), settings.get("ADMIN_PASSWORD")).await?;
    let cast = Cast { bank: Bank::of(&api), api, admin };
    let teller = Teller::default();
    teller.end(journeys::happy(&teller, &cast).await);
    teller.end(journeys::denied(&teller, &cast).await);
    teller.end(journeys::expired(&teller, &cast).await);
    teller.end(journeys::sold_out(&teller, &cast).await);
    teller.end(journeys::cancelled(&teller, &cast).await);
    teller.end(journeys::undeliverable(&teller, &cast).await);
    teller.end(latency::measure(&teller, &cast, orders).await);
    println!("\nThe books");
    let balanced = ledger::check_and_print(url, settings).await?;
    Ok(teller.conclude(balanced))
}
