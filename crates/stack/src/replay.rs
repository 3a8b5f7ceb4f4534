//! `stack replay` and `stack discard`: republishes or closes dead letters, once the cause is fixed.

use std::collections::HashSet;

use crate::dead_letters::{DeadLetter, DeadLetters};
use crate::hosts::Hosts;
use crate::ledger::{Access, Ledger};
use crate::settings::Settings;
use crate::{Error, Result};

/// Puts back all that is dead, and prints it.
///
/// # Errors
/// If a database or Redis does not answer; what was printed is done.
pub async fn run(settings: &Settings) -> Result<()> {
    let count = replay(&mut letters(settings).await?).await?;
    println!("{count} dead letters were put back. `make doctor` says whether they were handled.");
    Ok(())
}

/// Discards the dead letters with these names, as `stack doctor` and `stack replay` print them.
///
/// # Errors
/// If there is no such letter, or if a database or Redis does not answer; what was printed is done.
pub async fn discard(settings: &Settings, names: &[String]) -> Result<()> {
    let mut letters = letters(settings).await?;
    for name in names {
        let open = letters.open().await?;
        let letter = open.iter().find(|letter| letter.place.to_string() == *name);
        let letter = letter.ok_or_else(|| Error::other(format!("there is no open dead letter {name}")))?;
        letters.discard(&letter.place).await?;
        println!("discarded {name}: {} for {}", words(letter), letter.group);
    }
    letters.remove_closed_copies().await
}

async fn letters(settings: &Settings) -> Result<DeadLetters> {
    let gateway = Hosts::of_settings(settings)?.gateway();
    Ok(Ledger::of_settings(&gateway, settings, Access::Write).await?.dead_letters())
}

/// Puts back all that is dead in these databases and this Redis. Returns how many there were.
///
/// # Errors
/// If a database or Redis does not answer.
pub async fn replay(letters: &mut DeadLetters) -> Result<usize> {
    let open = letters.open().await?;
    let mut published = HashSet::new();
    for letter in &open {
        // One event may be the letter of several groups. Once it is on its way, it is on its way to all of them.
        let event = letter.event_id().map(|event_id| (&letter.stream, event_id));
        if event.is_some_and(|event| !published.insert(event)) {
            letters.set_replayed(&letter.place).await?;
        } else {
            letters.replay(letter).await?;
        }
        println!("{}: {} for {}: {}", letter.place, words(letter), letter.group, letter.error);
    }
    letters.remove_closed_copies().await?;
    Ok(open.len())
}

fn words(letter: &DeadLetter) -> String {
    format!("{} of {}", letter.event_id().unwrap_or("an entry without an event's id"), letter.stream)
}
