//! What the larger commands take.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use stack::bench::{Plan, Size, Target, Workload};
use stack::chaos::{Kind, failpoints};

/// What `chaos` does.
#[derive(Debug, Args)]
pub(crate) struct Chaos {
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
    /// Instead: every service dies at each of its failpoints, during orders. Needs a debug build.
    #[arg(long, conflicts_with_all = ["minutes", "faults", "seed"])]
    failpoints: bool,
    /// How often each service dies at each failpoint.
    #[arg(long, default_value_t = 1, requires = "failpoints")]
    times: u32,
    /// Where the page with the time line is written.
    #[arg(long, default_value = "target/chaos.html")]
    page: PathBuf,
}

impl Chaos {
    pub(crate) async fn run(self) -> stack::Result<bool> {
        if self.failpoints {
            return failpoints::run(&failpoints::Options {
                times: self.times.max(1),
                rate: self.rate.clamp(0.1, 50.0),
                longest: Duration::from_mins(5),
                data: stack::up::default_data().join("failpoints"),
            })
            .await;
        }
        stack::chaos::run(&self.options()).await
    }

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
pub(crate) struct Examination {
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
    pub(crate) fn options(&self) -> stack::doctor::Options {
        stack::doctor::Options { json: self.json, apply: self.apply, grace: Duration::from_secs(self.grace) }
    }
}

/// What `bench` measures.
#[derive(Debug, Args)]
pub(crate) struct Bench {
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
    pub(crate) fn plan(self) -> stack::Result<Plan> {
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
