//! A service under test, on real ports.

use std::net::SocketAddr;

use chassis::{
    Lifecycle, Service, ServiceContext, auth,
    auth::{Claims, Role, StaffRole},
    grpc::{Peer, PeerChannel},
    http, service,
};
use contracts::{UserId, events::Event};
use dev_servers::{Redis, RedisOptions};
use secrecy::SecretString;
use sqlx::PgPool;
use time::OffsetDateTime;
use tonic::service::Routes;

use crate::{Actor, TestDatabase};

const JWT_SECRET: &str = "a-secret-that-only-the-tests-know-0001";
const INTERNAL_SECRET: &str = "a-secret-that-only-the-tests-know-0002";

/// A service with a database and a Redis of its own. Its background work runs only after
/// [`Self::start_background`], so that a test sees each step by itself.
pub struct TestService<S: Service> {
    app: S::State,
    context: ServiceContext,
    client: reqwest::Client,
    base: String,
    grpc: Option<String>,
    database: Option<TestDatabase>,
    redis: Redis,
}

impl<S: Service> TestService<S> {
    /// Starts the service with its defaults.
    pub async fn start() -> Self {
        Self::with_flags(&[]).await
    }

    /// Starts the service with further flags, such as the address of a fake peer.
    pub async fn with_flags(flags: &[&str]) -> Self {
        let redis = Redis::start(RedisOptions::default()).await.expect("redis-server starts");
        let database = match S::migrator() {
            Some(migrator) => Some(TestDatabase::create(S::NAME, migrator).await),
            None => None,
        };
        let config = service::configuration_from_flags::<S>(&all_flags(flags, database.as_ref(), &redis))
            .expect("the flags are right");
        let context = ServiceContext::new(chassis::Configuration::common(&config));
        let pool =
            chassis::Configuration::database(&config).map(|(database, name)| database.pool(name, S::NAME));
        let app = S::state(config, pool, &context).await.expect("the service is built");
        let base = serve(http::router(S::NAME, S::http(), app.clone(), &context), &context.lifecycle);
        let grpc = match S::grpc(&app) {
            Some(routes) => Some(serve(service::grpc_router(routes, &context).await, &context.lifecycle)),
            None => None,
        };
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { app, context, client, base, grpc, database, redis }
    }

    /// Starts relay, consumers and workers, as `serve` would.
    pub async fn start_background(&self) {
        S::start(&self.app, &self.context).await.expect("the background work starts");
    }

    /// What the handlers share, for a test that calls a use case itself.
    pub fn app(&self) -> &S::State {
        &self.app
    }

    /// What the chassis lends the service.
    pub fn context(&self) -> &ServiceContext {
        &self.context
    }

    /// The service's base URL, on a free port of 127.0.0.1.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The database, for the test's own questions.
    pub fn pool(&self) -> &PgPool {
        &self.database.as_ref().expect("the service has a database").pool
    }

    /// The service's Redis, to be stopped and started again.
    pub fn redis(&mut self) -> &mut Redis {
        &mut self.redis
    }

    /// A client of one of Redis' databases.
    pub fn redis_client(&self, db: i64) -> redis::Client {
        self.context.common.redis.client(db).expect("the address is right")
    }

    /// Someone without a token, as before a login.
    pub fn anyone(&self) -> Actor {
        Actor { client: self.client.clone(), base: self.base.clone(), token: None }
    }

    /// A customer with this user id; there need not be an account.
    pub fn customer(&self, id: i64) -> Actor {
        self.with_token(&self.context.tokens.sign(&claims(id, Role::User)).expect("claims serialise"))
    }

    /// An administrator, with the user id 1.
    pub fn admin(&self) -> Actor {
        self.with_token(&self.context.tokens.sign(&claims(1, Role::Admin)).expect("claims serialise"))
    }

