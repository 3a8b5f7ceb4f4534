//! A service with nothing but routes, for what the chassis does around them.

use std::marker::PhantomData;

use axum::Router;
use chassis::{
    BoxError, Common, Configuration, Service, ServiceContext, http, service::configuration_from_flags,
};
use sqlx::PgPool;
use utoipa_axum::router::OpenApiRouter;

/// The routes of a [`Sample`].
pub trait SampleRoutes: Send + Sync + 'static {
    /// The routes with their OpenAPI descriptions, as [`Service::http`] wants them.
    fn routes() -> OpenApiRouter;
}

/// A service without a database and without state, whose routes are those of `R`.
#[derive(Debug)]
pub struct Sample<R>(PhantomData<R>);

/// The settings of a [`Sample`]: those that every service has.
#[derive(Debug, Clone, clap::Args)]
pub struct SampleConfig {
    #[command(flatten)]
    common: Common,
}

impl Configuration for SampleConfig {
    fn common(&self) -> &Common {
        &self.common
    }
}

impl<R: SampleRoutes> Service for Sample<R> {
    const NAME: &'static str = "sample-service";
    const HTTP_PORT: u16 = 1;
    type Config = SampleConfig;
    type State = ();

    fn http() -> OpenApiRouter {
        R::routes()
    }

    async fn state(_: SampleConfig, _: Option<PgPool>, _: &ServiceContext) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<R: SampleRoutes> Sample<R> {
    /// What the chassis lends the service in development, with these flags beside the required ones.
    pub fn context(own: &[&str]) -> ServiceContext {
        let flags = ["--app-env=development", "--jwt-secret=a", "--internal-secret=b"];
        let flags: Vec<String> = flags.iter().chain(own).map(|flag| (*flag).to_owned()).collect();
        let config = configuration_from_flags::<Self>(&flags).expect("the flags are right");
        ServiceContext::new(config.common())
    }

    /// The whole router, to be asked without a port.
    pub fn router(context: &ServiceContext) -> Router {
        http::router(Self::NAME, Self::http(), (), context)
    }
}
