//! The whole shop as processes of this machine.

mod databases;
mod options;
pub mod ports;
mod routes;
mod services;
mod start;
mod stores;

use std::time::Duration;

use tokio::time::Instant;

pub use self::options::{ShopOptions, pid_file};
pub use self::ports::Ports;
pub use self::routes::{End, Routes};
pub use self::services::Service;
pub use self::stores::Stores;

use crate::settings::Settings;
use crate::{Error, Result};
use dev_servers::identity::resident_bytes;
use dev_servers::{Nginx, POLL, Postgres, Process, Redis, folder};

const READY: Duration = Duration::from_mins(1);
const STOP: Duration = Duration::from_secs(12);

/// A running shop. Dropping it kills its processes; [`Shop::stop`] ends them in order.
#[derive(Debug)]
pub struct Shop {
    http: reqwest::Client,
    gateway: Nginx,
    services: Vec<(Service, Process)>,
    redis: Redis,
    postgres: Option<Postgres>,
    server: databases::Server,
    // The last one, because fields are dropped in this order and this holds the folder the others work in.
    options: ShopOptions,
}

/// One more process of a service, killed when dropped.
#[derive(Debug)]
pub struct Replica {
    /// Where it answers HTTP, past the gateway.
    pub url: String,
    /// The process, to be ended or watched.
    pub process: Process,
}

impl Shop {
    /// Starts everything and returns when all of it is healthy. `progress` is called with each step that was reached.
    pub async fn start(options: ShopOptions, progress: impl Fn(&str)) -> Result<Self> {
        start::check_programs(&options.programs, &options.started())?;
        for name in ["logs", "run"] {
            folder::create(&options.data.join(name))?;
        }
        let (mut options, redis, postgres) = start::stores(options).await?;
        progress("PostgreSQL and Redis answer");
        let server = databases::Server::new(&options, postgres.as_ref())?;
        server.prepare(&mut options).await?;
        let mut services = Vec::new();
        for service in options.started() {
            services.push((service, start::service(service, &options).await?));
        }
        let gateway = start::gateway(&options).await?;
        let http = client()?;
        let mut shop = Self { http, gateway, services, redis, postgres, server, options };
        shop.wait_ready(&progress).await?;
        Ok(shop)
    }