    /// Somebody of the staff, with the user id 2 and this role.
    pub fn staff(&self, role: StaffRole) -> Actor {
        let claims = Claims { roles: vec![role.to_string()], ..claims(2, Role::User) };
        self.with_token(&self.context.tokens.sign(&claims).expect("claims serialise"))
    }

    /// Someone who shows this token, whatever it is.
    pub fn with_token(&self, token: &str) -> Actor {
        Actor { token: Some(token.to_owned()), ..self.anyone() }
    }

    /// The service's gRPC, called as its peers do.
    pub fn grpc_channel(&self) -> PeerChannel {
        self.grpc_channel_with(INTERNAL_SECRET)
    }

    /// The service's gRPC, called with another secret.
    pub fn grpc_channel_with(&self, secret: &str) -> PeerChannel {
        let url = self.grpc.as_deref().expect("the service answers gRPC");
        Peer::follow(url, &SecretString::from(secret), &self.context.lifecycle)
            .expect("the URL is right")
            .channel()
    }

    /// The events of one type that were appended to the outbox, in order.
    pub async fn published<E: Event>(&self) -> Vec<E> {
        crate::events::published(self.pool()).await
    }
}

/// The claims of a test's actor.
pub fn claims(id: i64, role: Role) -> Claims {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    Claims {
        user_id: UserId::try_from(id).expect("a positive id"),
        email: format!("user{id}@example.com"),
        username: format!("user{id}"),
        role,
        roles: Vec::new(),
        email_verified: true,
        sid: format!("session-of-{id}"),
        iat: now,
        exp: now + 900,
        iss: auth::ISSUER.to_owned(),
        aud: auth::AUDIENCE.to_owned(),
    }
}

/// Flags that production accepts, for a service with a database.
pub fn production_flags() -> Vec<String> {
    let flags = [
        "--app-env=production",
        "--public-url=https://shop.example",
        "--jwt-secret=50b84b7af9bfe49a2cffb5d07e81ddb9fd86a78a30d8e8c5",
        "--internal-secret=3f1ab5e15bc2c4d40b8ac0f1a7c9e6f2d7a1a3f0c49d3b6e",
        "--redis-password=8d0e5d7a9b36cf1b2f4469c9d8a1e7f0b35ce2a14bd9d6f7",
        "--db-host=localhost",
        "--db-user=shop",
        "--db-password=c7e4b1d92a5f4c36b0f8d19a6e2b47d3f51c9a8e0b3d6f24",
    ];
    flags.map(str::to_owned).into()
}

fn all_flags(own: &[&str], database: Option<&TestDatabase>, redis: &Redis) -> Vec<String> {
    let mut flags = vec![
        "--app-env=development".to_owned(),
        format!("--jwt-secret={JWT_SECRET}"),
        format!("--internal-secret={INTERNAL_SECRET}"),
        "--redis-host=127.0.0.1".to_owned(),
        format!("--redis-port={}", redis.port()),
    ];
    if let Some(database) = database {
        let options = &database.options;
        flags.extend([
            format!("--db-host={}", options.get_host()),
            format!("--db-port={}", options.get_port()),
            format!("--db-user={}", options.get_username()),
            "--db-password=unused".to_owned(),
            format!("--db-name={}", database.name),
        ]);
    }
    flags.extend(own.iter().map(|flag| (*flag).to_owned()));
    flags
}

fn serve(router: http::Router, lifecycle: &Lifecycle) -> String {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = http::bind(any, "the port").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    lifecycle.spawn("test-server", http::serve(listener, router, lifecycle.shutdown().cancelled_owned()));
    format!("http://{address}")
}

/// Serves a fake peer on a free port until the test ends.
///
/// The secret that callers show is not looked at: that is tested where it is checked.
pub async fn serve_grpc(routes: Routes) -> String {
    serve(routes.into_axum_router(), &Lifecycle::new())
}

impl<S: Service> std::fmt::Debug for TestService<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestService")
            .field("base", &self.base)
            .field("grpc", &self.grpc)
            .finish_non_exhaustive()
    }
}
