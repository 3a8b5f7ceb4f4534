//! The systems that are measured, with what is sold in them and who buys.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use hyper::body::Bytes;
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::time::{Duration, Instant, sleep};

use super::load::{Call, once};
use super::usage::Usage;
use crate::api::{number, text};
use crate::ledger::sources::connect;
use crate::settings::Settings;
use crate::shop::{Ports, Service, Shop, ShopOptions};
use crate::up::{Lock, reset};
use crate::{Error, Result, root};
use dev_servers::folder::create;

const PRODUCTS: usize = 1000;
const CUSTOMERS: usize = 100;
/// Their logins would end the customers' sessions.
const LOGINS: usize = 32;
/// Products in each customer's cart.
pub(super) const LINES: usize = 5;
/// Connections that send what is not measured.
pub(super) const SETUP_CONNECTIONS: usize = 16;
const PASSWORD: &str = "correct horse battery";
/// Quiet is less processor time than this share of one core.
const QUIET: f64 = 0.1;
const QUIET_INTERVAL: Duration = Duration::from_millis(200);
const LONGEST_TAIL: Duration = Duration::from_secs(10);

/// What can be measured.
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

/// A system under load.
#[derive(Debug)]
pub(super) struct System {
    pub(super) name: String,
    /// `HOST:PORT` of its gateway.
    pub(super) address: String,
    pub(super) fixtures: Fixtures,
    pub(super) servers: Option<Servers>,
}

/// What the requests need.
#[derive(Debug, Default)]
pub(super) struct Fixtures {
    pub(super) products: Vec<i64>,
    /// Access tokens.
    pub(super) customers: Vec<String>,
    /// Bodies of POST /login.
    pub(super) logins: Vec<Value>,
}

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
    _lock: Lock,
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

    pub(super) async fn stop(&mut self) -> Result<()> {
        match &mut self.servers {
            Some(servers) => servers.shop.stop().await,
            None => Ok(()),
        }
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
        let mut options = ShopOptions::for_person(data, unlimited())?;
        options.ports = Ports::free()?;
        options.programs = programs(folder)?;
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
        Ok(Self { shop, orders, deliveries, redis, statements, idle_memory, _lock: lock })
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

    /// Returns when so many orders after this one can be paid.
    pub(super) async fn wait_payable(&self, after: i64, count: usize) -> Result<()> {
        let payable = "select count(*) from orders where id > $1 and status = 'AWAITING_PAYMENT'";
        wait_count(&self.orders, payable, after, count).await
    }

    /// Returns when so many orders after this one have a delivery.
    pub(super) async fn wait_delivery(&self, after: i64, count: usize) -> Result<()> {
        let delivered = "select count(*) from deliveries where order_id > $1";
        wait_count(&self.deliveries, delivered, after, count).await
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

async fn wait_count(pool: &PgPool, query: &'static str, after: i64, count: usize) -> Result<()> {
    let deadline = Instant::now() + crate::actors::TIMEOUT;
    loop {
        let found = sqlx::query_scalar(query).bind(after).fetch_one(pool);
        let found: i64 = found.await.map_err(Error::sql("count orders"))?;
        if usize::try_from(found).is_ok_and(|found| found >= count) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Error::other(format!("{found} of {count} orders were handled, the rest is late")));
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// Nothing that refuses, and no payment that ends meanwhile.
fn unlimited() -> Settings {
    let limits = ["MAX_OPEN_ORDERS_PER_USER", "MAX_HELD_UNITS_PER_PRODUCT", "MAX_HELD_UNITS_PER_BUYER"];
    limits.into_iter().fold(Settings::default(), |all, name| all.with(name, "0")).with("RATE_LIMIT", "off")
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

impl Fixtures {
    async fn make(address: &str, settings: &Settings) -> Result<Self> {
        let admin = json!({"email": settings.get("ADMIN_EMAIL"), "password": settings.get("ADMIN_PASSWORD")});
        let admin = tokens(address, vec![admin]).await?.remove(0);
        let product = |n| {
            json!({"name": format!("Bench product {n:04}"), "description": "Made by stack bench, to be bought often",
                   "price": 50_000, "stock": 1_000_000, "category_ids": []})
        };
        let add = |n| Call::post("/api/v1/products", &product(n), 201).by(&admin);
        let made = once(address, (0..PRODUCTS).map(add).collect(), SETUP_CONNECTIONS).await?;
        let products = made.iter().map(|made| number(&parsed(made)?, "/product/id"));
        let products = products.collect::<Result<_>>()?;
        let mut accounts = register(address, CUSTOMERS + LOGINS).await?;
        let logins = accounts.split_off(CUSTOMERS);
        let customers = tokens(address, accounts).await?;
        Ok(Self { products, customers, logins })
    }

    /// Gives each of these customers a cart with this many products.
    pub(super) async fn fill_carts(&self, address: &str, customers: usize, lines: usize) -> Result<()> {
        let empty = |token| Call::new(http::Method::DELETE, "/api/v1/cart", 200).by(token);
        let empty = self.customers.iter().take(customers).map(|token| empty(token));
        once(address, empty.collect(), SETUP_CONNECTIONS).await?;
        once(address, self.adds(customers, lines), SETUP_CONNECTIONS).await.map(drop)
    }

    /// One more unit of so many products for each of these customers.
    pub(super) fn adds(&self, customers: usize, lines: usize) -> Vec<Call> {
        let add = |(customer, token): (usize, &String), line: usize| {
            let product = self.products[(customer * LINES + line) % self.products.len()];
            Call::post("/api/v1/cart/item", &json!({"product_id": product, "quantity": 1}), 200).by(token)
        };
        let customers: Vec<_> = self.customers.iter().take(customers).enumerate().collect();
        (0..lines).flat_map(|line| customers.iter().map(move |customer| add(*customer, line))).collect()
    }
}

async fn register(address: &str, count: usize) -> Result<Vec<Value>> {
    let run = rand::random::<u64>() >> 24;
    let account = |n| {
        let username = format!("bench-{run:010x}-{n}");
        json!({"email": format!("{username}@example.com"), "username": username, "password": PASSWORD})
    };
    let accounts: Vec<Value> = (0..count).map(account).collect();
    let calls = accounts.iter().map(|account| Call::post("/api/v1/register", account, 201));
    once(address, calls.collect(), SETUP_CONNECTIONS).await?;
    Ok(accounts.into_iter().map(|it| json!({"email": it["email"], "password": it["password"]})).collect())
}

async fn tokens(address: &str, logins: Vec<Value>) -> Result<Vec<String>> {
    let calls = logins.iter().map(|login| Call::post("/api/v1/login", login, 200));
    let answers = once(address, calls.collect(), SETUP_CONNECTIONS).await?;
    answers.iter().map(|answer| text(&parsed(answer)?, "/access_token").map(str::to_owned)).collect()
}

pub(super) fn parsed(body: &Bytes) -> Result<Value> {
    serde_json::from_slice(body).map_err(|error| Error::other(format!("an answer is no JSON: {error}")))
}
