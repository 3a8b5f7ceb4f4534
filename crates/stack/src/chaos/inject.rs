//! Does to a shop what the schedule says, and takes it back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use redis::streams::StreamRangeReply;
use reqwest::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::time::{Instant, sleep};

use super::schedule::{Fault, LINKS, Order, RedisLoss, Sickness};
use crate::api::Api;
use crate::ledger::sources::{EVENTS, connect};
use crate::shop::{End, Ports, Routes, Service, Shop, ShopOptions};
use crate::{Error, Result};
use dev_servers::{Proxy, Redis, RedisOptions, Upstream, ports};

const STOP: Duration = Duration::from_secs(12);
const FOLLOWS: Duration = Duration::from_secs(10);
/// Events of each stream that come again.
const REPEATED: usize = 20;

/// A shop whose processes reach one another through proxies.
#[derive(Debug)]
pub(super) struct Injector {
    shop: Shop,
    links: BTreeMap<(End, End), Proxy>,
    /// Where Redis keeps its files.
    redis: PathBuf,
    /// The server that is to take over.
    replica: Option<(Redis, PathBuf)>,
}

impl Injector {
    /// Starts a shop with a proxy on every way.
    pub(super) async fn start(mut options: ShopOptions, progress: impl Fn(&str)) -> Result<Self> {
        let (mut routes, mut links) = (Routes::default(), BTreeMap::new());
        for (from, to) in LINKS {
            let proxy = Proxy::to(Upstream::Port(target(from, to, &options.ports))).await?;
            routes.insert(from, to, proxy.port());
            links.insert((from, to), proxy);
        }
        options.routes = routes;
        let redis = options.data.join("redis");
        let shop = Shop::start(options, progress).await?;
        Ok(Self { shop, links, redis, replica: None })
    }

    /// The shop, to be looked at.
    pub(super) fn shop(&self) -> &Shop {
        &self.shop
    }

    pub(super) async fn stop(mut self) -> Result<()> {
        self.shop.stop().await
    }

