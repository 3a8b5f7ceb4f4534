//! One stream: reads when it has nothing left to start, starts work as slots come free, settles what has ended.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    future::poll_fn,
    sync::Arc,
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, OptionFuture},
};
use redis::RedisResult;
use tokio::{
    sync::OwnedSemaphorePermit,
    task::JoinSet,
    time::{Instant, interval, sleep, sleep_until, timeout},
};
use tokio_util::sync::{CancellationToken, PollSemaphore};

use super::{
    Shared, StreamHandler, Subscription,
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
const REMOVE_IDLE_CONSUMERS_EVERY: Duration = Duration::from_mins(10);

pub(super) struct StreamWorker<E> {
    shared: Arc<Shared<E>>,
    source: Subscription,
    reconnect: Reconnect,
    /// Ids of every entry that is in memory: being read again does not double them.
    owned: HashSet<String>,
    /// To be started, in order.
    queue: VecDeque<Entry>,
    /// Waiting for another try, by the time of it; the number keeps the keys apart.
    delayed: BTreeMap<(Instant, u64), Entry>,
    delays: u64,
    jobs: JoinSet<Done>,
    slots: PollSemaphore,
}

impl<E: StreamHandler> StreamWorker<E> {
    pub(super) fn new(shared: Arc<Shared<E>>, source: Subscription) -> Self {
        Self {
            reconnect: Reconnect::new(format!("{} on {}", shared.group, source.stream)),
            slots: PollSemaphore::new(shared.slots.clone()),
            owned: HashSet::new(),
            queue: VecDeque::new(),
            delayed: BTreeMap::new(),
            delays: 0,
            jobs: JoinSet::new(),
            shared,
            source,
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
        let finish = async { while self.jobs.join_next().await.is_some() {} };
        let _ = timeout(self.shared.policy.drain, finish).await;
    }

    /// Works until the shutdown is done, or until Redis fails.
    async fn session(&mut self, shutdown: &CancellationToken) -> RedisResult<()> {
        let mut consumer = self.consumer(Some(COMMAND_TIMEOUT)).await?;
        let mut reader = Reader::new(self.consumer(None).await?, self.shared.policy.claim_after);
        consumer.create_group().await?;
        let mut upkeep = interval(self.shared.policy.claim_after / 4);
        let mut remove_idle_consumers = interval(REMOVE_IDLE_CONSUMERS_EVERY);
        let mut reading = None::<BoxFuture<'static, ReadBatch>>;
        loop {
            if self.queue.is_empty() && reading.is_none() {
                reading = Some(reader.start());
            }
            self.start_all();
            let waits_for_slot = self.may_start();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return self.wind_down(consumer, reading).await,
                _ = upkeep.tick() => self.set_idle(&mut consumer, Duration::ZERO).await?,
                _ = remove_idle_consumers.tick() => consumer.remove_idle_consumers(self.shared.policy.idle_consumer_after).await?,
                Some(done) = self.jobs.join_next() => self.settle(&mut consumer, done.ok()).await?,
                Some(batch) = OptionFuture::from(reading.as_mut()) => {
                    reading = None;
                    self.accept(reader.take(batch)?);
                    self.reconnect.recovered();
                }
                slot = poll_fn(|cx| self.slots.poll_acquire(cx)), if waits_for_slot => self.start(slot),
                () = sleep_until(next_due(&self.delayed)), if !self.delayed.is_empty() => self.resume_due(),
            }
        }
    }

    async fn consumer(&self, response_timeout: Option<Duration>) -> RedisResult<GroupConsumer> {
        let Shared { redis, group, consumer, policy, .. } = self.shared.as_ref();
        let redis = connect(redis, response_timeout).await?;
        let (stream, count) = (self.source.stream, policy.count);
        Ok(GroupConsumer { redis, stream, group, consumer: consumer.clone(), count })
    }

    fn accept(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            if self.owned.insert(entry.id.clone()) {
                self.queue.push_back(entry);
            }
        }
    }

    /// Batches of one stream go one after the other, so that they keep its order.
    fn may_start(&self) -> bool {
        !self.queue.is_empty() && (!self.source.batch || self.jobs.is_empty())
    }

    /// Starts as much as there are free slots for. Where there is none, the worker is in line for the next.
    fn start_all(&mut self) {
        while self.may_start()
            && let Some(slot) = poll_fn(|cx| self.slots.poll_acquire(cx)).now_or_never()
        {
            self.start(slot);
        }
    }

    fn start(&mut self, slot: Option<OwnedSemaphorePermit>) {
        let count = if self.source.batch { self.queue.len().min(self.shared.policy.count) } else { 1 };
        let entries = self.queue.drain(..count).collect();
        self.jobs.spawn(work(self.shared.clone(), self.source.stream, entries, slot));
    }

    /// Acknowledges, gives up or parks what has ended. If Redis fails meanwhile, the entries are read again later.
    async fn settle(&mut self, consumer: &mut GroupConsumer, first: Option<Done>) -> RedisResult<()> {
        let mut ended: Done = first.unwrap_or_default();
        while let Some(done) = self.jobs.try_join_next() {
            ended.extend(done.unwrap_or_default());
        }
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
            self.jobs.spawn(keep(self.shared.clone(), self.source.stream, hopeless));
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
        let (stream, error) = (self.source.stream, fail.text());
        tracing::error!(stream, entry.id, error, "a dead letter could not be kept: trying again");
        self.delay(entry, fail, self.shared.policy.longest_wait);
    }

    fn delay(&mut self, entry: Entry, fail: &HandlerError, wait: Duration) {
        if entry.tries == 1 {
            tracing::warn!(stream = self.source.stream, entry.id, error = fail.text(), "event has to wait");
        }
        if self.delayed.len() < self.shared.policy.delayed {
            self.owned.insert(entry.id.clone());
            self.delays += 1;
            self.delayed.insert((Instant::now() + wait, self.delays), entry);
        }
    }

    fn resume_due(&mut self) {
        let later = self.delayed.split_off(&(Instant::now(), u64::MAX));
        self.queue.extend(std::mem::replace(&mut self.delayed, later).into_values());
    }

    /// Finishes what is in hand and leaves the rest to whoever claims first.
    async fn wind_down(
        &mut self,
        mut consumer: GroupConsumer,
        reading: Option<BoxFuture<'static, ReadBatch>>,
    ) -> RedisResult<()> {
        let drain = self.shared.policy.drain;
        let finish = async {
            while let Some(done) = self.jobs.join_next().await {
                // Work goes on without Redis, too: what is not acknowledged is known when it comes again.
                let _ = self.settle(&mut consumer, done.ok()).await;
            }
        };
        let _ = timeout(drain, finish).await;
        self.jobs.shutdown().await;
        let leave = async {
            if let Some(Ok((entries, _))) = OptionFuture::from(reading).await {
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
        let labels = [("group", self.shared.group), ("stream", self.source.stream), ("outcome", outcome)];
        metrics::counter!("consumer_events_total", &labels).increment(entries as u64);
    }
}

fn next_due(delayed: &BTreeMap<(Instant, u64), Entry>) -> Instant {
    delayed.keys().next().map_or_else(Instant::now, |(due, _)| *due)
}
