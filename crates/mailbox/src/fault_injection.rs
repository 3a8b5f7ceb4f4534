//! What goes wrong on purpose: the bad days of a mail server.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// What the mailbox does wrong until it is told otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InjectedFaults {
    /// Connections are closed before a word is said.
    pub down: bool,
    /// How long every answer takes, in milliseconds.
    pub latency_ms: u64,
    /// Each recipient is refused once with 451, and taken the next time, as greylisting servers do.
    pub greylist: bool,
    /// Every recipient is refused with this code, 400 to 599.
    pub refuse_recipient: Option<u16>,
    /// Every mail is refused with this code after its data, 400 to 599.
    pub refuse_data: Option<u16>,
    /// Mails are taken, but the connection breaks before the answer: the sender cannot know.
    pub lose_answer: bool,
}

impl InjectedFaults {
    /// What is not possible about them, if anything.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let codes = [("refuse_recipient", self.refuse_recipient), ("refuse_data", self.refuse_data)];
        let wrong = codes.into_iter().find(|(_, code)| code.is_some_and(|code| !(400..600).contains(&code)));
        if self.latency_ms > 60_000 {
            return Some("latency_ms");
        }
        wrong.map(|(name, _)| name)
    }
}

/// The faults of today, and which recipients greylisting has seen.
#[derive(Debug, Default)]
pub struct FaultInjection {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    faults: InjectedFaults,
    seen: BTreeSet<String>,
}

impl FaultInjection {
    /// Replaces what goes wrong.
    pub fn set(&self, faults: InjectedFaults) {
        *self.lock() = Inner { faults, seen: BTreeSet::new() };
    }

    /// What goes wrong now.
    pub fn get(&self) -> InjectedFaults {
        self.lock().faults
    }

    /// The code that a recipient is refused with, if it is.
    pub(crate) fn refusal(&self, recipient: &str) -> Option<u16> {
        let mut inner = self.lock();
        let greylisted = inner.faults.greylist && inner.seen.insert(recipient.to_owned());
        inner.faults.refuse_recipient.or(greylisted.then_some(451))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
