//! `stack chaos`: real programs under steady traffic, faults at random from a seed, and then the question whether anything
//! was lost. Nobody helps the shop to recover.

pub mod failpoints;
mod inject;
mod journeys;
mod record;
mod report;
mod schedule;
mod traffic;

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use self::inject::Injector;
use self::record::{Record, Window};
pub use self::report::Report;
pub use self::schedule::{Fault, Kind, Planned, Schedule};
use self::traffic::Traffic;
use crate::api::Api;
use crate::ledger::{Finding, Ledger};
use crate::settings::Settings;
use crate::shop::{Ports, Service, ShopOptions};
use crate::signals::Signals;
use crate::up::{Lock, reset};
use crate::{Error, Result, root};

/// What to do to the shop, and for how long.
#[derive(Debug, Clone)]
pub struct Options {
    /// For how long faults come.
    pub duration: Duration,
    /// Which kinds; none are all.
    pub faults: Vec<Kind>,
    /// Chooses the faults and their times.
    pub seed: u64,
    /// Purchases that begin per second.
    pub rate: f64,
    /// Where the page with the report is written.
    pub page: Option<PathBuf>,
    /// Where the shop keeps its data meanwhile.
    pub data: PathBuf,
}

/// Runs it and prints what was shown. True if every aim was reached.
///
/// # Errors
/// If the shop does not start, or a fault cannot be made or taken back.
pub async fn run(options: &Options) -> Result<bool> {
    let mut signals = Signals::listen()?;
    println!("Seed {}. Data and logs: {}", options.seed, options.data.display());
    let report = tokio::select! {
        report = play(options) => report?,
        () = signals.asked_to_end() => return Err(Error::other("chaos was interrupted; nothing is known")),
    };
    print!("{}", report.text());
    report.findings.iter().for_each(Finding::print);
    if let Some(page) = &options.page {
        write(page, &report.page())?;
        println!("Time line: {}", page.display());
    }
    if report.succeeded() {
        reset(&options.data).await?;
    } else {
        println!("The logs are kept in {}/logs.", options.data.display());
    }
    Ok(report.succeeded())
}

fn write(page: &Path, text: &str) -> Result<()> {
    let folder = page.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder.and_then(|()| std::fs::write(page, text)).map_err(Error::io(format!("write {}", page.display())))
}

fn shop(data: &Path) -> Result<ShopOptions> {
    let settings = Settings::default().without_limits().with("PAYMENT_EXPIRY_SECONDS", "120");
    let mut options = ShopOptions::for_person(data.to_owned(), settings)?;
    options.ports = Ports::free()?;
    options.gateway = root::find()?.join("nginx");
    Ok(options)
}

/// Runs it and returns what was shown.
///
/// # Errors
/// If the shop does not start, or a fault cannot be made or taken back.
pub async fn play(options: &Options) -> Result<Report> {
    reset(&options.data).await?;
    let _lock = Lock::take(&options.data)?;
    let mut injector = Injector::start(shop(&options.data)?, |_| {}).await?;
    let api = Api::new(injector.shop().base_url())?;
    let record = Record::new();
    let traffic = Traffic::prepare(&api, injector.shop().settings(), &record).await?;
    let (end, over) = watch::channel(false);
    let began = Instant::now();
    let faults = async {
        let played = break_things(&mut injector, options, &traffic, &record).await;
        end.send_replace(true);
        played.map(|()| began.elapsed())
    };
    let (took, ()) = tokio::join!(faults, traffic.run(options.rate, over));
    let (took, quiet) = (took?, Instant::now());
    println!("Faults and traffic are over; the shop settles by itself.");
    let ledger = Ledger::of_shop(injector.shop()).await?;
    let findings = ledger.settled().await?;
    let lost = lost_orders(&ledger, &record).await?;
    let settled = quiet.elapsed();
    injector.stop().await?;
    Ok(Report { seed: options.seed, took, summary: record.summary(), findings, lost, settled })
}

async fn break_things(
    injector: &mut Injector,
    options: &Options,
    traffic: &Traffic<'_>,
    record: &Record,
) -> Result<()> {
    let began = Instant::now();
    for Planned { fault, lasts, calm } in Schedule::of(options.seed, &options.faults) {
        sleep(calm).await;
        if began.elapsed() > options.duration {
            break;
        }
        println!("{:>6.1} s  {fault}, for {:.1} s", began.elapsed().as_secs_f64(), lasts.as_secs_f64());
        let start = Instant::now();
        injector.begin(fault).await?;
        sleep(lasts).await;
        injector.end(fault).await?;
        let lifted = Instant::now();
        let works = traffic.probe().await.is_some();
        let recovered = Instant::now();
        let how = if works { "an order goes through again" } else { "NO ORDER GOES THROUGH" };
        println!("          {how} after {:.1} s", (recovered - lifted).as_secs_f64());
        record.window(Window { fault, began: start, lifted, recovered });
    }
    Ok(())
}

/// Orders that were answered 201 and are not in order-service's database with their buyer.
async fn lost_orders(ledger: &Ledger, record: &Record) -> Result<Vec<i64>> {
    let query = "SELECT id, user_id FROM orders";
    let known: Vec<(i64, i64)> = ledger.rows(Service::Order, query).await?;
    let known: std::collections::BTreeMap<i64, i64> = known.into_iter().collect();
    let answered = record.orders();
    Ok(answered.into_iter().filter(|(id, buyer)| known.get(id) != Some(buyer)).map(|(id, _)| id).collect())
}
