//! `stack chaos --failpoints`: every service dies at each of its failpoints, during orders, and is started again; then the
//! question whether anything was lost.
//!
//! Nobody lists the points. A process dies wherever it passes one that it has not died at yet in this round, and the source
//! says which ones there must be at least.

mod source;
mod visits;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::lost_orders;
use super::record::Record;
use super::traffic::Traffic;
use crate::api::Api;
use crate::ledger::{Finding, Ledger};
use crate::shop::{Service, Shop, ShopOptions};
use crate::signals::Signals;
use crate::up::{Lock, reset};
use crate::{Error, Result, root};

/// A round is over when nobody has died for so long and every point of the source was passed, or for [`GIVES_UP`].
const QUIET: Duration = Duration::from_secs(5);
const GIVES_UP: Duration = Duration::from_secs(25);
const LOOK: Duration = Duration::from_millis(50);

/// How often each service dies at each point, and beside how many purchases.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often each service dies at each point.
    pub times: u32,
    /// Purchases that begin per second.
    pub rate: f64,
    /// However often somebody dies, a round takes no longer.
    pub longest: Duration,
    /// Where the shop keeps its data meanwhile.
    pub data: PathBuf,
}

/// A program and one of its failpoints.
pub type Point = (Service, String);

/// What was shown.
#[derive(Debug)]
pub struct Report {
    /// How often each service died at each point.
    pub deaths: BTreeMap<Point, u32>,
    /// Points that the source has and nobody died at.
    pub missed: Vec<String>,
    /// Orders that were answered 201, and how many of them are lost.
    pub orders: (usize, Vec<i64>),
    /// The ledger.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing was lost, and nothing left out.
    pub fn succeeded(&self) -> bool {
        self.missed.is_empty() && self.is_lossless()
    }

    /// Whether nothing was lost.
    pub fn is_lossless(&self) -> bool {
        self.orders.1.is_empty() && self.findings.iter().all(Finding::holds)
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for service in Service::SERVICES {
            let of_service = self.deaths.iter().filter(|((died, _), _)| *died == service);
            let (points, deaths) = of_service.fold((0, 0), |(points, all), (_, n)| (points + 1, all + n));
            let _ = writeln!(text, "  {deaths:>5} deaths at {points:>3} failpoints of {}", service.name());
        }
        for missed in &self.missed {
            let _ = writeln!(text, "  MISSED  nobody died {missed}");
        }
        let (orders, lost) = &self.orders;
        text + &format!("  {} of {orders} orders that were answered 201 are lost (0)\n", lost.len())
    }
}

/// Runs it and prints what was shown. True if nothing was lost.
///
/// # Errors
/// If these programs have no failpoints, or the shop does not start.
pub async fn run(options: &Options) -> Result<bool> {
    if !cfg!(debug_assertions) {
        return Err(Error::other("a release build has no failpoints: `make failpoints` runs a debug build"));
    }
    let mut signals = Signals::listen()?;
    println!("Data and logs: {}", options.data.display());
    let report = tokio::select! {
        report = play(options) => report?,
        () = signals.asked_to_end() => return Err(Error::other("it was interrupted; nothing is known")),
    };
    print!("{}", report.text());
    report.findings.iter().for_each(Finding::print);
    if report.succeeded() {
        reset(&options.data).await?;
    } else {
        println!("The logs are kept in {}/logs.", options.data.display());
    }
    Ok(report.succeeded())
}

/// Runs it and returns what was shown.
///
/// # Errors
/// If the shop does not start.
pub async fn play(options: &Options) -> Result<Report> {
    reset(&options.data).await?;
    let _lock = Lock::take(&options.data)?;
    let folder = options.data.join("failpoints");
    let mut shop = Shop::start(shop(&options.data, &folder)?, |_| {}).await?;
    let (api, record) = (Api::new(shop.base_url())?, Record::new());
    let (ledger, settings) = (Ledger::of_shop(&shop).await?, shop.settings().clone());
    let traffic = Traffic::prepare(&api, &settings, &record).await?;
    let (end, over) = watch::channel(false);
    let kills = async {
        let deaths = rounds(&folder, options).await;
        end.send_replace(true);
        deaths
    };
    let everything = async {
        let buying = traffic.run(options.rate, over.clone());
        let (deaths, (), ()) = tokio::join!(kills, buying, traffic.visits(over));
        println!("Everybody has died; the shop settles by itself.");
        Ok::<_, Error>((deaths?, ledger.settled().await?))
    };
    let (deaths, findings) = tokio::select! {
        shown = everything => shown,
        error = supervise(&mut shop) => Err(error),
    }?;
    let lost = lost_orders(&ledger, &record).await?;
    shop.stop().await?;
    let points: Vec<Point> = deaths.keys().cloned().collect();
    let missed = missed(&source::points(&root::find()?)?, &points);
    Ok(Report { deaths, missed, orders: (record.orders().len(), lost), findings })
}

