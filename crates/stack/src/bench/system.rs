//! The systems that are measured, with what is sold in them and who buys.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use redis::aio::MultiplexedConnection;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::time::{Duration, Instant, sleep};

use super::fixtures::Fixtures;
use super::usage::Usage;
use crate::ledger::sources::connect;
use crate::settings::Settings;
use crate::shop::{Ports, Service, Shop, ShopOptions};
use crate::up::{Lock, reset};
use crate::{Error, Result, root};
use dev_servers::folder::create;

/// Quiet is less processor time than this share of one core.
const QUIET: f64 = 0.1;
const QUIET_INTERVAL: Duration = Duration::from_millis(200);
const LONGEST_TAIL: Duration = Duration::from_secs(10);

/// What can be measured: a build, or a system that runs.
#[derive(Debug, Clone)]
pub enum Target {
    /// A folder with programs, or a checkout with them in target/dist or target/release.
    Build(PathBuf),
    /// A system that runs, `http://HOST:PORT`. What its servers spend is not known.
    Running(String),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(address) = text.strip_prefix("http://") {
            return Ok(Self::Running(address.trim_end_matches('/').to_owned()));
        }
        if text.contains("://") {
            return Err("a running system has an address such as http://127.0.0.1:8080".to_owned());
        }
        let folder = Path::new(text).canonicalize().map_err(|error| error.to_string())?;
        Ok(Self::Build(folder))
    }
}

#[derive(Debug)]
pub(super) struct System {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) fixtures: Fixtures,
    pub(super) servers: Option<Servers>,
}

/// Database, calls, milliseconds in all, and text.
pub(super) type Statement = (String, i64, f64, String);

/// The servers of a shop that this process runs.
#[derive(Debug)]
pub(super) struct Servers {
    shop: Shop,
    orders: PgPool,
    deliveries: PgPool,
    redis: MultiplexedConnection,
    statements: bool,
    /// Resident bytes of the six services before the first request.
    pub(super) idle_memory: u64,
    data: PathBuf,
    lock: Lock,
}

impl System {
    /// Starts a shop, or attaches to one that runs, and fills it.
    pub(super) async fn open(place: usize, target: &Target, statements: bool) -> Result<Self> {
        let (name, address, servers) = match target {
            Target::Running(address) => (format!("http://{address}"), address.clone(), None),
            Target::Build(folder) => {
                let servers = Servers::start(place, folder, statements).await?;
                (folder.display().to_string(), servers.address(), Some(servers))
            }
        };
        let settings = match &servers {
            Some(servers) => servers.shop.settings().clone(),
            None => Settings::load(&root::find()?)?,
        };
        let fixtures = Fixtures::make(&address, &settings).await?;
        Ok(Self { name, address, fixtures, servers })
    }

    /// Stops its servers, if they are this process' own, and removes their data.
    pub(super) async fn stop(self) -> Result<()> {
        let Some(Servers { mut shop, data, lock, .. }) = self.servers else { return Ok(()) };
        shop.stop().await?;
        drop((shop, lock));
        reset(&data).await
    }

    /// Gives the planner the statistics that it would have after a while.
    pub(super) async fn analyze(&self) -> Result<()> {
        let Some(servers) = &self.servers else { return Ok(()) };
        for url in Service::SIX.into_iter().filter_map(|service| servers.shop.database_url(service)) {
            let analyze = async {
                let mut connection = PgConnection::connect(&url).await?;
                connection.execute("analyze").await?;
                connection.close().await
            };
            analyze.await.map_err(Error::sql("analyse a database"))?;
        }
        Ok(())
    }

    /// What the servers have spent so far, if they are known.
    pub(super) async fn usage(&mut self) -> Result<Option<Usage>> {
        match &mut self.servers {
            Some(servers) => servers.usage().await.map(Some),
            None => Ok(None),
        }
    }
}

impl Servers {
    async fn start(place: usize, folder: &Path, statements: bool) -> Result<Self> {
        let data = root::find()?.join(format!(".data/bench-{place}"));
        reset(&data).await?;
        let lock = Lock::take(&data)?;
        let mut options = ShopOptions::for_person(data.clone(), Settings::default().without_limits())?;
        options.ports = Ports::free()?;
        options.programs = programs(folder)?;
        // What is measured is the shop, and an earlier checkout has neither.
        options.without = vec![Service::Notification, Service::Mailbox];
        if let Some(gateway) = gateway(folder, &options.data)? {
            options.gateway = gateway;
        }
        if statements {
            options.postgres_settings = vec!["shared_preload_libraries=pg_stat_statements"];
        }
        let mut shop = Shop::start(options, |_| {}).await?;
        let open = async |service: Service| {
            let url = shop.database_url(service).unwrap_or_default();
            let opened = PgPoolOptions::new().max_connections(1).connect(&url).await;
            opened.map_err(Error::sql(format!("open the database of {}", service.name())))
        };
        let (orders, deliveries) = (open(Service::Order).await?, open(Service::Delivery).await?);
        if statements {
            let create = sqlx::query("create extension pg_stat_statements").execute(&orders);
            create.await.map_err(Error::sql("count statements"))?;
        }
        let redis = connect(shop.redis_url(0)).await?;
        wait_until_quiet(&mut shop).await;
        let idle_memory = memory(&shop);
        Ok(Self { shop, orders, deliveries, redis, statements, idle_memory, data, lock })
    }

