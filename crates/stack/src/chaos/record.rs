//! What happened: requests, orders and the windows in which something was broken on purpose.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::schedule::{Fault, Kind};

/// One request and how it went.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) what: &'static str,
    /// Why it failed: a 5xx, a 429, or no answer.
    pub(super) failure: Option<String>,
}

/// A fault, from its beginning until the shop had recovered from it.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) fault: Fault,
    pub(super) began: Instant,
    pub(super) lifted: Instant,
    pub(super) recovered: Instant,
}

impl Window {
    /// From the end of the fault until an order could be placed and paid again.
    pub(super) fn recovery(&self) -> Duration {
        self.recovered - self.lifted
    }
}

/// How a purchase ended, as its buyer saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// As it should.
    Done,
    /// The shop refused for a reason of its own, such as goods that were sold out.
    Refused,
    /// The buyer gave up before she knew.
    Abandoned,
}

/// Everything that happened.
#[derive(Debug)]
pub(super) struct Record {
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    windows: Vec<Window>,
    /// Orders that were answered 201, with their buyers.
    orders: BTreeMap<i64, i64>,
    ends: BTreeMap<(&'static str, End), usize>,
}

impl Record {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn request(&self, request: Request) {
        self.state().requests.push(request);
    }

    pub(super) fn window(&self, window: Window) {
        self.state().windows.push(window);
    }

    pub(super) fn order(&self, order: i64, buyer: i64) {
        self.state().orders.insert(order, buyer);
    }

    pub(super) fn end(&self, journey: &'static str, end: End) {
        *self.state().ends.entry((journey, end)).or_default() += 1;
    }

    /// Orders that were answered 201, with their buyers.
    pub(super) fn orders(&self) -> BTreeMap<i64, i64> {
        self.state().orders.clone()
    }

    pub(super) fn summary(&self) -> Summary {
        let state = self.state();
        let inside = |request: &&Request| {
            state
                .windows
                .iter()
                .any(|window| request.began <= window.recovered && request.ended >= window.began)
        };
        let (inside, outside): (Vec<&Request>, Vec<&Request>) = state.requests.iter().partition(inside);
        Summary {
            began: self.began,
            inside: Requests::of(&inside),
            outside: Requests::of(&outside),
            windows: state.windows.clone(),
            orders: state.orders.len(),
            ends: state.ends.clone(),
        }
    }
}

/// Requests, and those of them that failed.
#[derive(Debug, Clone, Default)]
pub(super) struct Requests {
    pub(super) count: usize,
    pub(super) failed: Vec<Request>,
}

impl Requests {
    fn of(all: &[&Request]) -> Self {
        let failed = all.iter().filter(|request| request.failure.is_some());
        Self { count: all.len(), failed: failed.map(|request| (*request).clone()).collect() }
    }

    /// The share that succeeded, in percent; all of none.
    #[allow(clippy::cast_precision_loss, reason = "far fewer requests than an f64 can count")]
    pub(super) fn success(&self) -> f64 {
        if self.count == 0 {
            return 100.0;
        }
        100.0 - 100.0 * self.failed.len() as f64 / self.count as f64
    }
}

/// What is reported.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    pub(super) began: Instant,
    pub(super) inside: Requests,
    pub(super) outside: Requests,
    pub(super) windows: Vec<Window>,
    pub(super) orders: usize,
    pub(super) ends: BTreeMap<(&'static str, End), usize>,
}

impl Summary {
    /// How often each kind of fault came.
    pub(super) fn kinds(&self) -> BTreeMap<Kind, usize> {
        let mut kinds = BTreeMap::new();
        for window in &self.windows {
            *kinds.entry(window.fault.kind()).or_default() += 1;
        }
        kinds
    }

    /// The median and the longest recovery.
    pub(super) fn recoveries(&self) -> Option<(Duration, Duration)> {
        let mut all: Vec<Duration> = self.windows.iter().map(Window::recovery).collect();
        all.sort_unstable();
        Some((*all.get(all.len() / 2)?, *all.last()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_as_outside_only_if_no_fault_touched_it() {
        let (record, start) = (Record::new(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        record.window(Window { fault: Fault::FlushAll, began: at(10), lifted: at(12), recovered: at(15) });
        for (began, ended, failed) in [(1, 2, false), (9, 11, true), (14, 20, true), (16, 17, true)] {
            let failure = failed.then(|| "503".to_owned());
            record.request(Request { began: at(began), ended: at(ended), what: "GET", failure });
        }
        let summary = record.summary();
        assert_eq!((summary.outside.count, summary.outside.failed.len()), (2, 1));
        assert_eq!((summary.inside.count, summary.inside.failed.len()), (2, 2));
        assert!((summary.outside.success() - 50.0).abs() < f64::EPSILON);
        assert_eq!(summary.recoveries(), Some((Duration::from_secs(3), Duration::from_secs(3))));
    }
}
