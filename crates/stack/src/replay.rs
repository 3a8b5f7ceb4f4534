//! `stack letters`, `stack replay` and `stack discard`: lists, shows, republishes or closes dead letters.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;

use crate::dead_letters::{DeadLetter, DeadLetters};
use crate::hosts::Hosts;
use crate::ledger::{Access, Ledger};
use crate::settings::Settings;
use crate::{Error, Result};

/// Which dead letters are meant.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// These, by the names that `stack letters` prints; none are all.
    pub names: Vec<String>,
    /// Only those of this group.
    pub group: Option<String>,
}

impl Selection {
    fn has(&self, letter: &DeadLetter) -> bool {
        let named = self.names.is_empty() || self.names.contains(&letter.place.to_string());
        named && self.group.as_ref().is_none_or(|group| *group == letter.group)
    }

    /// The names that no letter has: closed already, or never there.
    fn unknown<'a>(&'a self, letters: &[DeadLetter]) -> Vec<&'a str> {
        let known: HashSet<String> = letters.iter().map(|letter| letter.place.to_string()).collect();
        self.names.iter().filter(|name| !known.contains(*name)).map(String::as_str).collect()
    }
}

/// Prints open dead letters: one line each, whole if they were named, or all of them as JSON.
///
/// # Errors
/// If a database or Redis does not answer.
pub async fn list(settings: &Settings, selection: &Selection, as_json: bool) -> Result<()> {
    let open = letters(settings, Access::Read).await?.open().await?;
    let chosen: Vec<&DeadLetter> = open.iter().filter(|letter| selection.has(letter)).collect();
    if as_json {
        let all: Vec<Value> = chosen.into_iter().map(described).collect();
        println!("{}", Value::Array(all));
        return Ok(());
    }
    for letter in &chosen {
        println!("{}", line(letter));
        if !selection.names.is_empty() {
            for (name, value) in letter.fields() {
                println!("    {name}: {value}");
            }
        }
    }
    say_unknown(selection, &open);
    println!("{} open dead letters", chosen.len());
    Ok(())
}

/// Puts back the chosen letters, and prints them. What is closed already stays so.
///
/// # Errors
/// If a database or Redis does not answer; what was printed is done.
pub async fn run(settings: &Settings, selection: &Selection) -> Result<()> {
    let mut letters = letters(settings, Access::Write).await?;
    say_unknown(selection, &letters.open().await?);
    let count = replay(&mut letters, selection).await?;
    println!("{count} dead letters were put back. `make doctor` says whether they were handled.");
    Ok(())
}

/// Discards the chosen letters, with the reason. What is closed already stays so.
///
/// # Errors
/// If a database or Redis does not answer; what was printed is done.
pub async fn discard(settings: &Settings, selection: &Selection, reason: &str) -> Result<()> {
    if !(1..=255).contains(&reason.chars().count()) {
        return Err(Error::other("a reason has 1 to 255 characters"));
    }
    let mut letters = letters(settings, Access::Write).await?;
    let open = letters.open().await?;
    say_unknown(selection, &open);
    for letter in open.iter().filter(|letter| selection.has(letter)) {
        letters.discard(letter, reason).await?;
        println!("discarded {}", line(letter));
    }
    letters.remove_closed_copies().await
}

fn say_unknown(selection: &Selection, open: &[DeadLetter]) {
    for name in selection.unknown(open) {
        println!("{name} is no open dead letter: it was replayed or discarded already, or never was one");
    }
}

async fn letters(settings: &Settings, access: Access) -> Result<DeadLetters> {
    let gateway = Hosts::of_settings(settings)?.gateway();
    Ok(Ledger::of_settings(&gateway, settings, access).await?.dead_letters())
}

/// Puts the chosen letters back. Returns how many there were.
///
/// # Errors
/// If a database or Redis does not answer.
pub async fn replay(letters: &mut DeadLetters, selection: &Selection) -> Result<usize> {
    let open: Vec<DeadLetter> = letters.open().await?.into_iter().filter(|it| selection.has(it)).collect();
    let mut published = HashSet::new();
    for letter in &open {
        // One event may be the letter of several groups. Once it is on its way, it is on its way to all of them.
        let event = letter.event_id().map(|event_id| (&letter.stream, event_id));
        if event.is_some_and(|event| !published.insert(event)) {
            letters.set_replayed(&letter.place).await?;
        } else {
            letters.replay(letter).await?;
        }
        println!("replayed {}", line(letter));
    }
    letters.remove_closed_copies().await?;
    Ok(open.len())
}

/// Everything about a letter but its event.
fn line(letter: &DeadLetter) -> String {
    let event = letter.event_id().unwrap_or("an entry without an event's id");
    let tries = letter.tries.map_or("?".to_owned(), |tries| tries.to_string());
    let correlation_id = letter.correlation_id().unwrap_or("none");
    format!(
        "{}: {event} of {} for {}, {tries} tries, correlation id {correlation_id}: {}",
        letter.place, letter.stream, letter.group, letter.error
    )
}

fn described(letter: &DeadLetter) -> Value {
    let fields: Map<String, Value> = letter.fields().map(|(name, value)| (name, value.into())).collect();
    json!({
        "name": letter.place.to_string(), "group": letter.group, "stream": letter.stream, "error": letter.error,
        "tries": letter.tries, "since": letter.since.and_then(|since| since.format(&Rfc3339).ok()),
        "event_id": letter.event_id(), "event_type": letter.event_type(),
        "correlation_id": letter.correlation_id(), "fields": fields,
    })
}
