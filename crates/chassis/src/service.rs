//! What a service is to the chassis, and the command line around it.

use std::{ffi::OsString, future::Future, net::SocketAddr, process::ExitCode, time::Duration};

use axum::{Router, middleware};
use clap::{ArgMatches, Args, Command, FromArgMatches, Parser, Subcommand};
use metrics_exporter_prometheus::PrometheusHandle;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use sqlx::{PgPool, migrate::Migrator};
use tonic::service::Routes;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    BoxError, Common, Configuration, Lifecycle,
    auth::{Sessions, Tokens},
    config, database, grpc,
    health::Health,
    http,
    spans::Exporter,
    telemetry,
};

/// What [`run`] has to know of a service; `main` is `chassis::run::<ThisService>()`.
pub trait Service: Sized + Send + Sync + 'static {
    /// The service's name, as in `order-service`.
    const NAME: &'static str;
    /// Where it answers HTTP by default.
    const HTTP_PORT: u16;
    /// Where it answers gRPC by default, if it does.
    const GRPC_PORT: Option<u16> = None;
    /// Its settings, read from flags and environment variables.
    type Config: Configuration;
    /// What its handlers share: pools, clients, settings. Cheap to clone.
    type State: Clone + Send + Sync + 'static;

    /// Its migrations, if it has a database.
    fn migrator() -> Option<&'static Migrator> {
        None
    }

    /// Its routes with their OpenAPI descriptions, complete paths.
    fn http() -> OpenApiRouter<Self::State>;

    /// Its gRPC services, if others call it: [`run`] adds health and the check of the shared secret.
    fn grpc(_state: &Self::State) -> Option<Routes> {
        None
    }

    /// Builds what the handlers share. Nothing runs yet. `pool` is there if [`Configuration::database`] is.
    fn state(
        config: Self::Config,
        pool: Option<PgPool>,
        context: &ServiceContext,
    ) -> impl Future<Output = Result<Self::State, BoxError>> + Send;

    /// A subcommand of its own, for whoever has a shell of the machine.
    fn tool() -> Option<Command> {
        None
    }

    /// Runs it, with the settings of the environment; nothing runs in the background.
    fn run_tool(
        _state: &Self::State,
        _matches: &ArgMatches,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        async { Ok(()) }
    }

    /// Starts what works in the background: relay, consumers, workers. Also makes what the first run must find.
    fn start(
        _state: &Self::State,
        _context: &ServiceContext,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        async { Ok(()) }
    }
}

/// What the chassis lends a service.
#[derive(Clone)]
pub struct ServiceContext {
    /// The groups that every configuration has.
    pub common: Common,
    /// Runs tasks in the background, and ends them in order.
    pub lifecycle: Lifecycle,
    /// What has to be well for this process to be ready.
    pub health: Health,
    /// Verifies access tokens, those of sessions that ended excepted.
    pub tokens: Tokens,
    /// Renders the metrics; absent in tests, where one process holds several services.
    pub metrics: Option<PrometheusHandle>,
}

impl ServiceContext {
    /// A context in which nothing runs yet, and no metrics are kept.
    pub fn new(common: &Common) -> Self {
        Self {
            lifecycle: Lifecycle::new(),
            health: Health::default(),
            tokens: Tokens::new(&common.jwt_secret, common.jwt_secret_previous.as_ref(), Sessions::default()),
            metrics: None,
            common: common.clone(),
        }
    }
}

#[derive(Parser)]
struct CommandLine<C: Args> {
    #[command(subcommand)]
    command: Option<Do<C>>,
}

#[derive(Subcommand)]
enum Do<C: Args> {
    /// Run the service; what is given without a subcommand.
    Serve(Box<C>),
    /// Apply pending database migrations, then end.
    Migrate(Box<C>),
    /// Print the OpenAPI document, then end.
    Openapi(OpenApiOptions),
    /// Ask the running service whether it lives: exit code 0 or 1.
    Healthcheck(HealthOptions),
}

#[derive(Args)]
struct OpenApiOptions {
    /// The server that the document names.
    #[arg(long, env, default_value = "http://localhost:8080")]
    public_url: String,
}

