//! Starts again what dies, and gives up what dies too often.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::Result;
use crate::shop::{Service, Shop};
use dev_servers::Process;

/// So many deaths within [`WINDOW`] are too many.
const DEATHS: usize = 5;
const WINDOW: Duration = Duration::from_mins(1);
/// The pause before the first restart; it doubles with each death within the window.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Watches the processes of a shop.
///
/// A service that is given up leaves the shop degraded: the others do what they can without it. Without `PostgreSQL`, Redis
/// or nginx nobody can buy anything, so the shop ends with them.
#[derive(Debug, Default)]
pub(super) struct Supervisor {
    watched: BTreeMap<String, Watched>,
}

#[derive(Debug, Default)]
struct Watched {
    deaths: Deaths,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Running,
    RestartsAt(Instant),
    GivenUp,
}

impl Supervisor {
    /// Looks at each process once.
    ///
    /// # Errors
    /// If one was given up that nothing works without.
    pub(super) async fn look(&mut self, shop: &mut Shop) -> Result<()> {
        for process in shop.watched() {
            let name = process.name().to_owned();
            let watched = self.watched.entry(name).or_default();
            watched.state = watched.next(process).await?;
        }
        Ok(())
    }

    /// Those that were given up.
    pub(super) fn given_up(&self) -> Vec<&str> {
        let all = self.watched.iter().filter(|(_, watched)| watched.state == State::GivenUp);
        all.map(|(name, _)| name.as_str()).collect()
    }
}

impl Watched {
    async fn next(&mut self, process: &mut Process) -> Result<State> {
        match self.state {
            State::Running => match process.exited() {
                None => Ok(State::Running),
                Some(status) => self.died(process, &format!("died ({status})")),
            },
            State::RestartsAt(time) if time <= Instant::now() => match process.restart().await {
                Ok(()) => {
                    println!(
                        "{} runs again (process {}).",
                        process.name(),
                        process.pid().unwrap_or_default()
                    );
                    Ok(State::Running)
                }
                Err(error) => self.died(process, &format!("cannot be started: {error}")),
            },
            waits => Ok(waits),
        }
    }

    fn died(&mut self, process: &Process, how: &str) -> Result<State> {
        let now = Instant::now();
        let name = process.name();
        if let Some(pause) = self.deaths.record(now) {
            let (seconds, log) = (pause.as_secs_f64(), process.log().display());
            println!("\n{name} {how}; it is started again in {seconds:.1} s. Its log: {log}");
            return Ok(State::RestartsAt(now + pause));
        }
        let often = format!("{how} for the {DEATHS}th time within {} s", WINDOW.as_secs());
        if !Service::ALL.iter().any(|service| service.name() == name) {
            return Err(process.failure(format!("{often}, and nothing works without it")));
        }
        println!("\n{}", process.failure(format!("{often} and is given up")));
        println!("The shop goes on without {name}. Fix the cause, then stop the shop and start it again.");
        Ok(State::GivenUp)
    }
}

/// When a process died, as far as it still counts.
#[derive(Debug, Default)]
struct Deaths(VecDeque<Instant>);

impl Deaths {
    /// Adds one. Returns the pause before the restart, or nothing if these were too many.
    fn record(&mut self, now: Instant) -> Option<Duration> {
        self.0.retain(|death| now.duration_since(*death) < WINDOW);
        self.0.push_back(now);
        let before = u32::try_from(self.0.len()).unwrap_or(u32::MAX) - 1;
        (self.0.len() < DEATHS).then(|| FIRST_PAUSE * 2_u32.pow(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_death_within_a_minute_is_one_too_many() {
        let (mut deaths, start) = (Deaths::default(), Instant::now());
        let pauses: Vec<_> = (0..5).map(|n| deaths.record(start + Duration::from_secs(n))).collect();
        let pauses: Vec<_> = pauses.iter().map(|pause| pause.map(|pause| pause.as_millis())).collect();
        assert_eq!(pauses, [Some(200), Some(400), Some(800), Some(1600), None]);
    }

    #[test]
    fn what_dies_once_in_a_while_is_always_started_again_at_once() {
        let (mut deaths, start) = (Deaths::default(), Instant::now());
        assert!((0..50).all(|n| deaths.record(start + WINDOW * n) == Some(FIRST_PAUSE)));
    }
}
