//! Events that cannot be handled go aside, alone.

use contracts::events::Event;
use messaging::{HandlerError, Policy};
use redis::cmd;
use sqlx::AssertSqlSafe;
use std::time::Duration;
use uuid::Uuid;

use crate::support::{Conduct, GROUP, Logs, Ping, World, eventually, fields, policy};

const STREAM: &str = Ping::STREAM.name;

async fn dead_letter(world: &World) -> messaging::Fields {
    eventually("a dead letter", async || !world.redis.dead_letters(STREAM).await.is_empty()).await;
    world.wait_until_acknowledged(STREAM).await;
    let mut dead_letters = world.redis.dead_letters(STREAM).await;
    assert_eq!(dead_letters.len(), 1);
    dead_letters.remove(0)
}

#[tokio::test]
async fn what_does_not_decode_is_a_dead_letter_at_once_with_all_that_it_was() {
    let world = World::new().await;
    let mut original = fields(Ping::new(1));
    original.insert("version".to_owned(), "2".to_owned());
    world.add_raw(STREAM, "*", &original).await;
    world.add(Ping::new(2)).await;
    let consumer = world.consumer();
    let mut dead_letter = dead_letter(&world).await;
    world.wait_for_effects([2]).await;
    consumer.stop().await;
    assert_eq!(dead_letter.remove("group").unwrap(), GROUP);
    assert_eq!(dead_letter.remove("error").unwrap(), "rejected: expected Ping v1, found Ping v2");
    assert_eq!(dead_letter.remove("tries").unwrap(), "1");
    let entry_id = dead_letter.remove("entry_id").unwrap();
    assert_eq!(dead_letter, original);

    let kept = kept(&world).await;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].stream.as_str(), kept[0].entry_id.as_str()), (STREAM, entry_id.as_str()));
    assert_eq!(kept[0].event_id.unwrap().to_string(), original["event_id"]);
    assert_eq!(kept[0].event_type.as_deref(), Some("Ping"));
    assert_eq!(kept[0].correlation_id.as_ref(), Some(&original["correlation_id"]));
    assert_eq!(kept[0].error, "rejected: expected Ping v1, found Ping v2");
    assert_eq!(kept[0].tries, 1);
    let fields = original.iter().map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes()));
    assert_eq!(kept[0].fields(), fields.collect::<Vec<_>>());
}

/// What the consumer's database knows of a dead letter.
#[derive(sqlx::FromRow)]
struct Kept {
    stream: String,
    entry_id: String,
    event_id: Option<Uuid>,
    event_type: Option<String>,
    correlation_id: Option<String>,
    names: Vec<Vec<u8>>,
    contents: Vec<Vec<u8>>,
    error: String,
    tries: i32,
}

impl Kept {
    fn fields(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.names.iter().cloned().zip(self.contents.iter().cloned()).collect()
    }
}

async fn kept(world: &World) -> Vec<Kept> {
    let rows = sqlx::query_as("select * from messaging.dead_letters where consumer = $1 order by id");
    rows.bind(GROUP).fetch_all(&world.pool).await.unwrap()
}

#[tokio::test]
async fn a_dead_letter_outlives_redis() {
    let world = World::new().await;
    world.app.conduct(|_, _| Conduct::HandlerError(HandlerError::reject("such an order cannot be")));
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    dead_letter(&world).await;
    world.redis.flush().await;
    consumer.stop().await;
    assert_eq!(kept(&world).await[0].error, "rejected: such an order cannot be");
}

#[tokio::test]
async fn a_dead_letter_that_cannot_be_kept_is_not_acknowledged() {
    let (world, logs) = (World::new().await, Logs::record());
    let rename = async |from: &str, to: &str| {
        let rename = format!("alter table messaging.{from} rename to {to}");
        sqlx::query(AssertSqlSafe(rename)).execute(&world.pool).await.unwrap();
    };
    world.app.conduct(|_, _| Conduct::HandlerError(HandlerError::reject("a wrong one")));
    rename("dead_letters", "elsewhere").await;
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    let failures = async || logs.lines("ERROR", "a dead letter could not be kept").len();
    eventually("some tries", async || failures().await > 2).await;
    assert_eq!(world.redis.pending(STREAM).await, 1);
    assert!(world.redis.dead_letters(STREAM).await.is_empty());
    rename("elsewhere", "dead_letters").await;
    dead_letter(&world).await;
    consumer.stop().await;
    assert_eq!(kept(&world).await.len(), 1);
}

