//! `stack replay`: dead letters go back onto their streams, once what they died of is mended.

use std::collections::HashMap;

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use redis::streams::StreamRangeReply;

use crate::hosts::Hosts;
use crate::settings::Settings;
use crate::{Error, Result};

/// What a consumer adds to an entry when it gives it up.
const EPITAPH: [&str; 3] = ["group", "error", "tries"];

/// Puts back all that is dead, and prints it.
///
/// # Errors
/// If Redis does not answer; what was printed is done.
pub async fn run(settings: &Settings) -> Result<()> {
    let url = Hosts::of_settings(settings)?.redis(1, settings);
    let client = redis::Client::open(url).map_err(Error::redis("the address of Redis"))?;
    let redis = client.get_multiplexed_async_connection().await;
    let count = replay(&mut redis.map_err(Error::redis("connect to Redis"))?).await?;
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
        for letter in letters.ids {
            let fields: HashMap<String, String> = letter
                .map
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), redis::from_redis_value_ref(value).ok()?)))
                .collect();
            let told = |name: &str| fields.get(name).map_or("?", String::as_str);
            println!("{stream} {} for {}: {}", told("event_id"), told("group"), told("error"));
            let event: Vec<_> = fields.iter().filter(|(name, _)| !EPITAPH.contains(&name.as_str())).collect();
            let mut both = redis::pipe();
            both.atomic().xadd(stream, "*", &event).ignore().xdel(&grave, &[&letter.id]).ignore();
            let () = both.query_async(redis).await.map_err(failed())?;
            count += 1;
        }
    }
    Ok(count)
}
