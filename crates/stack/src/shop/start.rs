//! How each process of the shop is started.

use std::path::Path;

use super::services::{environment, gateway_variables};
use super::{Ports, Service, ShopOptions};
use crate::{Error, Result};
use dev_servers::{Nginx, NginxOptions, Postgres, PostgresOptions, Process, Redis, RedisOptions, Spec};

/// An error that names the programs which were not built.
pub(super) fn check_programs(programs: &Path, started: &[Service]) -> Result<()> {
    let names = started.iter().map(|service| service.name());
    let missing: Vec<&str> = names.filter(|name| !programs.join(name).is_file()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::other(format!("{} is not in {}: run `make build`", missing.join(", "), programs.display())))
}

pub(super) async fn stores(options: ShopOptions) -> Result<(ShopOptions, Redis, Option<Postgres>)> {
    let password = options.settings.get("REDIS_PASSWORD");
    let redis = Redis::start(RedisOptions {
        port: Some(options.ports.redis),
        password: (!password.is_empty()).then(|| password.to_owned()),
        persistent: true,
        folder: Some(options.data.join("redis")),
        log: Some(options.log("redis")),
        pid_file: options.pid_file("redis"),
        detached: options.detached,
    });
    let postgres = async {
        match (&options.postgres, options.pid_file("postgres")) {
            (Some(_), _) => Ok(None),
            (None, None) => Postgres::temporary().await.map(Some),
            (None, Some(pid_file)) => Postgres::start(PostgresOptions {
                data: options.data.clone(),
                port: options.ports.postgres,
                log: options.log("postgres"),
                pid_file,
                settings: options.postgres_settings.clone(),
            })
            .await
            .map(Some),
        }
    };
    let (redis, postgres) = tokio::try_join!(redis, postgres)?;
    Ok((options, redis, postgres))
}

pub(super) async fn service(service: Service, options: &ShopOptions) -> Result<Process> {
    process(service.name(), service, options, &options.ports).await
}

/// Another process of a service, with ports of its own.
pub(super) async fn replica(service: Service, options: &ShopOptions, ports: &Ports) -> Result<Process> {
    let name = format!("{}-replica", service.name());
    process(&name, service, options, ports).await
}

async fn process(name: &str, service: Service, options: &ShopOptions, ports: &Ports) -> Result<Process> {
    let program = options.programs.join(service.name());
    let mut spec = Spec::new(name, program, &options.data, &options.log(name)).args(["serve"]);
    spec.env = environment(service, &options.settings, ports, &options.routes);
    let state = options.data.join("midtrans-sandbox.json");
    spec.env.push(("SANDBOX_STATE_FILE".to_owned(), state.display().to_string()));
    spec.clean_env = !options.detached;
    spec.detached = options.detached;
    spec.pid_file = options.pid_file(name);
    Process::start(spec).await
}

pub(super) async fn gateway(options: &ShopOptions) -> Result<Nginx> {
    Nginx::start(NginxOptions {
        source: options.gateway.clone(),
        folder: options.data.join("nginx"),
        log: options.log("nginx"),
        variables: gateway_variables(&options.settings, &options.ports, &options.routes),
        pid_file: options.pid_file("nginx"),
        detached: options.detached,
    })
    .await
}
