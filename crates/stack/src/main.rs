//! The local runner: `stack --help` lists what it does.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use stack::bench::{Plan, Size, Target, Workload};
use stack::chaos::Kind;
use stack::hosts::Hosts;
use stack::replay::Selection;
use stack::settings::Settings;
use stack::shop::ports;

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

/// What `chaos` does.
#[derive(Debug, Args)]
struct Chaos {
    /// For how many minutes faults come.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Only these kinds of faults [default: all of them]
    #[arg(long, value_enum, value_delimiter = ',')]
    faults: Vec<Kind>,
    /// Repeats the faults of an earlier run [default: another one each time; it is printed]
    #[arg(long)]
    seed: Option<u64>,
    /// Purchases that begin per second.
    #[arg(long, default_value_t = 3.0)]
    rate: f64,
    /// Where the page with the time line is written.
    #[arg(long, default_value = "target/chaos.html")]
    page: PathBuf,
}

impl Chaos {
    fn options(self) -> stack::chaos::Options {
        stack::chaos::Options {
            duration: Duration::from_secs_f64(self.minutes.clamp(0.1, 1440.0) * 60.0),
            faults: self.faults,
            seed: self.seed.unwrap_or_else(rand::random),
            rate: self.rate.clamp(0.1, 50.0),
            page: Some(self.page),
            data: stack::up::default_data().join("chaos"),
        }
    }
}

/// How `doctor` looks.
#[derive(Debug, Args)]
struct Examination {
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Repair what is safe: publish events again that a group never got, enqueue jobs that are missing or were given up.
    /// It never writes an order, a payment, a refund, a hold or a delivery.
    #[arg(long)]
    apply: bool,
    /// For how many seconds something has to stay broken: what is in flight breaks the books for a moment.
    #[arg(long, default_value_t = 30)]
    grace: u64,
}

impl Examination {
    fn options(&self) -> stack::doctor::Options {
        stack::doctor::Options { json: self.json, apply: self.apply, grace: Duration::from_secs(self.grace) }
    }
}

/// What `bench` measures.
#[derive(Debug, Args)]
struct Bench {
    /// The workloads [default: all of them]
    #[arg(value_enum)]
    workloads: Vec<Workload>,
    /// What is measured: a folder with programs, a checkout with them in target/dist or target/release, or the address
    /// of a system that runs, such as `http://127.0.0.1:8080` [default: the programs beside this one]
    #[arg(long)]
    target: Option<Target>,
    /// Another one, which is measured in turn with it.
    #[arg(long)]
    against: Option<Target>,
    /// How often each workload is repeated.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long requests are sent in each round, in the closed loop and again in the open loop.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Orders, and notifications, that are sent at once.
    #[arg(long, default_value_t = 500)]
    orders: usize,
    /// Orders that are placed one after the other.
    #[arg(long, default_value_t = 100)]
    sequence: usize,
    /// Connections that send requests.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Requests per second in the open loop [default: half of what the slower system can do]
    #[arg(long)]
    rate: Option<f64>,
    /// Count SQL statements, with `pg_stat_statements`, which slows `PostgreSQL` a little.
    #[arg(long)]
    statements: bool,
    /// Write everything to this file as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Bench {
    fn plan(self) -> stack::Result<Plan> {
        let target = self.target.map_or_else(|| stack::root::programs().map(Target::Build), Ok)?;
        let all = || Workload::value_variants().to_vec();
        Ok(Plan {
            targets: [target].into_iter().chain(self.against).collect(),
            workloads: if self.workloads.is_empty() { all() } else { self.workloads },
            rounds: self.rounds.max(1),
            duration: Duration::from_secs_f64(self.seconds.clamp(0.1, 3600.0)),
            size: Size {
                orders: self.orders.max(1),
                sequence: self.sequence.max(1),
                connections: self.connections.max(1),
            },
            rate: self.rate,
            statements: self.statements,
            json: self.json,
        })
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
        Command::Chaos(chaos) => stack::chaos::run(&chaos.options()).await.map(code),
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
