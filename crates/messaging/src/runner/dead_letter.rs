//! An entry that was given up.

use time::OffsetDateTime;

use super::retry::Entry;

/// An entry that its consumer has given up, with all that it was.
#[derive(Debug)]
pub struct DeadLetter<'a> {
    /// The stream that it was read from.
    pub stream: &'a str,
    /// Its id in that stream, `{ms}-{seq}`: when it was added, by Redis' clock.
    pub entry_id: &'a str,
    /// Its names and values as they came: what is no event need not be text.
    pub fields: Vec<(&'a [u8], &'a [u8])>,
    /// What the last try ended with, with all its causes.
    pub error: &'a str,
    /// How often this process has tried.
    pub tries: u32,
    /// When the first of those tries failed; for an event that waited in vain, when the first try of any process did.
    pub first_failed_at: OffsetDateTime,
}

impl<'a> DeadLetter<'a> {
    pub(super) fn of(stream: &'a str, entry: &'a Entry, error: &'a str) -> Self {
        let text = entry.fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let fields = match &entry.bytes {
            Some(bytes) => bytes.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect(),
            None => text.collect(),
        };
        let first_failed_at = entry.first_failed_at.unwrap_or_else(OffsetDateTime::now_utc);
        Self { stream, entry_id: &entry.id, fields, error, tries: entry.tries, first_failed_at }
    }

    /// The text that the entry has under this name, if it is text.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.fields.iter().find(|(known, _)| *known == name.as_bytes())?;
        str::from_utf8(value).ok()
    }
}
