//! Which faults come when: a pure function of the seed.

use std::fmt::{Display, Formatter};
use std::time::Duration;

use clap::ValueEnum;
use dev_servers::Damage;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use serde::Serialize;

use crate::shop::{End, Service};

/// What kinds of faults there are, as `--faults` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A process of a service is killed, stopped, or frozen.
    Services,
    /// The gateway is killed.
    Gateway,
    /// Redis is killed, loses all or some of its data, or fails over to a replica that is behind.
    Redis,
    /// PostgreSQL is stopped, killed, frozen, refuses writes or has no connection left.
    Postgres,
    /// The network between two of them is cut, slow, or passes one way only.
    Network,
    /// Events come twice, out of order, or once more from long ago.
    Events,
    /// Midtrans is slow, fails, limits its callers, or is down.
    Midtrans,
    /// Every service is replaced, one after the other.
    Rolling,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9`; it starts again when the fault ends.
    Kill(End),
    /// SIGTERM; it starts again when the fault ends.
    Stop(End),
    /// SIGSTOP, and SIGCONT when the fault ends.
    Freeze(End),
    /// Redis is killed and loses what it had.
    Loss(RedisLoss),
    /// All of Redis' data are deleted while it runs.
    FlushAll,
    /// A replica that stopped following takes over.
    Failover,
    /// PostgreSQL starts no transaction that may write, as with a disk that is full.
    ReadOnly,
    /// Others have all of PostgreSQL's connections.
    NoConnections,
    /// A part of the network.
    Link(End, End, Damage),
    /// Events are added to their streams once more.
    Repeat(Order),
    /// Midtrans itself.
    Midtrans(Sickness),
    /// SIGTERM and a new start, service by service.
    RollingRestart,
}

/// What Redis loses while it does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisLoss {
    /// All of it.
    Everything,
    /// The end of its append-only file.
    Tail,
    /// What came after a copy of its files was made.
    SinceCopy,
}

/// In which order events come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The newest of each stream.
    Newest,
    /// The newest of each stream, backwards.
    Backwards,
    /// The oldest that each stream has.
    Oldest,
}

/// What Midtrans suffers from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sickness {
    /// Each answer takes so many milliseconds more.
    Slow(u16),
    /// So many of a hundred calls fail with 500.
    Failing(u8),
    /// 429 to everybody.
    Limiting,
    /// 503 in HTML from the server in front of it.
    Down,
}

/// A fault and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// What.
    pub fault: Fault,
    /// How long it lasts, before it is taken back.
    pub lasts: Duration,
    /// How long everything is well after the shop has recovered from it.
    pub calm: Duration,
}

/// The ways between the processes that faults may damage.
pub const LINKS: [(End, End); 21] = [
    (End::Service(Service::User), End::Postgres),
    (End::Service(Service::Product), End::Postgres),
    (End::Service(Service::Order), End::Postgres),
    (End::Service(Service::Payment), End::Postgres),
    (End::Service(Service::Delivery), End::Postgres),
    (End::Service(Service::Cart), End::Redis),
    (End::Service(Service::Product), End::Redis),
    (End::Service(Service::Order), End::Redis),
    (End::Service(Service::Payment), End::Redis),
    (End::Service(Service::Delivery), End::Redis),
    (End::Service(Service::User), End::Redis),
    (End::Service(Service::Cart), End::Service(Service::Product)),
    (End::Service(Service::Order), End::Service(Service::Cart)),
    (End::Service(Service::Order), End::Service(Service::Product)),
    (End::Service(Service::Order), End::Service(Service::Payment)),
    (End::Service(Service::Order), End::Service(Service::Delivery)),
    (End::Service(Service::Payment), End::Service(Service::Sandbox)),
    (End::Gateway, End::Service(Service::Product)),
    (End::Gateway, End::Service(Service::Cart)),
    (End::Gateway, End::Service(Service::Order)),
    (End::Gateway, End::Service(Service::Payment)),
];

/// The faults of a seed, without an end: each of the chosen kinds in turn, in an order of the seed's own, so that a short
/// run has some of every kind.
#[derive(Debug)]
pub struct Schedule {
    random: StdRng,
    kinds: Vec<Kind>,
    left: Vec<Kind>,
}

impl Schedule {
    /// The schedule of this seed; no kinds are all kinds.
    pub fn of(seed: u64, kinds: &[Kind]) -> Self {
        let all = || Kind::value_variants().to_vec();
        let kinds = if kinds.is_empty() { all() } else { kinds.to_vec() };
        Self { random: StdRng::seed_from_u64(seed), kinds, left: Vec::new() }
    }

    fn next_kind(&mut self) -> Kind {
        if self.left.is_empty() {
            self.left.clone_from(&self.kinds);
            self.left.shuffle(&mut self.random);
        }
        self.left.pop().unwrap_or(Kind::Services)
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        *choices.choose(&mut self.random).unwrap_or(&choices[0])
    }

    fn fault(&mut self, kind: Kind) -> Fault {
        match kind {
            Kind::Services => {
                let service = End::Service(self.pick(&Service::ALL));
                self.pick(&[Fault::Kill(service), Fault::Stop(service), Fault::Freeze(service)])
            }
            Kind::Gateway => self.pick(&[Fault::Kill(End::Gateway), Fault::Stop(End::Gateway)]),
            Kind::Redis => self.pick(&[
                Fault::Kill(End::Redis),
                Fault::Freeze(End::Redis),
                Fault::Loss(RedisLoss::Everything),
                Fault::Loss(RedisLoss::Tail),
                Fault::Loss(RedisLoss::SinceCopy),
                Fault::FlushAll,
                Fault::Failover,
            ]),
            Kind::Postgres => self.pick(&[
                Fault::Kill(End::Postgres),
                Fault::Stop(End::Postgres),
                Fault::Freeze(End::Postgres),
                Fault::ReadOnly,
                Fault::NoConnections,
            ]),
            Kind::Network => {
                let (from, to) = self.pick(&LINKS);
                let slow = self.random.random_range(50..400);
                let damage = self.pick(&[Damage::Cut, Damage::Slow(slow), Damage::OneWay]);
                Fault::Link(from, to, damage)
            }
            Kind::Events => Fault::Repeat(self.pick(&[Order::Newest, Order::Backwards, Order::Oldest])),
            Kind::Midtrans => {
                let (slow, failing) = (self.random.random_range(500..4000), self.random.random_range(20..80));
                let all =
                    [Sickness::Slow(slow), Sickness::Failing(failing), Sickness::Limiting, Sickness::Down];
                Fault::Midtrans(self.pick(&all))
            }
            Kind::Rolling => Fault::RollingRestart,
        }
    }
}

impl Iterator for Schedule {
    type Item = Planned;

    fn next(&mut self) -> Option<Planned> {
        let kind = self.next_kind();
        let fault = self.fault(kind);
        let millis = match fault {
            Fault::FlushAll | Fault::Repeat(_) | Fault::RollingRestart => 0..1,
            Fault::Kill(_) | Fault::Stop(_) | Fault::Loss(_) => 200..3000,
            _ => 2000..8000,
        };
        let lasts = Duration::from_millis(self.random.random_range(millis));
        let calm = Duration::from_millis(self.random.random_range(2000..5000));
        Some(Planned { fault, lasts, calm })
    }
}

impl Fault {
    /// Its kind.
    pub fn kind(self) -> Kind {
        match self {
            Self::Kill(end) | Self::Stop(end) | Self::Freeze(end) => match end {
                End::Gateway => Kind::Gateway,
                End::Redis => Kind::Redis,
                End::Postgres => Kind::Postgres,
                End::Service(_) => Kind::Services,
            },
            Self::Loss(_) | Self::FlushAll | Self::Failover => Kind::Redis,
            Self::ReadOnly | Self::NoConnections => Kind::Postgres,
            Self::Link(..) => Kind::Network,
            Self::Repeat(_) => Kind::Events,
            Self::Midtrans(_) => Kind::Midtrans,
            Self::RollingRestart => Kind::Rolling,
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kill(end) => write!(f, "{end} is killed"),
            Self::Stop(end) => write!(f, "{end} is asked to end"),
            Self::Freeze(end) => write!(f, "{end} is frozen"),
            Self::Loss(RedisLoss::Everything) => f.write_str("Redis is killed and its files are removed"),
            Self::Loss(RedisLoss::Tail) => f.write_str("Redis is killed and the end of its log is cut off"),
            Self::Loss(RedisLoss::SinceCopy) => {
                f.write_str("Redis is killed and gets an older copy of its files")
            }
            Self::FlushAll => f.write_str("all data in Redis are deleted"),
            Self::Failover => f.write_str("Redis fails over to a replica that is behind"),
            Self::ReadOnly => f.write_str("PostgreSQL refuses to write"),
            Self::NoConnections => f.write_str("PostgreSQL has no connection left"),
            Self::Link(from, to, Damage::Cut) => write!(f, "{from} is cut off from {to}"),
            Self::Link(from, to, Damage::Slow(ms)) => write!(f, "{from} and {to} are {ms} ms apart"),
            Self::Link(from, to, Damage::OneWay) => {
                write!(f, "requests of {from} reach {to}, its answers are lost")
            }
            Self::Repeat(Order::Newest) => f.write_str("the newest events come twice"),
            Self::Repeat(Order::Backwards) => f.write_str("the newest events come again, backwards"),
            Self::Repeat(Order::Oldest) => f.write_str("the oldest events come again"),
            Self::Midtrans(Sickness::Slow(ms)) => write!(f, "Midtrans takes {ms} ms longer"),
            Self::Midtrans(Sickness::Failing(percent)) => {
                write!(f, "Midtrans fails {percent} % of all calls")
            }
            Self::Midtrans(Sickness::Limiting) => f.write_str("Midtrans answers 429"),
            Self::Midtrans(Sickness::Down) => f.write_str("Midtrans is down"),
            Self::RollingRestart => f.write_str("all services are replaced, one after the other"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn plan(seed: u64, kinds: &[Kind], count: usize) -> Vec<Planned> {
        Schedule::of(seed, kinds).take(count).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_at_the_same_times() {
        assert_eq!(plan(7, &[], 200), plan(7, &[], 200));
        assert_ne!(plan(7, &[], 20), plan(8, &[], 20));
    }

    #[test]
    fn every_kind_comes_before_one_comes_twice() {
        for round in plan(42, &[], 80).chunks(Kind::value_variants().len()) {
            let kinds: BTreeSet<Kind> = round.iter().map(|planned| planned.fault.kind()).collect();
            assert_eq!(kinds.len(), round.len(), "{round:?}");
        }
    }

    #[test]
    fn only_the_chosen_kinds_come() {
        let chosen = [Kind::Redis, Kind::Events];
        let kinds = plan(1, &chosen, 50).into_iter().map(|planned| planned.fault.kind());
        assert!(kinds.collect::<Vec<_>>().iter().all(|kind| chosen.contains(kind)));
    }
}
