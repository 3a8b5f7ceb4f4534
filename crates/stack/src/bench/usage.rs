//! What the servers spend, read from the system, PostgreSQL and Redis.

use std::collections::BTreeMap;
use std::time::Duration;

use nix::unistd::{SysconfVar, sysconf};
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{Error, Result};

/// What was spent until a moment, or between two.
#[derive(Debug, Clone, Default)]
pub(super) struct Usage {
    /// Processor time of each server with its children.
    pub(super) cpu: BTreeMap<&'static str, Duration>,
    /// Bytes written to `PostgreSQL`'s write-ahead log.
    pub(super) wal: u64,
    /// Transactions that wrote something to a database.
    pub(super) transactions: u64,
    /// SQL statements, where `pg_stat_statements` counts them.
    pub(super) statements: Option<u64>,
    /// Commands to Redis, those of scripts included.
    pub(super) redis: u64,
}

impl Usage {
    pub(super) async fn now(
        processes: &[(&'static str, u32)],
        postgres: &PgPool,
        statements: bool,
        redis: &mut MultiplexedConnection,
    ) -> Result<Self> {
        let (wal, transactions): (i64, i64) = sqlx::query_as(
            "select (pg_current_wal_insert_lsn() - '0/0')::bigint,
                    pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
        )
        .fetch_one(postgres)
        .await
        .map_err(Error::sql("read the counters of PostgreSQL"))?;
        let statements = if statements { Some(count_statements(postgres).await?) } else { None };
        Ok(Self {
            cpu: cpu(processes),
            wal: wal.cast_unsigned(),
            transactions: transactions.cast_unsigned(),
            statements,
            redis: count_commands(redis).await?,
        })
    }

    /// What was spent since an earlier moment.
    pub(super) fn since(self, earlier: &Self) -> Self {
        let before = |name| earlier.cpu.get(name).copied().unwrap_or_default();
        Self {
            cpu: self.cpu.into_iter().map(|(name, now)| (name, now.saturating_sub(before(name)))).collect(),
            wal: self.wal - earlier.wal,
            transactions: self.transactions - earlier.transactions,
            statements: self.statements.zip(earlier.statements).map(|(now, then)| now - then),
            redis: self.redis - earlier.redis,
        }
    }

    /// Processor time of all servers but the local Midtrans, which stands for a system that is elsewhere.
    pub(super) fn total_cpu(&self) -> Duration {
        self.cpu.iter().filter(|(name, _)| **name != "midtrans-sandbox").map(|(_, cpu)| *cpu).sum()
    }

    pub(super) fn to_json(&self) -> Value {
        let cpu: BTreeMap<_, _> = self.cpu.iter().map(|(name, cpu)| (*name, cpu.as_secs_f64())).collect();
        json!({"cpu_seconds": cpu, "wal_bytes": self.wal, "transactions": self.transactions,
               "statements": self.statements, "redis_commands": self.redis})
    }
}

/// The bench's own statements are a few beside thousands.
async fn count_statements(postgres: &PgPool) -> Result<u64> {
    let calls = sqlx::query_scalar("select coalesce(sum(calls), 0)::bigint from pg_stat_statements");
    let calls: i64 = calls.fetch_one(postgres).await.map_err(Error::sql("count statements"))?;
    Ok(calls.cast_unsigned())
}

async fn count_commands(redis: &mut MultiplexedConnection) -> Result<u64> {
    let info: redis::InfoDict =
        redis::cmd("INFO").arg("stats").query_async(redis).await.map_err(Error::redis("ask Redis"))?;
    Ok(info.get("total_commands_processed").unwrap_or_default())
}

/// The processor time of each of these so far; of none on a system without /proc.
pub(super) fn cpu(processes: &[(&'static str, u32)]) -> BTreeMap<&'static str, Duration> {
    let ticks = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100);
    let tick = Duration::from_secs(1) / u32::try_from(ticks).unwrap_or(100);
    let time = |pid| tick * u32::try_from(ticks_of(pid)).unwrap_or(u32::MAX);
    processes.iter().map(|(name, pid)| (*name, time(*pid))).collect()
}

/// Of a process, its children that ended, and those that run: `PostgreSQL` has one for each connection.
fn ticks_of(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may contain anything; utime, stime, cutime and cstime follow behind its end.
    let fields = stat.rsplit_once(") ").map(|(_, fields)| fields).unwrap_or_default();
    let own: u64 = fields.split(' ').skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    own + children(pid).into_iter().map(ticks_of).sum::<u64>()
}

/// Each is listed with the thread that started it.
fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = threads.flatten().filter_map(|it| std::fs::read_to_string(it.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|it| it.parse().ok()).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_time_of_a_child_counts_while_it_runs_and_after_its_end() {
        let own = || cpu(&[("test", std::process::id())])["test"];
        let busy = ["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; read -r _"];
        let before = own();
        let mut shell = std::process::Command::new("sh");
        let mut child = shell.args(busy).stdin(std::process::Stdio::piped()).spawn().unwrap();
        while cpu(&[("child", child.id())])["child"] < Duration::from_millis(50) {
            std::thread::yield_now();
        }
        assert!(own() >= before + Duration::from_millis(50));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(own() >= before + Duration::from_millis(50));
    }

    #[test]
    fn the_local_midtrans_is_no_server_of_the_shop() {
        let ms = Duration::from_millis;
        let usage = |order, sandbox| Usage {
            cpu: [("order-service", ms(order)), ("midtrans-sandbox", ms(sandbox))].into(),
            wal: order,
            ..Usage::default()
        };
        let spent = usage(70, 9).since(&usage(30, 4));
        assert_eq!((spent.total_cpu(), spent.cpu["midtrans-sandbox"], spent.wal), (ms(40), ms(5), 40));
    }
}