    /// Begins a fault.
    pub(super) async fn begin(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Kill(end) => self.shop.process_at(end)?.kill().await,
            Fault::Stop(end) => self.shop.process_at(end)?.stop(STOP).await,
            Fault::Freeze(end) => {
                self.shop.process_at(end)?.freeze();
                Ok(())
            }
            Fault::Loss(RedisLoss::SinceCopy) => copy(&self.log_folder(), &self.copy_folder()),
            Fault::Loss(loss) => {
                self.shop.redis().kill().await?;
                self.lose(loss)
            }
            Fault::FlushAll => {
                let deleted = redis::cmd("FLUSHALL").query_async(&mut self.redis().await?).await;
                deleted.map_err(Error::redis("delete everything in Redis"))
            }
            Fault::Failover => self.make_replica().await,
            Fault::ReadOnly => {
                self.sql(&["ALTER SYSTEM SET default_transaction_read_only = on", RELOAD]).await
            }
            Fault::NoConnections => self.limit_connections(0).await,
            Fault::Link(from, to, damage) => {
                self.link(from, to)?.damage(damage);
                Ok(())
            }
            Fault::Repeat(order) => self.repeat(order).await,
            Fault::Midtrans(sickness) => self.infect(Some(sickness)).await,
            Fault::RollingRestart => self.replace_all().await,
        }
    }

    /// Ends a fault. What was killed is started, but need not be ready yet.
    pub(super) async fn end(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Kill(end) | Fault::Stop(end) => self.shop.process_at(end)?.restart().await,
            Fault::Freeze(end) => {
                self.shop.process_at(end)?.thaw();
                Ok(())
            }
            Fault::Loss(loss) => {
                if loss == RedisLoss::SinceCopy {
                    self.shop.redis().kill().await?;
                    self.lose(loss)?;
                }
                self.shop.redis().restart().await
            }
            Fault::Failover => self.fail_over().await,
            Fault::ReadOnly => self.sql(&["ALTER SYSTEM RESET default_transaction_read_only", RELOAD]).await,
            Fault::NoConnections => self.limit_connections(-1).await,
            Fault::Link(from, to, _) => {
                self.link(from, to)?.heal();
                Ok(())
            }
            Fault::Midtrans(_) => self.infect(None).await,
            Fault::FlushAll | Fault::Repeat(_) | Fault::RollingRestart => Ok(()),
        }
    }

    fn link(&self, from: End, to: End) -> Result<&Proxy> {
        self.links.get(&(from, to)).ok_or_else(|| Error::other(format!("no link from {from} to {to}")))
    }

    async fn redis(&self) -> Result<MultiplexedConnection> {
        connect(self.shop.redis_url(EVENTS)).await
    }

    fn log_folder(&self) -> PathBuf {
        self.redis.join("appendonlydir")
    }

    fn copy_folder(&self) -> PathBuf {
        self.redis.join("copy")
    }

    /// What happens to the files of a Redis that does not run.
    fn lose(&self, loss: RedisLoss) -> Result<()> {
        match loss {
            RedisLoss::Everything => remove(&self.log_folder()),
            RedisLoss::Tail => cut_tail(&self.log_folder()),
            RedisLoss::SinceCopy => {
                remove(&self.log_folder())?;
                copy(&self.copy_folder(), &self.log_folder())
            }
        }
    }

    /// Starts a replica, and has it stop following once it has everything.
    async fn make_replica(&mut self) -> Result<()> {
        let folder = self.redis.with_file_name(format!("redis-{}", ports::free()?));
        let options =
            RedisOptions { persistent: true, folder: Some(folder.clone()), ..RedisOptions::default() };
        let replica = Redis::start(options).await?;
        let mut connection = connect(replica.url(EVENTS)).await?;
        let follow = async {
            let port = self.shop.redis_port();
            let () = redis::cmd("REPLICAOF").arg("127.0.0.1").arg(port).query_async(&mut connection).await?;
            let deadline = Instant::now() + FOLLOWS;
            loop {
                let info: String = redis::cmd("INFO").arg("replication").query_async(&mut connection).await?;
                if info.contains("master_link_status:up") || Instant::now() > deadline {
                    break;
                }
                sleep(dev_servers::POLL).await;
            }
            redis::cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut connection).await
        };
        let () = follow.await.map_err(Error::redis("follow Redis"))?;
        self.replica = Some((replica, folder));
        Ok(())
    }

    async fn fail_over(&mut self) -> Result<()> {
        let (replica, folder) = self.replica.take().ok_or_else(|| Error::other("there is no replica"))?;
        for ((_, to), link) in &self.links {
            if *to == End::Redis {
                link.retarget(Upstream::Port(replica.port()));
            }
        }
        self.redis = folder;
        self.shop.replace_redis(replica).kill().await
    }

    async fn sql(&self, statements: &[&str]) -> Result<()> {
        let url = self.shop.database_url(Service::User).unwrap_or_default();
        let run = async {
            let mut connection = PgConnection::connect(&url).await?;
            for statement in statements {
                connection.execute(AssertSqlSafe((*statement).to_owned())).await?;
            }
            connection.close().await
        };
        run.await.map_err(Error::sql("break PostgreSQL"))
    }

    async fn limit_connections(&self, limit: i8) -> Result<()> {
        let role = self.shop.settings().get("DB_USER");
        let alter = format!("ALTER ROLE \"{role}\" CONNECTION LIMIT {limit}");
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'");
        let end = if limit == 0 { end.as_str() } else { "SELECT" };
        self.sql(&[alter.as_str(), end]).await
    }

    async fn repeat(&self, order: Order) -> Result<()> {
        let mut redis = self.redis().await?;
        let repeat = async {
            let streams: Vec<String> = redis.keys("stream:*").await?;
            for stream in streams.iter().filter(|stream| !stream.ends_with(":dlq")) {
                let entries: StreamRangeReply = match order {
                    Order::Oldest => redis.xrange_count(stream, "-", "+", REPEATED).await?,
                    Order::Newest | Order::Backwards => {
                        redis.xrevrange_count(stream, "+", "-", REPEATED).await?
                    }
                };
                let mut entries = entries.ids;
                if order == Order::Newest {
                    entries.reverse();
                }
                for entry in entries {
                    let fields: Vec<_> = entry.map.into_iter().collect();
                    let mut add = redis::cmd("XADD");
                    add.arg(stream).arg("*");
                    for (name, value) in fields {
                        add.arg(name).arg(redis::from_redis_value::<Vec<u8>>(value)?);
                    }
                    let () = add.query_async(&mut redis).await?;
                }
            }
            Ok(())
        };
        repeat.await.map_err(Error::redis("add events once more"))
    }

    async fn infect(&self, sickness: Option<Sickness>) -> Result<()> {
        let faults = match sickness {
            Some(Sickness::Slow(ms)) => json!({"latency_ms": ms}),
            Some(Sickness::Failing(percent)) => json!({"error_rate": f64::from(percent) / 100.0}),
            Some(Sickness::Limiting) => json!({"limited": true}),
            Some(Sickness::Down) => json!({"down": true}),
            None => json!({}),
        };
        let sandbox = Api::new(self.shop.service_url(Service::Sandbox))?;
        let set = sandbox.call(Method::PUT, "/midtrans/sandbox/faults", None, &faults).await?;
        set.expect(200).map(drop)
    }

    async fn replace_all(&mut self) -> Result<()> {
        for service in Service::SIX {
            self.shop.process_at(End::Service(service))?.stop(STOP).await?;
            self.shop.restart(service).await?;
        }
        Ok(())
    }
}

/// Where the end of a link listens: services are called over gRPC, but by the gateway over HTTP.
fn target(from: End, to: End, ports: &Ports) -> u16 {
    match to {
        End::Service(service) if from == End::Gateway => ports.http(service),
        to => ports.of(to),
    }
}

const RELOAD: &str = "SELECT pg_reload_conf()";

fn remove(folder: &Path) -> Result<()> {
    std::fs::remove_dir_all(folder).map_err(Error::io(format!("remove {}", folder.display())))
}

/// Copies the files of a folder, which may grow meanwhile.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let copied = || {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
        Ok(())
    };
    copied().map_err(Error::io(format!("copy {}", from.display())))
}

/// Cuts a tenth off the newest part of an append-only file, wherever that is.
fn cut_tail(folder: &Path) -> Result<()> {
    let cut = || {
        let entries = std::fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
        let parts = entries.iter().map(std::fs::DirEntry::path);
        let Some(last) = parts.filter(|path| path.to_string_lossy().ends_with(".incr.aof")).max() else {
            return Ok(());
        };
        let file = std::fs::OpenOptions::new().write(true).open(last)?;
        file.set_len(file.metadata()?.len() / 10 * 9)
    };
    cut().map_err(Error::io(format!("cut a file in {}", folder.display())))
}