    fn address(&self) -> String {
        self.shop.base_url().trim_start_matches("http://").to_owned()
    }

    async fn usage(&mut self) -> Result<Usage> {
        Usage::now(&self.shop.processes(), &self.orders, self.statements, &mut self.redis).await
    }

    /// Resident bytes of the six services.
    pub(super) fn memory(&self) -> u64 {
        memory(&self.shop)
    }

    /// Returns when the work that follows from a load is done as well.
    pub(super) async fn wait_until_quiet(&mut self) {
        wait_until_quiet(&mut self.shop).await;
    }

    /// The ids of all orders that are placed from now on are larger.
    pub(super) async fn last_order(&self) -> Result<i64> {
        let last = sqlx::query_scalar("select coalesce(max(id), 0) from orders").fetch_one(&self.orders);
        last.await.map_err(Error::sql("find the last order"))
    }

    /// Returns when so many orders after this one have this status.
    pub(super) async fn wait_status(&self, after: i64, status: &str, count: usize) -> Result<()> {
        let found = async || {
            let found = sqlx::query_scalar("select count(*) from orders where id > $1 and status = $2");
            found.bind(after).bind(status).fetch_one(&self.orders).await
        };
        wait_count(found, count).await
    }

    /// Returns when so many orders after this one have a delivery.
    pub(super) async fn wait_delivery(&self, after: i64, count: usize) -> Result<()> {
        let found = async || {
            let found = sqlx::query_scalar("select count(*) from deliveries where order_id > $1");
            found.bind(after).fetch_one(&self.deliveries).await
        };
        wait_count(found, count).await
    }

    /// The deliveries of the orders after this one.
    pub(super) async fn deliveries(&self, after: i64) -> Result<Vec<i64>> {
        let ids = sqlx::query_scalar("select id from deliveries where order_id > $1 order by id");
        ids.bind(after).fetch_all(&self.deliveries).await.map_err(Error::sql("list deliveries"))
    }

    /// The statements that took most of the time so far, if they are counted.
    pub(super) async fn slowest_statements(&self) -> Result<Vec<Statement>> {
        if !self.statements {
            return Ok(Vec::new());
        }
        let slowest = sqlx::query_as(
            "select datname, calls, total_exec_time, regexp_replace(query, '\\s+', ' ', 'g')
             from pg_stat_statements join pg_database on dbid = pg_database.oid
             order by total_exec_time desc limit 20",
        );
        slowest.fetch_all(&self.orders).await.map_err(Error::sql("list statements"))
    }
}

fn memory(shop: &Shop) -> u64 {
    shop.resident().into_iter().filter(|(name, _)| *name != "midtrans-sandbox").map(|(_, bytes)| bytes).sum()
}

async fn wait_until_quiet(shop: &mut Shop) {
    let deadline = Instant::now() + LONGEST_TAIL;
    let processes = shop.processes();
    let spent = || super::usage::cpu(&processes).values().sum::<Duration>();
    let mut before = spent();
    while Instant::now() < deadline {
        sleep(QUIET_INTERVAL).await;
        let now = spent();
        if now.saturating_sub(before) < QUIET_INTERVAL.mul_f64(QUIET) {
            break;
        }
        before = now;
    }
}

async fn wait_count(find: impl AsyncFn() -> sqlx::Result<i64>, count: usize) -> Result<()> {
    let deadline = Instant::now() + crate::actors::TIMEOUT;
    loop {
        let found = find().await.map_err(Error::sql("count orders"))?;
        if usize::try_from(found).is_ok_and(|found| found >= count) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Error::other(format!("{found} of {count} orders were handled, the rest is late")));
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// Where the programs of a build are.
fn programs(folder: &Path) -> Result<PathBuf> {
    let places = [folder.to_owned(), folder.join("target/dist"), folder.join("target/release")];
    let found = places.into_iter().find(|place| place.join(Service::Order.name()).is_file());
    found.ok_or_else(|| Error::other(format!("no programs in {} or its target/", folder.display())))
}

/// The gateway's template of a checkout. Those from before render.sh get this one's, in a folder of their own.
fn gateway(checkout: &Path, data: &Path) -> Result<Option<PathBuf>> {
    let theirs = checkout.join("nginx");
    if theirs.join("render.sh").is_file() {
        return Ok(Some(theirs));
    }
    let Ok(template) = std::fs::read_to_string(theirs.join("nginx.conf.template")) else { return Ok(None) };
    let (mixed, ours) = (data.join("gateway"), root::find()?.join("nginx"));
    create(&mixed)?;
    let template = template.replace("listen ${GATEWAY_LISTEN};", "${LISTEN}").replace("${NAMES}", "names");
    std::fs::write(mixed.join("nginx.conf.template"), template)
        .and_then(|()| std::fs::copy(ours.join("render.sh"), mixed.join("render.sh")))
        .and_then(|_| std::os::unix::fs::symlink(theirs.join("html"), mixed.join("html")))
        .map_err(Error::io("prepare the gateway of an older checkout"))?;
    Ok(Some(mixed))
}