    /// Where the world finds the shop.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.options.ports.gateway)
    }

    /// The address that customers see, which may be another one than the gateway's.
    pub fn public_url(&self) -> String {
        let chosen = self.options.settings.get("PUBLIC_URL");
        if chosen.is_empty() {
            format!("http://localhost:{}", self.options.ports.gateway)
        } else {
            chosen.to_owned()
        }
    }

    /// Where a service answers HTTP, past the gateway.
    pub fn service_url(&self, service: Service) -> String {
        format!("http://127.0.0.1:{}", self.options.ports.http(service))
    }

    /// Where a service answers gRPC, for its own callers.
    pub fn grpc_url(&self, service: Service) -> String {
        format!("http://127.0.0.1:{}", self.options.ports.grpc(service))
    }

    /// The address of a service's database.
    pub fn database_url(&self, service: Service) -> Option<String> {
        service.database().map(|variable| self.server.url(self.options.settings.get(variable)))
    }

    /// The address of one of Redis' numbered databases.
    pub fn redis_url(&self, database: u8) -> String {
        self.redis.url(database)
    }

    /// Where Redis listens.
    pub fn redis_port(&self) -> u16 {
        self.redis.port()
    }

    /// The variables from which those of its processes are made.
    pub fn settings(&self) -> &Settings {
        &self.options.settings
    }

    /// Redis, to be killed and restarted.
    pub fn redis(&mut self) -> &mut Redis {
        &mut self.redis
    }

    /// Has another server that runs be its Redis from now on, and returns the one before.
    pub fn replace_redis(&mut self, redis: Redis) -> Redis {
        std::mem::replace(&mut self.redis, redis)
    }

    /// One of its processes, to be killed, frozen and started again.
    pub fn process_at(&mut self, end: End) -> Result<&mut Process> {
        match end {
            End::Gateway => Ok(self.gateway.process()),
            End::Redis => Ok(self.redis.process()),
            End::Postgres => Ok(self.postgres()?.process()),
            End::Service(service) => self.process(service),
        }
    }

    /// Its own `PostgreSQL`, to be stopped and restarted.
    pub fn postgres(&mut self) -> Result<&mut Postgres> {
        self.postgres.as_mut().ok_or_else(|| Error::other("the PostgreSQL is not this shop's own"))
    }

    /// Ends a service at once, as a crash would.
    pub async fn kill(&mut self, service: Service) -> Result<()> {
        self.process(service)?.kill().await
    }

    /// Starts a service that was killed, and returns when it is ready.
    pub async fn restart(&mut self, service: Service) -> Result<()> {
        self.process(service)?.restart().await?;
        self.wait_service(service).await
    }

    /// Starts another process of a service, and returns when it is ready. The gateway does not know it.
    pub async fn replica(&self, service: Service) -> Result<Replica> {
        let ports = self.options.ports.with_replica(service)?;
        let url = format!("http://127.0.0.1:{}", ports.http(service));
        let mut process = start::replica(service, &self.options, &ports).await?;
        wait_ok(&self.http, &format!("{url}/health/ready"), &mut process).await?;
        Ok(Replica { url, process })
    }

    /// Freezes a service where it is, or lets it go on.
    pub fn set_frozen(&mut self, service: Service, frozen: bool) -> Result<()> {
        let process = self.process(service)?;
        if frozen {
            process.freeze();
        } else {
            process.thaw();
        }
        Ok(())
    }

    /// Returns when all services are ready and the gateway says so.
    pub async fn wait_ready(&mut self, progress: impl Fn(&str)) -> Result<()> {
        for service in self.running() {
            self.wait_service(service).await?;
            progress(&format!("{} is ready", service.name()));
        }
        let url = format!("{}/health", self.base_url());
        wait_ok(&self.http, &url, self.gateway.process()).await?;
        progress("the gateway reports the shop as healthy");
        Ok(())
    }

    /// An error if a process has ended although it should run.
    pub fn check(&mut self) -> Result<()> {
        self.watched().into_iter().try_for_each(Process::check)
    }

    /// All processes that should run, to be started again if they died.
    pub fn watched(&mut self) -> Vec<&mut Process> {
        let running = self.running();
        let services = self.services.iter_mut().filter(|(service, _)| running.contains(service));
        let mut all: Vec<&mut Process> = services.map(|(_, process)| process).collect();
        all.extend([self.gateway.process(), self.redis.process()]);
        all.extend(self.postgres.as_mut().map(Postgres::process));
        all
    }

    /// All processes with their ids, by name.
    pub fn processes(&mut self) -> Vec<(&'static str, u32)> {
        let services = self.services.iter().map(|(service, process)| (service.name(), process.pid()));
        let mut all: Vec<_> = services.collect();
        all.extend([("nginx", self.gateway.process().pid()), ("Redis", self.redis.process().pid())]);
        all.extend(self.postgres.as_mut().map(|postgres| ("Postgres", postgres.process().pid())));
        all.into_iter().filter_map(|(name, pid)| Some((name, pid?))).collect()
    }

    /// What each of the services has in memory, bytes.
    pub fn resident(&self) -> Vec<(&'static str, u64)> {
        let of = |process: &Process| process.pid().and_then(resident_bytes);
        self.services.iter().filter_map(|(service, process)| Some((service.name(), of(process)?))).collect()
    }

    /// Ends everything in order: first what takes requests in, last what keeps the data.
    pub async fn stop(&mut self) -> Result<()> {
        let gateway = self.gateway.stop().await;
        let stops = self.services.iter_mut().map(|(_, process)| process.stop(STOP));
        let services = futures::future::join_all(stops).await;
        let redis = self.redis.stop().await;
        let postgres = match &mut self.postgres {
            Some(postgres) => postgres.stop().await,
            None => Ok(()),
        };
        services.into_iter().chain([gateway, redis, postgres]).collect()
    }

    /// The local Midtrans and the mailbox end by themselves when they are not wanted.
    fn running(&self) -> Vec<Service> {
        let settings = &self.options.settings;
        let wanted = |service: &Service| match service {
            Service::Sandbox => settings.get("MIDTRANS_ENVIRONMENT") == "local",
            Service::Mailbox => services::has_mailbox(settings),
            _ => true,
        };
        self.options.started().into_iter().filter(wanted).collect()
    }

    fn process(&mut self, service: Service) -> Result<&mut Process> {
        let found = self.services.iter_mut().find(|(known, _)| *known == service);
        found
            .map(|(_, process)| process)
            .ok_or_else(|| Error::other(format!("{} does not run", service.name())))
    }

    async fn wait_service(&mut self, service: Service) -> Result<()> {
        let url = format!("{}/health/ready", self.service_url(service));
        let http = self.http.clone();
        wait_ok(&http, &url, self.process(service)?).await
    }
}

/// A client that asks whether something is ready.
pub(crate) fn client() -> Result<reqwest::Client> {
    let built = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build();
    built.map_err(|error| Error::other(format!("make an HTTP client: {error}")))
}

async fn wait_ok(http: &reqwest::Client, url: &str, process: &mut Process) -> Result<()> {
    let deadline = Instant::now() + READY;
    loop {
        process.check()?;
        let answer = match http.get(url).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => format!("{} {}", answer.status(), answer.text().await.unwrap_or_default()),
            Err(_) => "no answer".to_owned(),
        };
        if Instant::now() > deadline {
            return Err(
                process.failure(format!("is not ready after {} s ({url}: {answer})", READY.as_secs()))
            );
        }
        tokio::time::sleep(POLL).await;
    }
}
