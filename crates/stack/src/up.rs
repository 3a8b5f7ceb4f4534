//! `stack up`: the shop for a person at a terminal, and `stack clean`: its data removed.

mod supervisor;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use tokio::time::Instant;

use crate::settings::Settings;
use crate::shop::{Service, Shop, ShopOptions, ports};
use crate::signals::Signals;
use crate::up::supervisor::Supervisor;
use crate::{Error, Result, root};
use dev_servers::folder;
use dev_servers::identity::Identity;

const GRACE: Duration = Duration::from_secs(12);
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The folder of the shop's data, if the person names none: in the project, or where there is none, right here.
pub fn default_data() -> PathBuf {
    root::find().unwrap_or_default().join(".data")
}

/// Runs the shop until it is asked to end.
pub async fn run(data: PathBuf) -> Result<()> {
    let mut signals = Signals::listen()?;
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let lock = Lock::take(&data)?;
    stop_leftovers(&data).await?;
    let settings = ports::settle(Settings::load(&root::find()?)?)?;
    ports::keep(&settings, &data)?;
    rotate_logs(&data);
    let began = Instant::now();
    println!("Starting the shop. Data and logs: {}", data.display());
    if settings.get("STACK_PORT_BASE") != ports::USUAL_BASE.to_string() {
        println!("Its ports begin at {}.", settings.get("STACK_PORT_BASE"));
    }
    let options = ShopOptions::for_person(data, settings)?;
    let progress = |reached: &str| println!("  {:>5.1} s  {reached}", began.elapsed().as_secs_f64());
    let mut shop = tokio::select! {
        started = Shop::start(options, progress) => started?,
        () = signals.asked_to_end() => return Ok(()),
    };
    welcome(&shop, began.elapsed());
    let result = supervise(&mut shop, &mut signals).await;
    println!("\nStopping.");
    let stopped = shop.stop().await;
    drop(lock);
    result.and(stopped)
}

/// Keeps the shop running until it is asked to end.
async fn supervise(shop: &mut Shop, signals: &mut Signals) -> Result<()> {
    let mut supervisor = Supervisor::default();
    loop {
        tokio::select! {
            () = signals.asked_to_end() => break,
            () = tokio::time::sleep(CHECK_INTERVAL) => supervisor.look(shop).await?,
        }
    }
    match supervisor.given_up().as_slice() {
        [] => Ok(()),
        names => Err(Error::other(format!("the shop went on without {}, as said above", names.join(", ")))),
    }
}

fn welcome(shop: &Shop, took: Duration) {
    let url = shop.public_url();
    let settings = shop.settings();
    println!("\nThe shop is healthy after {:.1} s.\n", took.as_secs_f64());
    println!("  Shop             {url}");
    println!("  API              {url}/api/v1/products");
    for service in Service::SERVICES {
        let name = service.name().trim_end_matches("-service");
        println!("  {:<16} {url}/{name}-docs/index.html", format!("{name} API"));
    }
    println!("  Health           {url}/health");
    if settings.get("MIDTRANS_ENVIRONMENT") == "local" {
        println!("  Midtrans         {url}/midtrans/sandbox/transactions");
    }
    if settings.get("MAILBOX") == "on" {
        println!("  Mails            {url}/mail/");
    }
    println!("\n  Administrator    {} / {}", settings.get("ADMIN_EMAIL"), settings.get("ADMIN_PASSWORD"));
    println!("  Customers        register themselves: POST {url}/api/v1/register");
    println!("\nIn a second terminal, `make demo` buys something. Ctrl-C stops everything.");
}

/// Removes all data of a shop that does not run.
pub async fn clean(data: &Path) -> Result<()> {
    if !data.exists() {
        println!("There is no data at {}.", data.display());
        return Ok(());
    }
    reset(data).await?;
    println!("Removed {}.", data.display());
    Ok(())
}

/// Stops what a killed run left on this folder, and removes it.
///
/// # Errors
/// If a shop runs on it.
pub(crate) async fn reset(data: &Path) -> Result<()> {
    let _lock = Lock::take(data)?;
    stop_leftovers(data).await?;
    folder::remove(data, "postgres")?;
    std::fs::remove_dir_all(data).map_err(Error::io(format!("remove {}", data.display())))
}

/// Held while a shop runs on a folder; the system lets go of it even when this process is killed.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: Flock<std::fs::File>,
}

impl Lock {
    pub(crate) fn take(data: &Path) -> Result<Self> {
        folder::create(data)?;
        folder::create(&data.join("run"))?;
        let path = data.join("run/lock");
        let opened = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(Error::io(format!("open {}", path.display())))?;
        let Ok(mut file) = Flock::lock(file, FlockArg::LockExclusiveNonblock) else {
            let holder = std::fs::read_to_string(&path).unwrap_or_default();
            return Err(Error::other(format!(
                "the shop runs already on {} (process {}). Stop it with Ctrl-C in its terminal, or: kill {}",
                data.display(),
                holder.trim(),
                holder.trim()
            )));
        };
        let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(Error::io(format!("write {}", path.display())))?;
        Ok(Self { _file: file })
    }
}

/// Stops what a killed run left behind: only processes whose identity it wrote down, and which still are the same.
async fn stop_leftovers(data: &Path) -> Result<()> {
    let run = data.join("run");
    let entries = std::fs::read_dir(&run).map_err(Error::io(format!("read {}", run.display())))?;
    let files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pid"))
        .collect();
    let stops = files.iter().map(async |file| {
        if let Some(left) = Identity::read(file).filter(Identity::is_alive) {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            println!("Stopping {name} (process {}), which an earlier run left behind.", left.pid);
            let is_postgres = name == "postgres";
            left.stop(if is_postgres { Signal::SIGINT } else { Signal::SIGTERM }, GRACE).await;
        }
        drop(std::fs::remove_file(file));
    });
    futures::future::join_all(stops).await;
    Ok(())
}

/// Each run has a log of its own; the one before is kept.
fn rotate_logs(data: &Path) {
    let Ok(entries) = std::fs::read_dir(data.join("logs")) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.extension().is_some_and(|extension| extension == "log") {
            drop(std::fs::rename(&path, path.with_extension("log.previous")));
        }
    }
}
