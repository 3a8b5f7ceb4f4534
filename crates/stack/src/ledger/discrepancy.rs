//! What a rule found, in words that say what to do.

use serde::Serialize;
use time::OffsetDateTime;

use super::repair::Repair;

/// What such a discrepancy comes from as a rule, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Advice {
    /// The likely cause.
    pub cause: &'static str,
    /// What a person does next.
    pub remedy: &'static str,
}

/// Something that does not agree with something else.
#[derive(Debug, Clone, Serialize)]
pub struct Discrepancy {
    /// The order that it is about, if it is about one.
    pub order_id: Option<i64>,
    /// What was found, a sentence. The same discrepancy has the same sentence at the next look.
    pub what: String,
    /// Since when, as far as the databases know.
    #[serde(with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    /// Why it may be, and what to do.
    #[serde(flatten)]
    pub advice: Advice,
    /// What `doctor --apply` does about it, if that is safe.
    pub repair: Option<Repair>,
}

impl Discrepancy {
    pub(super) fn new(advice: Advice, what: impl Into<String>) -> Self {
        Self { order_id: None, what: what.into(), since: None, advice, repair: None }
    }

    pub(super) fn of_order(mut self, order: i64) -> Self {
        self.order_id = Some(order);
        self
    }

    pub(super) fn since(mut self, since: impl Into<Option<OffsetDateTime>>) -> Self {
        self.since = since.into();
        self
    }

    pub(super) fn with_repair(mut self, repair: Repair) -> Self {
        self.repair = Some(repair);
        self
    }
}

/// The sentence, and since when it holds.
impl std::fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        match self.since {
            Some(since) => write!(f, " (since {})", minute(since)),
            None => Ok(()),
        }
    }
}

fn minute(time: OffsetDateTime) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    time.to_offset(time::UtcOffset::UTC).format(&format).unwrap_or_default()
}
