//! What the handlers of this service share: built once, cloned for each.

use std::sync::Arc;

use chassis::{BoxError, ServiceContext};
use messaging::Outbox;
use sqlx::PgPool;

use crate::{
    clients::{Mailer, Users, Webhook},
    config::Config,
    domain::{Channel, Language},
    templates::Templates,
};

#[derive(Clone)]
pub struct AppState {
    pub db: PgPool,
    /// Required by the consumer; this service appends nothing.
    pub outbox: Outbox,
    /// Enqueues jobs, and has the worker run them at once.
    pub jobs: jobs::Queue,
    pub users: Users,
    pub mailer: Mailer,
    /// The second channel, where one is set.
    pub webhook: Option<Webhook>,
    pub templates: Arc<Templates>,
    /// Of customers who have chosen none.
    pub language: Language,
}

impl AppState {
    /// Builds the state from the configuration. Nothing runs or connects yet.
    ///
    /// # Errors
    /// If a setting cannot be used, such as a template that does not render.
    pub fn new(config: Config, pool: Option<PgPool>, context: &ServiceContext) -> Result<Self, BoxError> {
        Ok(Self {
            db: pool.ok_or("notification-service needs its database")?,
            outbox: Outbox::default(),
            jobs: jobs::Queue::default(),
            users: Users::follow(&config.user_grpc_url, context)?,
            mailer: Mailer::new(&config.smtp_url, &config.mail_from)?,
            webhook: config.webhook().map(|(url, secret)| Webhook::new(url, secret)).transpose()?,
            templates: Arc::new(Templates::load(config.templates_folder(), config.shop())?),
            language: config.notification_language,
        })
    }

    /// The channels over which customers are notified.
    pub fn channels(&self) -> Vec<Channel> {
        let webhook = self.webhook.as_ref().map(|_| Channel::Webhook);
        [Some(Channel::Email), webhook].into_iter().flatten().collect()
    }
}