#[tokio::test]
async fn a_dead_letter_that_was_kept_but_not_acknowledged_is_kept_once() {
    let mut world = World::new().await;
    world.app.conduct(|_, _| Conduct::HandlerError(HandlerError::reject("a wrong one")));
    let mut hold = world.pool.begin().await.unwrap();
    sqlx::query("lock table messaging.dead_letters in exclusive mode").execute(&mut *hold).await.unwrap();
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    eventually("the dead_letter to be written", async || {
        let waits = "select exists (select from pg_locks where relation = 'messaging.dead_letters'::regclass
                     and not granted)";
        sqlx::query_scalar(waits).fetch_one(&world.pool).await.unwrap()
    })
    .await;
    world.redis.save().await;
    world.redis.crash();
    hold.rollback().await.unwrap();
    eventually("the row", async || kept(&world).await.len() == 1).await;
    world.redis.resume().await;
    dead_letter(&world).await;
    consumer.stop().await;
    assert_eq!(kept(&world).await.len(), 1);
}

#[tokio::test]
async fn bytes_that_are_no_text_stop_nobody() {
    let world = World::new().await;
    let mut add = cmd("XADD");
    add.arg(STREAM).arg("*").arg(b"\xff\xfe").arg(b"\x00\xff");
    let _: String = world.redis.ask(add).await;
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    world.wait_for_effects([1]).await;
    eventually("nothing pending", async || world.redis.pending(STREAM).await == 0).await;
    consumer.stop().await;
    let mut length = cmd("XLEN");
    length.arg(format!("{STREAM}:dlq"));
    assert_eq!(world.redis.ask::<u64>(length).await, 1);
    let kept = kept(&world).await;
    assert_eq!((kept.len(), kept[0].event_id), (1, None));
    assert_eq!(kept[0].fields(), [(b"\xff\xfe".to_vec(), b"\x00\xff".to_vec())]);
}

#[tokio::test]
async fn text_that_postgres_cannot_keep_as_text_and_names_that_come_twice_are_kept() {
    let world = World::new().await;
    let mut add = cmd("XADD");
    add.arg(STREAM).arg("*").arg("type").arg("a\0b").arg("version").arg("1").arg("version").arg("2");
    add.arg("correlation_id").arg("\0").arg("event_id").arg("none");
    let _: String = world.redis.ask(add).await;
    let consumer = world.consumer();
    eventually("a dead_letter", async || kept(&world).await.len() == 1).await;
    world.wait_until_acknowledged(STREAM).await;
    consumer.stop().await;
    let dead_letter = kept(&world).await.remove(0);
    assert_eq!(dead_letter.event_type.as_deref(), Some("a\u{fffd}b"));
    assert_eq!(dead_letter.error, "rejected: expected Ping v1, found a\u{fffd}b v2");
    let names: Vec<&[u8]> = dead_letter.names.iter().map(Vec::as_slice).collect();
    assert_eq!(names, [&b"type"[..], b"version", b"version", b"correlation_id", b"event_id"]);
}

#[tokio::test]
async fn what_a_handler_rejects_is_a_dead_letter_at_once() {
    let world = World::new().await;
    world.app.conduct(|_, _| Conduct::HandlerError(HandlerError::reject("such an order cannot be")));
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    let dead_letter = dead_letter(&world).await;
    consumer.stop().await;
    assert_eq!(dead_letter["error"], "rejected: such an order cannot be");
    assert_eq!(world.app.tries(1), 1);
    assert!(world.effects().await.is_empty());
}

#[tokio::test]
async fn a_bug_is_a_dead_letter_after_its_tries() {
    let world = World::new().await;
    world.app.conduct(|_, _| Conduct::HandlerError(HandlerError::bug("division by zero")));
    world.add(Ping::new(1)).await;
    let consumer = world.consumer_with(Policy { bug_for: Duration::ZERO, ..policy() });
    let dead_letter = dead_letter(&world).await;
    consumer.stop().await;
    assert_eq!(dead_letter["error"], "handler failed: division by zero");
    assert_eq!(dead_letter["tries"], "3");
    assert_eq!(world.app.tries(1), 3);
}

