//! What is known of an attempt, to be applied to its payment.

use super::{Answer, Observation};

/// Something that was found out about an attempt.
#[derive(Debug, Clone)]
pub enum Finding {
    Observed(Box<Observation>),
    /// Midtrans closed it for us because the order ended.
    Closed,
    /// Midtrans closed it for us at its end.
    TimedOut,
}

impl Finding {
    /// What Midtrans answered, if it did.
    pub fn observation(&self) -> Option<&Observation> {
        match self {
            Self::Observed(observation) => Some(observation),
            Self::Closed | Self::TimedOut => None,
        }
    }

    /// What our own doing comes to in T2, with the word for it in the history.
    pub fn our_doing(&self) -> Option<(Answer, &'static str)> {
        match self {
            Self::Observed(_) => None,
            Self::Closed => Some((Answer::Closed, "closed")),
            Self::TimedOut => Some((Answer::TimedOut, "timed_out")),
        }
    }
}

/// A finding that is to be applied.
#[derive(Debug)]
pub struct Settlement {
    /// The attempt, by the id that it has at Midtrans.
    pub midtrans_order_id: String,
    pub finding: Finding,
    /// The row of the notification that is handled by it.
    pub notification: Option<i64>,
}
