//! The local runner: `stack --help` lists what it does.

mod arguments;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use stack::backup::Restoration;
use stack::hosts::Hosts;
use stack::replay::Selection;
use stack::settings::Settings;
use stack::shop::{Service, ports};

use crate::arguments::{Bench, Chaos, Examination};

/// Runs the whole shop on this machine: six services, nginx, PostgreSQL, Redis and a local Midtrans.
///
/// Settings come from the environment, then from .env in the project, then from defaults that suit a laptop.
#[derive(Debug, Parser)]
#[command(name = "stack", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the shop and keep it running until Ctrl-C. Its data survives.
    Up {
        #[command(flatten)]
        folder: Folder,
    },
    /// Buy things in the running shop, in every way that can end, and check its books.
    Demo {
        #[command(flatten)]
        place: Place,
        /// Orders that are timed at the end.
        #[arg(long, default_value_t = 50)]
        orders: usize,
    },
    /// Measure what this build of the shop can do and what it spends on it, on a temporary shop.
    Bench(Bench),
    /// Break a temporary shop in every way under steady traffic, and check that nothing was lost.
    ///
    /// Faults come one after the other, in an order that the seed decides; after each one the shop has to recover by itself. Then
    /// traffic ends, the shop settles, and the ledger is checked. Exit code: 0 if every aim was reached.
    Chaos(Chaos),
    /// Write every database of the running shop to a folder, with a manifest. Redis needs no backup.
    Backup {
        #[command(flatten)]
        folder: Folder,
        /// A folder that is empty, or not there yet.
        to: PathBuf,
    },
    /// Bring databases back to what a backup has, while the services do not run. The events in Redis are emptied: the outboxes
    /// send them again. Afterwards ask the doctor: databases of different moments disagree until the shop has settled.
    Restore {
        #[command(flatten)]
        folder: Folder,
        /// Removes what the databases have now.
        #[arg(long)]
        replace: bool,
        /// The folder of the backup.
        from: PathBuf,
        /// Such as `order-service` [default: all that the backup has]
        services: Vec<String>,
    },
    /// Check processes, health and books of the running shop, and say what to do.
    ///
    /// It compares what each service says of each order with what the others say, and only reads. In production set
    /// `STACK_HOSTS=given`, `STACK_GATEWAY_URL`, `STACK_REDIS_URL` and `STACK_{USER,PRODUCT,ORDER,PAYMENT,DELIVERY}_DB_URL`; a role
    /// that may only read is enough. With `MIDTRANS_ENVIRONMENT` and `MIDTRANS_SERVER_KEY` it asks Midtrans about the newest
    /// payments. Exit code: 0 all is well, 1 something is wrong, 2 it could not look.
    Doctor {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        how: Examination,
    },
    /// List open dead letters: group, error, tries and correlation id of each; those that are named with their event.
    Letters {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        which: Which,
        /// Print them as JSON, with their events.
        #[arg(long)]
        json: bool,
    },
    /// Put dead letters back onto their streams, once the cause is fixed: all of them, or those that are named. Every group
    /// reads the event again; those that have handled it skip it.
    Replay {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        which: Which,
    },
    /// Close dead letters whose events are no longer needed, and keep why.
    Discard {
        #[command(flatten)]
        folder: Folder,
        /// Why the events are not needed, up to 255 characters.
        #[arg(long)]
        reason: String,
        /// Only those of this group.
        #[arg(long)]
        group: Option<String>,
        /// Such as `product-service/17`.
        #[arg(required = true)]
        letters: Vec<String>,
    },
    /// Remove the data of a shop that does not run.
    Clean {
        #[command(flatten)]
        folder: Folder,
    },
    /// Run a command with a temporary PostgreSQL, whose address it finds in `TEST_POSTGRES_URL`.
    Databases {
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Run a command with a temporary shop on free ports, whose address it finds in `SHOP_URL`. It limits nobody, and
    /// payments expire soon.
    WithShop {
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

/// Which dead letters are meant.
#[derive(Debug, Args)]
struct Which {
    /// Only those of this group, such as `product-group`.
    #[arg(long)]
    group: Option<String>,
    /// By name, such as `product-service/17` [default: all that are open]
    letters: Vec<String>,
}

impl From<Which> for Selection {
    fn from(which: Which) -> Self {
        Self { names: which.letters, group: which.group }
    }
}

/// The files of a shop.
#[derive(Debug, Args)]
struct Folder {
    /// Where its data and logs are kept [default: .data in the project]
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Folder {
    fn data(&self) -> stack::Result<PathBuf> {
        self.data.as_deref().map_or_else(|| Ok(stack::up::default_data()), absolute)
    }
}

/// Which shop is meant.
#[derive(Debug, Args)]
struct Place {
    #[command(flatten)]
    folder: Folder,
    /// Where it answers [default: where the shop on that folder does]
    #[arg(long)]
    url: Option<String>,
}

impl Place {
    fn url(&self, settings: &Settings) -> stack::Result<String> {
        match &self.url {
            Some(url) => Ok(url.trim_end_matches('/').to_owned()),
            None => Ok(Hosts::of_settings(settings)?.gateway()),
        }
    }
}

fn absolute(path: &Path) -> stack::Result<PathBuf> {
    std::path::absolute(path).map_err(stack::Error::io(format!("find {}", path.display())))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("stack: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> stack::Result<u8> {
    let settings = |folder: &Folder| {
        let settings = match stack::root::find() {
            Ok(root) => Settings::load(&root)?,
            // A container has the program alone.
            Err(_) => Settings::of_environment(),
        };
        ports::find(settings, &folder.data()?)
    };
    match command {
        Command::Up { folder } => stack::up::run(folder.data()?).await.map(|()| 0),
        Command::Demo { place, orders } => {
            let settings = settings(&place.folder)?;
            stack::demo::run(&place.url(&settings)?, orders, &settings).await.map(code)
        }
        Command::Bench(bench) => stack::bench::run(&bench.plan()?).await.map(|()| 0),
        Command::Chaos(chaos) => chaos.run().await.map(code),
        Command::Backup { folder, to } => {
            stack::backup::backup(&settings(&folder)?, &absolute(&to)?).await.map(|()| 0)
        }
        Command::Restore { folder, replace, from, services } => {
            let services = services.iter().map(|name| Service::named(name)).collect::<stack::Result<_>>()?;
            let restoration = Restoration { from: absolute(&from)?, services, replace };
            stack::backup::restore(&settings(&folder)?, &folder.data()?, &restoration).await.map(|()| 0)
        }
        Command::Doctor { place, how } => {
            let looked = async {
                let settings = settings(&place.folder)?;
                let (url, data) = (place.url(&settings)?, place.folder.data()?);
                stack::doctor::run(&url, &settings, &data, how.options()).await
            };
            looked.await.map(code).or_else(|error| {
                eprintln!("stack: {error}");
                Ok(COULD_NOT_LOOK)
            })
        }
        Command::Letters { folder, which, json } => {
            stack::replay::list(&settings(&folder)?, &which.into(), json).await.map(|()| 0)
        }
        Command::Replay { folder, which } => {
            stack::replay::run(&settings(&folder)?, &which.into()).await.map(|()| 0)
        }
        Command::Discard { folder, reason, group, letters } => {
            let which = Which { group, letters };
            stack::replay::discard(&settings(&folder)?, &which.into(), &reason).await.map(|()| 0)
        }
        Command::Clean { folder } => stack::up::clean(&folder.data()?).await.map(|()| 0),
        Command::Databases { command } => stack::databases::run(&command).await,
        Command::WithShop { command } => stack::with_shop::run(&command).await,
    }
}

/// What `doctor` ends with if it does not know how the shop is.
const COULD_NOT_LOOK: u8 = 2;

fn code(success: bool) -> u8 {
    u8::from(!success)
}