#[tokio::test]
async fn a_panic_is_a_bug() {
    let world = World::new().await;
    world.app.conduct(|_, _| Conduct::Panic);
    world.add(Ping::new(1)).await;
    let consumer = world.consumer();
    let dead_letter = dead_letter(&world).await;
    consumer.stop().await;
    assert_eq!(dead_letter["error"], "handler failed: panicked: span to panic");
    assert!(world.effects().await.is_empty());
}

#[tokio::test]
async fn a_handler_that_is_too_slow_for_once_is_tried_again_and_again() {
    let world = World::new().await;
    world.app.conduct(|_, tries| if tries < 20 { Conduct::Hang } else { Conduct::Succeed });
    world.add(Ping::new(1)).await;
    let hasty = Policy { deadline: Duration::from_millis(20), bug_for: Duration::ZERO, ..policy() };
    let consumer = world.consumer_with(hasty);
    eventually("the effect", async || !world.effects().await.is_empty()).await;
    consumer.stop().await;
    assert_eq!(world.redis.dead_letters(STREAM).await, []);
}

/// Gives a cause no time beyond the first try.
fn impatient() -> Policy {
    Policy { not_yet_for: Duration::from_millis(1), ..policy() }
}

#[tokio::test]
async fn an_event_that_was_not_read_for_days_still_waits_for_its_cause() {
    let world = World::new().await;
    let late = |_, tries| {
        if tries < 3 {
            Conduct::HandlerError(HandlerError::not_yet("no such order"))
        } else {
            Conduct::Succeed
        }
    };
    world.app.conduct(late);
    world.add_raw(STREAM, "1-0", &fields(Ping::new(1))).await;
    let consumer = world.consumer();
    world.wait_for_effects([1]).await;
    world.wait_until_acknowledged(STREAM).await;
    consumer.stop().await;
    assert!(world.redis.dead_letters(STREAM).await.is_empty());
}

#[tokio::test]
async fn an_event_whose_cause_never_comes_is_a_dead_letter_some_time_after_its_first_try() {
    let world = World::new().await;
    world.app.conduct(|_, _| Conduct::HandlerError(HandlerError::not_yet("no such order")));
    world.add(Ping::new(1)).await;
    let patient = world.consumer();
    eventually("some tries", async || world.app.tries(1) > 3).await;
    patient.stop().await;
    assert!(world.redis.dead_letters(STREAM).await.is_empty());

    // Another process counts from the first try of the first one.
    let consumer = world.consumer_with(impatient());
    let dead_letter = dead_letter(&world).await;
    assert_eq!((dead_letter["n"].as_str(), dead_letter["tries"].as_str()), ("1", "1"));
    assert_eq!(dead_letter["error"], "too early: no such order");
    world.add(Ping::new(2)).await;
    eventually("a second dead_letter", async || world.redis.dead_letters(STREAM).await.len() == 2).await;
    consumer.stop().await;
    assert_eq!(world.redis.dead_letters(STREAM).await[1]["tries"], "2", "a young one has a second try");
    let first = "select first_failed_at < died_at - interval '5 ms' from messaging.dead_letters order by id";
    let waited: Vec<bool> = sqlx::query_scalar(first).fetch_all(&world.pool).await.unwrap();
    assert!(waited[0], "the first try of the first process");
}

#[tokio::test]
async fn a_redis_that_is_full_stops_no_consumer() {
    let world = World::new().await;
    world.app.conduct(|n, tries| match n {
        1 if tries < 9 => Conduct::HandlerError(HandlerError::not_yet("no such order")),
        2 => Conduct::HandlerError(HandlerError::reject("a wrong one")),
        _ => Conduct::Succeed,
    });
    for n in 0..4 {
        world.add(Ping::new(n)).await;
    }
    world.redis.create_group(STREAM, GROUP).await;
    let memory = async |bytes: &str| {
        let mut set = cmd("CONFIG");
        set.arg("SET").arg("maxmemory").arg(bytes);
        let () = world.redis.ask(set).await;
    };
    memory("1").await;
    let consumer = world.consumer();
    world.wait_for_effects([0, 1, 3]).await;
    eventually("all but the dead one", async || world.redis.pending(STREAM).await == 1).await;
    assert_eq!(kept(&world).await.len(), 1);
    memory("0").await;
    assert_eq!(dead_letter(&world).await["n"], "2");
    consumer.stop().await;
    assert_eq!(kept(&world).await.len(), 1);
}