#[derive(Args)]
struct HealthOptions {
    /// Where the service answers HTTP.
    #[arg(long, env)]
    http_addr: SocketAddr,
}

/// The whole of a service's `main`.
pub fn run<S: Service>() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_none_or(|first| first.to_string_lossy().starts_with("--") && first != "--help") {
        arguments.insert(1.min(arguments.len()), "serve".into());
    }
    to_exit_code(S::NAME, execute::<S>(arguments))
}

/// Runs the work of a program on a runtime of its own. The exit code says whether all went well, standard error why it did
/// not.
pub fn to_exit_code(name: &str, work: impl Future<Output = Result<bool, BoxError>>) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new();
    match runtime.map_err(BoxError::from).and_then(|runtime| runtime.block_on(work)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn execute<S: Service>(arguments: Vec<OsString>) -> Result<bool, BoxError> {
    let name = arguments.get(1).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match name.as_str() {
        "serve" => serve::<S>(configuration::<S>(&name, arguments)?).await,
        "migrate" => migrate::<S>(&configuration::<S>(&name, arguments)?).await,
        _ => {
            let matches = command::<S>().get_matches_from(arguments);
            if let Some((name, matches)) = matches.subcommand()
                && S::tool().is_some_and(|tool| tool.get_name() == name)
            {
                return run_tool::<S>(matches).await;
            }
            match CommandLine::<S::Config>::from_arg_matches(&matches)?.command {
                Some(Do::Openapi(options)) => openapi::<S>(&options),
                Some(Do::Healthcheck(options)) => healthcheck(options.http_addr).await,
                Some(Do::Serve(_) | Do::Migrate(_)) | None => Ok(true),
            }
        }
    }
}

/// The command line with this service's own defaults.
fn command<S: Service>() -> Command {
    let command = <CommandLine<S::Config> as clap::CommandFactory>::command().name(S::NAME);
    command
        .version(env!("CARGO_PKG_VERSION"))
        .about(format!("The shop's {}. Every option is an environment variable as well.", S::NAME))
        .mut_subcommand("serve", with_defaults::<S>)
        .mut_subcommand("migrate", with_defaults::<S>)
        .mut_subcommand("healthcheck", |sub| listening(sub, "http_addr", S::HTTP_PORT))
        .subcommands(S::tool())
}

fn with_defaults<S: Service>(command: Command) -> Command {
    let command = listening(command, "http_addr", S::HTTP_PORT);
    match S::GRPC_PORT {
        Some(port) => listening(command, "grpc_addr", port),
        None => command,
    }
}

/// Gives an address its default: every interface, at the service's own port.
fn listening(command: Command, name: &'static str, port: u16) -> Command {
    command.mut_arg(name, |arg| arg.required(false).default_value(format!("0.0.0.0:{port}")))
}

/// Reads the configuration of one subcommand, so that all its errors are known together.
fn configuration<S: Service>(subcommand: &str, mut arguments: Vec<OsString>) -> Result<S::Config, BoxError> {
    arguments.remove(0);
    let mut all = command::<S>();
    all.build();
    let command = all.find_subcommand(subcommand).cloned().ok_or("no such subcommand")?;
    Ok(config::parse::<S::Config>(command, arguments)?)
}

/// Reads a service's configuration from flags alone, as `serve` would. For tests.
///
/// # Errors
/// As [`config::parse`].
pub fn configuration_from_flags<S: Service>(flags: &[String]) -> Result<S::Config, BoxError> {
    let arguments =
        [S::NAME, "serve"].into_iter().map(OsString::from).chain(flags.iter().map(OsString::from));
    configuration::<S>("serve", arguments.collect())
}

fn pool_of<S: Service>(config: &S::Config) -> Option<PgPool> {
    config.database().map(|(database, name)| database.pool(name, S::NAME))
}

async fn migrate<S: Service>(config: &S::Config) -> Result<bool, BoxError> {
    let _logs = telemetry::init(&config.common().logs)?;
    if let (Some(pool), Some(migrator)) = (pool_of::<S>(config), S::migrator()) {
        database::migrate(&pool, migrator).await?;
    }
    Ok(true)
}

/// Runs the subcommand of a service of its own. What it needs beside its arguments is read from the environment.
async fn run_tool<S: Service>(matches: &ArgMatches) -> Result<bool, BoxError> {
    let config = configuration::<S>("serve", [S::NAME, "serve"].map(OsString::from).into())?;
    let context = ServiceContext::new(config.common());
    let pool = pool_of::<S>(&config);
    let state = S::state(config, pool, &context).await?;
    S::run_tool(&state, matches).await?;
    Ok(true)
}

#[allow(clippy::print_stdout, reason = "this is what the subcommand is for")]
fn openapi<S: Service>(options: &OpenApiOptions) -> Result<bool, BoxError> {
    let document = http::complete(S::http().into_openapi(), S::NAME, &options.public_url);
    println!("{}", document.to_pretty_json()?);
    Ok(true)
}

/// Asks a process on this machine whether it lives, at the address on which it answers HTTP.
///
/// # Errors
/// If there is no answer.
pub async fn healthcheck(mut address: SocketAddr) -> Result<bool, BoxError> {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let client = http::plain_client(Duration::from_secs(2))?;
    let response = client.get(format!("http://{address}/health/live")).send().await?;
    Ok(response.status().is_success())
}

async fn serve<S: Service>(config: S::Config) -> Result<bool, BoxError> {
    let _logs = telemetry::init(&config.common().logs)?;
    let exporter = Exporter::start(config.common(), S::NAME)?;
    let mut context = ServiceContext::new(config.common());
    context.metrics = Some(telemetry::metrics(&context.lifecycle)?);
    let http = http::bind(context.common.http_addr, "HTTP_ADDR")?;
    let grpc = match config.grpc() {
        Some(grpc) => Some(http::bind(grpc.grpc_addr, "GRPC_ADDR")?),
        None => None,
    };
    let pool = pool_of::<S>(&config);
    if let (Some(pool), Some(migrator)) = (&pool, S::migrator()) {
        database::migrate(pool, migrator).await?;
    }
    watch_dependencies(&context, pool.as_ref())?;
    let state = S::state(config, pool, &context).await?;
    S::start(&state, &context).await?;
    if let (Some(listener), Some(routes)) = (grpc, S::grpc(&state)) {
        let stop = context.lifecycle.shutdown().cancelled_owned();
        context.lifecycle.spawn("grpc", http::serve(listener, grpc_router(routes, &context).await, stop));
    }
    let stop = context.lifecycle.shutdown().cancelled_owned();
    context
        .lifecycle
        .spawn("http", http::serve(http, http::router(S::NAME, S::http(), state, &context), stop));
    tracing::info!(http = %context.common.http_addr, "{} is up", S::NAME);
    let well = context.lifecycle.run_to_end().await?;
    exporter.end().await;
    Ok(well)
}

/// The gRPC services with health, the secret and the trace.
pub async fn grpc_router(routes: Routes, context: &ServiceContext) -> Router {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let guard = middleware::from_fn_with_state(grpc::Secrets::new(&context.common), grpc::require_secret);
    routes.add_service(health).into_axum_router().layer(guard)
}

fn watch_dependencies(context: &ServiceContext, pool: Option<&PgPool>) -> Result<(), BoxError> {
    if let Some(pool) = pool.cloned() {
        context.health.watch(&context.lifecycle, "database", move || {
            let pool = pool.clone();
            // One that has rested is asked by the pool whether it lives.
            async move { Ok(pool.acquire().await.map(drop)?) }
        });
    }
    let redis = context.common.redis.client(1)?;
    context.tokens.sessions().follow(redis.clone(), &context.health, &context.lifecycle);
    // It connects again at the next question, not after a pause of its own.
    let settings = ConnectionManagerConfig::new().set_number_of_retries(1);
    let connection = ConnectionManager::new_lazy_with_config(redis, settings)?;
    context.health.watch(&context.lifecycle, "redis", move || {
        let mut connection = connection.clone();
        async move { Ok(redis::cmd("PING").exec_async(&mut connection).await?) }
    });
    Ok(())
}
