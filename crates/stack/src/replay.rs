//! `stack replay`: dead letters go back onto their streams, once what they died of is mended.

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use redis::streams::StreamRangeReply;

use crate::hosts::Hosts;
use crate::ledger::{EVENTS, connect};
use crate::settings::Settings;
use crate::{Error, Result};

/// Puts back all that is dead, and prints it.
///
/// # Errors
/// If Redis does not answer; what was printed is done.
pub async fn run(settings: &Settings) -> Result<()> {
    let mut redis = connect(Hosts::of_settings(settings)?.redis(EVENTS, settings)).await?;
    let count = replay(&mut redis).await?;
    println!("{count} dead letters were put back. `make doctor` says whether they were handled.");
    Ok(())
}

/// Puts back all that is dead on this database, each letter as a whole: it is never on both streams, nor on none. Every
/// group reads it again; those that have handled it know it. Returns how many there were.
///
/// # Errors
/// If Redis does not answer.
pub async fn replay(redis: &mut MultiplexedConnection) -> Result<usize> {
    let failed = || Error::redis("put dead letters back");
    let mut graves: Vec<String> = redis.keys("stream:*:dlq").await.map_err(failed())?;
    graves.sort();
    let mut count = 0;
    for grave in graves {
        let stream = grave.trim_end_matches(":dlq");
        let letters: StreamRangeReply = redis.xrange_all(&grave).await.map_err(failed())?;
        for mut letter in letters.ids {
            // What its consumer added when it gave it up.
            let [group, error, _tries] = ["group", "error", "tries"].map(|name| letter.map.remove(name));
            let words = |value: Option<redis::Value>| {
                value.and_then(|value| redis::from_redis_value::<String>(value).ok()).unwrap_or_default()
            };
            let event_id = letter.map.get("event_id").cloned();
            println!("{stream} {} for {}: {}", words(event_id), words(group), words(error));
            let bytes = |(name, value)| Ok((name, redis::from_redis_value::<Vec<u8>>(value)?));
            let event: redis::RedisResult<Vec<(String, Vec<u8>)>> =
                letter.map.into_iter().map(bytes).collect();
            let event = event.map_err(failed())?;
            let mut both = redis::pipe();
            both.atomic().xadd(stream, "*", &event).ignore().xdel(&grave, &[&letter.id]).ignore();
            let () = both.query_async(redis).await.map_err(failed())?;
            count += 1;
        }
    }
    Ok(count)
}
