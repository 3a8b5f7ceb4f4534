//! `stack bench`: what a build of the shop can do and what it spends on it, beside another build on the same machine.

mod fixtures;
mod load;
mod report;
mod system;
mod usage;
mod workload;

use std::path::PathBuf;
use std::time::Duration;

pub use self::system::Target;
pub use self::workload::{Size, Workload};

use self::load::{closed, open};
use self::report::{Report, Round};
use self::system::System;
use self::workload::measured;
use crate::signals::Signals;
use crate::{Error, Result};

const WARM_UP: Duration = Duration::from_secs(1);
/// Requests arrive at this share of what the slower system can do: busy, and still able to recover.
const SHARE: f64 = 0.5;

/// What to measure, and how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// One system, or two that take turns.
    pub targets: Vec<Target>,
    /// The workloads, measured in this order.
    pub workloads: Vec<Workload>,
    /// How often each is repeated; the table shows medians.
    pub rounds: usize,
    /// How long independent requests are sent in each round, in either loop.
    pub duration: Duration,
    /// How many orders and connections the workloads have.
    pub size: Size,
    /// Requests per second in the open loop; half of what the slower system can do if absent.
    pub rate: Option<f64>,
    /// Whether SQL statements are counted, which costs some speed.
    pub statements: bool,
    /// Where to write everything as JSON.
    pub json: Option<PathBuf>,
}

/// Measures, prints the table, and writes the file.
pub async fn run(plan: &Plan) -> Result<()> {
    let mut signals = Signals::listen()?;
    let report = tokio::select! {
        report = Box::pin(measure(plan)) => report?,
        () = signals.asked_to_end() => return Err(Error::other("interrupted")),
    };
    println!("\n{}", report.table());
    match &plan.json {
        Some(file) => std::fs::write(file, format!("{:#}\n", report.to_json()))
            .map_err(Error::io(format!("write {}", file.display()))),
        None => Ok(()),
    }
}

async fn measure(plan: &Plan) -> Result<Report> {
    let mut systems = Vec::new();
    for (place, target) in plan.targets.iter().enumerate() {
        systems.push(System::open(place, target, plan.statements).await?);
        println!("Ready: {}", systems[place].name);
    }
    let mut rounds = Vec::new();
    for workload in &plan.workloads {
        println!("Running: {}", workload.name());
        let measured = in_turns(*workload, plan, &mut systems).await;
        rounds.extend(measured?);
    }
    let memory = systems.iter().map(|system| {
        let servers = system.servers.as_ref()?;
        Some((servers.idle_memory, servers.memory()))
    });
    let memory = memory.collect();
    let (mut names, mut statements) = (Vec::new(), Vec::new());
    for system in systems {
        if let Some(servers) = &system.servers {
            statements.push(servers.slowest_statements().await?);
        }
        names.push(system.name.clone());
        system.stop().await?;
    }
    Ok(Report { systems: names, rounds, memory, statements })
}

/// All rounds of a workload: A B A B .., after a warm-up of each.
async fn in_turns(workload: Workload, plan: &Plan, systems: &mut [System]) -> Result<Vec<(usize, Round)>> {
    for system in &mut *systems {
        warm_up(workload, plan, system).await?;
    }
    let mut rounds = Vec::new();
    let mut rate = plan.rate;
    for _ in 0..plan.rounds {
        for (place, system) in systems.iter_mut().enumerate() {
            let measured = closed_loop(workload, plan, system).await?;
            rounds.extend(measured.into_iter().map(|round| (place, round)));
        }
        let slowest = rounds.iter().map(|(_, round)| round.load.per_second()).fold(f64::INFINITY, f64::min);
        let rate = *rate.get_or_insert((slowest * SHARE).ceil());
        for (place, system) in systems.iter_mut().enumerate() {
            let measured = open_loop(workload, plan, system, rate).await?;
            rounds.extend(measured.map(|round| (place, round)));
        }
    }
    Ok(rounds)
}

/// The tables it fills are analysed then: what is measured is not the first minute of a database, which plans without
/// statistics.
async fn warm_up(workload: Workload, plan: &Plan, system: &mut System) -> Result<()> {
    let Size { orders, sequence, connections } = plan.size;
    workload.prepare(system).await?;
    match workload.calls(&system.fixtures, connections) {
        Some(calls) => drop(closed(&system.address, &calls, connections, WARM_UP).await?),
        None if workload == Workload::Idle => {}
        None => {
            let small = Size { orders: orders.div_ceil(5), sequence: sequence.div_ceil(5), connections };
            workload.round(system, &small).await?;
        }
    }
    system.analyze().await
}

async fn closed_loop(workload: Workload, plan: &Plan, system: &mut System) -> Result<Vec<Round>> {
    let connections = plan.size.connections;
    workload.prepare(system).await?;
    let Some(calls) = workload.calls(&system.fixtures, connections) else {
        return workload.round(system, &plan.size).await;
    };
    let label = format!("{}, {connections} at once", workload.name());
    let round = measured(system, label, async |system| {
        closed(&system.address, &calls, connections, plan.duration).await
    });
    Ok(vec![round.await?])
}

async fn open_loop(workload: Workload, plan: &Plan, system: &mut System, rate: f64) -> Result<Option<Round>> {
    let connections = plan.size.connections;
    let Some(calls) = workload.calls(&system.fixtures, connections) else { return Ok(None) };
    let label = format!("{}, {rate} arrive per second", workload.name());
    let round = measured(system, label, async |system| {
        open(&system.address, &calls, connections, rate, plan.duration).await
    });
    round.await.map(Some)
}