/// A PostgreSQL without passwords: whoever dies every second connects every second, and a debug build takes half a second of
/// processor time for a password.
fn shop(data: &Path, failpoints: &Path) -> Result<ShopOptions> {
    let mut options = ShopOptions::for_test(None)?;
    data.clone_into(&mut options.data);
    options.settings = options
        .settings
        .without_limits()
        .with("PAYMENT_EXPIRY_SECONDS", "900")
        .with("FAILPOINTS", failpoints.display().to_string());
    Ok(options)
}

/// Starts again whatever dies. Ends only if that fails.
async fn supervise(shop: &mut Shop) -> Error {
    loop {
        for process in shop.watched() {
            if process.exited().is_some()
                && let Err(error) = process.restart().await
            {
                return error;
            }
        }
        sleep(LOOK).await;
    }
}

/// Has every service die at each point, so many times; then nobody dies any more.
async fn rounds(folder: &Path, options: &Options) -> Result<BTreeMap<Point, u32>> {
    let mut deaths = BTreeMap::new();
    for round in 1..=options.times {
        arm(folder)?;
        let began = Instant::now();
        await_deaths(folder, options.longest).await?;
        let died = disarm(folder)?;
        println!("Round {round}: {} deaths within {:.0} s", died.len(), began.elapsed().as_secs_f64());
        for point in died {
            *deaths.entry(point).or_default() += 1;
        }
    }
    Ok(deaths)
}

/// From now on programs die.
fn arm(folder: &Path) -> Result<()> {
    let empty = |service: Service| std::fs::write(folder.join(service.name()), "");
    let armed =
        std::fs::create_dir_all(folder).and_then(|()| Service::SERVICES.into_iter().try_for_each(empty));
    armed.map_err(Error::io(format!("write to {}", folder.display())))
}

/// From now on none does. Returns where they have died.
fn disarm(folder: &Path) -> Result<Vec<Point>> {
    let done = folder.with_extension("done");
    std::fs::rename(folder, &done).map_err(Error::io(format!("rename {}", folder.display())))?;
    let died = died(&done)?;
    std::fs::remove_dir_all(&done).map_err(Error::io(format!("remove {}", done.display())))?;
    Ok(died)
}

fn died(folder: &Path) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    for service in Service::SERVICES {
        let file = folder.join(service.name());
        let text = std::fs::read_to_string(&file).map_err(Error::io(format!("read {}", file.display())))?;
        points.extend(text.lines().map(|point| (service, point.to_owned())));
    }
    Ok(points)
}

/// Waits until there is nothing left to die at.
async fn await_deaths(folder: &Path, longest: Duration) -> Result<()> {
    let (expected, began) = (source::points(&root::find()?)?, Instant::now());
    let (mut known, mut last) = (Vec::new(), began);
    while began.elapsed() < longest {
        sleep(LOOK).await;
        let points = died(folder)?;
        if points.len() > known.len() {
            (known, last) = (points, Instant::now());
        }
        let quiet = if missed(&expected, &known).is_empty() { QUIET } else { GIVES_UP };
        if last.elapsed() > quiet {
            break;
        }
    }
    Ok(())
}

/// The beginnings of names at which no name of these begins.
fn missed(expected: &[String], died: &[Point]) -> Vec<String> {
    let nobody = |point: &&String| !died.iter().any(|(_, died)| died.starts_with(point.as_str()));
    expected.iter().filter(nobody).cloned().collect()
}
