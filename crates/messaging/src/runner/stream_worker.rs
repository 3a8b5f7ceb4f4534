//! One stream: reads while it has less than a batch left to start, handles all that has come as one batch, settles what has ended.
//! While a batch is handled the next one gathers, so batches are as large as the load makes them.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures::future::{BoxFuture, OptionFuture};
use redis::RedisResult;
use tokio::{
    task::JoinSet,
    time::{Instant, interval, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Shared, StreamHandler,
    group::GroupConsumer,
    reader::{ReadBatch, Reader},
    retry::{Entry, RetryDecision},
    work::{Done, Ended, keep, work},
};
use crate::{
    HandlerError,
    connection::{Reconnect, connect},
};

/// How long a command that does not wait may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);
const END_READ_AGAIN: Duration = Duration::from_millis(50);
const REMOVE_IDLE_CONSUMERS_EVERY: Duration = Duration::from_mins(10);

pub(super) struct StreamWorker<E> {
    shared: Arc<Shared<E>>,
    stream: &'static str,
    reconnect: Reconnect,
    /// Ids of every entry that is in memory: being read again does not double them.
    owned: HashSet<String>,
    /// What was read and not started, in order.
    fresh: VecDeque<Entry>,
    /// What has waited and is to be tried again.
    due: VecDeque<Entry>,
    /// Waiting for another try, by the time of it; the number keeps the keys apart.
    delayed: BTreeMap<(Instant, u64), Entry>,
    delays: u64,
    /// The batch in hand: one at a time, so that a stream keeps its order.
    batch: JoinSet<Done>,
    /// Entries that were given up and are being kept.
    dead: JoinSet<Done>,
}

impl<E: StreamHandler> StreamWorker<E> {
    pub(super) fn new(shared: Arc<Shared<E>>, stream: &'static str) -> Self {
        Self {
            reconnect: Reconnect::new(format!("{} on {stream}", shared.group)),
            owned: HashSet::new(),
            fresh: VecDeque::new(),
            due: VecDeque::new(),
            delayed: BTreeMap::new(),
            delays: 0,
            batch: JoinSet::new(),
            dead: JoinSet::new(),
            shared,
            stream,
        }
    }

    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if let Err(error) = self.session(&shutdown).await {
                let wait = self.reconnect.failed(&error);
                shutdown.run_until_cancelled(sleep(wait)).await;
            }
        }
        // Without Redis there was nobody to acknowledge to; the work in hand is finished all the same.
        let drain = self.shared.policy.drain;
        let _ = timeout(drain, async { while self.next_done().await.is_some() {} }).await;
    }

    /// Works until the shutdown is done, or until Redis fails.
    async fn session(&mut self, shutdown: &CancellationToken) -> RedisResult<()> {
        let mut consumer = self.consumer(Some(COMMAND_TIMEOUT)).await?;
        let mut reader = Reader::new(self.consumer(None).await?, self.shared.policy.claim_after).await?;
        consumer.create_group().await?;
        let mut upkeep = interval(self.shared.policy.claim_after / 4);
        let mut remove_idle_consumers = interval(REMOVE_IDLE_CONSUMERS_EVERY);
        let mut reading = None::<BoxFuture<'static, ReadBatch>>;
        loop {
            self.start();
            if self.fresh.len() < self.shared.policy.count && reading.is_none() {
                reading = Some(reader.start());
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return self.wind_down(consumer, reading.map(|reading| (reader.connection, reading))).await,
                _ = upkeep.tick() => self.set_idle(&mut consumer, Duration::ZERO).await?,
                _ = remove_idle_consumers.tick() => consumer.remove_idle_consumers(self.shared.policy.idle_consumer_after).await?,
                Some(done) = self.batch.join_next() => self.settle(&mut consumer, done.unwrap_or_default()).await?,
                Some(done) = self.dead.join_next() => self.settle(&mut consumer, done.unwrap_or_default()).await?,
                Some(batch) = OptionFuture::from(reading.as_mut()) => {
                    reading = None;
                    self.accept(reader.take(batch)?);
                    self.reconnect.recovered();
                }
                () = sleep_until(next_due(&self.delayed)), if !self.delayed.is_empty() => self.resume_due(),
            }
        }
    }

    async fn consumer(&self, response_timeout: Option<Duration>) -> RedisResult<GroupConsumer> {
        let Shared { redis, group, consumer, policy, .. } = self.shared.as_ref();
        let redis = connect(redis, response_timeout).await?;
        let (stream, count) = (self.stream, policy.count);
        Ok(GroupConsumer { redis, stream, group, consumer: consumer.clone(), count })
    }

    fn accept(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            if self.owned.insert(entry.id.clone()) {
                self.fresh.push_back(entry);
            }
        }
    }

    /// Starts a batch of all that there is, unless one is in hand. Entries that are tried again take half of it at most: they
    /// must not keep new ones from being handled, nor the other way round.
    fn start(&mut self) {
        if !self.batch.is_empty() || (self.fresh.is_empty() && self.due.is_empty()) {
            return;
        }
        let count = self.shared.policy.count;
        let again = self.due.len().min(count.div_ceil(2));
        let mut entries: Vec<Entry> = self.due.drain(..again).collect();
        entries.extend(self.fresh.drain(..self.fresh.len().min(count - again)));
        self.batch.spawn(work(self.shared.clone(), self.stream, entries));
    }

    /// What ends next of what is in hand; nothing if nothing is.
    async fn next_done(&mut self) -> Option<Done> {
        tokio::select! {
            Some(done) = self.batch.join_next() => Some(done.unwrap_or_default()),
            Some(done) = self.dead.join_next() => Some(done.unwrap_or_default()),
            else => None,
        }
    }

    /// Acknowledges, gives up or parks what has ended. If Redis fails meanwhile, the entries are read again later.
    async fn settle(&mut self, consumer: &mut GroupConsumer, ended: Done) -> RedisResult<()> {
        let (mut handled, mut hopeless, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for (entry, end) in ended {
            self.owned.remove(&entry.id);
            match end {
                Ended::Handled => handled.push(entry.id),
                Ended::Failed(fail) => hopeless.extend(self.decide(consumer, entry, fail).await),
                Ended::Kept(error) => kept.push((entry, error)),
                Ended::NotKept(fail) => self.keep_later(entry, &fail),
            }
        }
        self.count("handled", handled.len());
        consumer.ack(&handled).await?;
        self.owned.extend(hopeless.iter().map(|(entry, _)| entry.id.clone()));
        if !hopeless.is_empty() {
            self.dead.spawn(keep(self.shared.clone(), self.stream, hopeless));
        }
        for (entry, error) in kept {
            self.dead_letter(consumer, entry, error).await?;
        }
        Ok(())
    }

    /// Parks an entry that failed, or returns it if there is no hope for it.
    async fn decide(
        &mut self,
        consumer: &mut GroupConsumer,
        mut entry: Entry,
        fail: HandlerError,
    ) -> Option<(Entry, HandlerError)> {
        self.count(fail.label(), 1);
        entry.count(&fail);
        let policy = &self.shared.policy;
        if matches!(fail, HandlerError::NotYet(_)) && entry.waits.is_none() {
            entry.note_wait(consumer.tried_for(&entry.id, policy.not_yet_for * 2).await);
        }
        match entry.decide(&fail, policy) {
            RetryDecision::DeadLetter => Some((entry, fail)),
            RetryDecision::RetryAfter(wait) => {
                self.delay(entry, &fail, wait);
                None
            }
        }
    }

    /// Makes a dead letter of an entry that is kept as one. A Redis that takes nothing in does not get to acknowledge it.
    async fn dead_letter(
        &mut self,
        consumer: &mut GroupConsumer,
        entry: Entry,
        error: String,
    ) -> RedisResult<()> {
        match consumer.dead_letter(&entry.id, &error, entry.tries).await {
            Ok(()) => {
                tracing::error!(stream = consumer.stream, entry.id, entry.tries, error, "dead letter");
                self.count("dead", 1);
                Ok(())
            }
            Err(refused) if refused.code().is_some() => {
                self.keep_later(entry, &HandlerError::retry(refused));
                Ok(())
            }
            Err(lost) => Err(lost),
        }
    }

    fn keep_later(&mut self, entry: Entry, fail: &HandlerError) {
        let (stream, error) = (self.stream, fail.text());
        tracing::error!(stream, entry.id, error, "a dead letter could not be kept: trying again");
        self.delay(entry, fail, self.shared.policy.longest_wait);
    }

    fn delay(&mut self, entry: Entry, fail: &HandlerError, wait: Duration) {
        if entry.tries == 1 {
            tracing::warn!(stream = self.stream, entry.id, error = fail.text(), "event has to wait");
        }
        if self.delayed.len() < self.shared.policy.delayed {
            self.owned.insert(entry.id.clone());
            self.delays += 1;
            self.delayed.insert((Instant::now() + wait, self.delays), entry);
        }
    }

    fn resume_due(&mut self) {
        let later = self.delayed.split_off(&(Instant::now(), u64::MAX));
        self.due.extend(std::mem::replace(&mut self.delayed, later).into_values());
    }

    /// Finishes what is in hand and leaves the rest to whoever claims first.
    async fn wind_down(
        &mut self,
        mut consumer: GroupConsumer,
        reading: Option<(i64, BoxFuture<'static, ReadBatch>)>,
    ) -> RedisResult<()> {
        let drain = self.shared.policy.drain;
        let finish = async {
            while let Some(done) = self.next_done().await {
                // Work goes on without Redis, too: what is not acknowledged is known when it comes again.
                let _ = self.settle(&mut consumer, done).await;
            }
        };
        let _ = timeout(drain, finish).await;
        self.batch.shutdown().await;
        self.dead.shutdown().await;
        let leave = async {
            if let Some((connection, mut reading)) = reading {
                let entries = loop {
                    consumer.end_read(connection).await?;
                    // It may not have begun yet.
                    if let Ok(read) = timeout(END_READ_AGAIN, &mut reading).await {
                        break read?.0;
                    }
                };
                self.accept(entries);
            }
            self.set_idle(&mut consumer, self.shared.policy.claim_after).await
        };
        timeout(COMMAND_TIMEOUT, leave).await.unwrap_or(Ok(()))
    }

    async fn set_idle(&self, consumer: &mut GroupConsumer, idle: Duration) -> RedisResult<()> {
        let ids: Vec<&str> = self.owned.iter().map(String::as_str).collect();
        consumer.set_idle(&ids, idle).await
    }

    fn count(&self, outcome: &'static str, entries: usize) {
        let labels = [("group", self.shared.group), ("stream", self.stream), ("outcome", outcome)];
        metrics::counter!("consumer_events_total", &labels).increment(entries as u64);
    }
}

fn next_due(delayed: &BTreeMap<(Instant, u64), Entry>) -> Instant {
    delayed.keys().next().map_or_else(Instant::now, |(due, _)| *due)
}
