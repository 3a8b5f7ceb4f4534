//! `/health/shop`: how all six services are, asked from any one of them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Json, http::StatusCode};
use futures::future::join_all;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use crate::{Lifecycle, Problem, ServiceContext};

/// How long a peer may take to answer.
const DEADLINE: Duration = Duration::from_secs(1);
/// How long an answer is repeated: the peers are asked once in that time, however many ask for them.
const FRESH: Duration = Duration::from_secs(1);

/// 200 or 503, with an entry for each service.
type Report = (StatusCode, Json<Value>);

/// A client for plain HTTP within the shop. It loads no certificates: they would be most of an idle service's memory.
///
/// # Errors
/// If no client can be built.
pub fn plain_client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().timeout(timeout).tls_certs_only([]).no_proxy().build()
}

/// The six services as this one knows them.
#[derive(Debug, Clone)]
pub(super) struct Shop {
    client: Option<reqwest::Client>,
    peers: Arc<[(&'static str, String)]>,
    /// The last report and when it was made. Locked while the peers are asked, so that whoever comes meanwhile waits for
    /// the same report.
    last: Arc<Mutex<Option<(Instant, Report)>>>,
    lifecycle: Lifecycle,
}

impl Shop {
    pub(super) fn new(me: &'static str, context: &ServiceContext) -> Self {
        let own = format!("http://{}", context.common.http_addr).replace("0.0.0.0", "127.0.0.1");
        let url = |name, url: &str| if name == me { own.clone() } else { url.to_owned() };
        let peers =
            context.common.peers.all().into_iter().map(|(name, peer)| (name, url(name, peer))).collect();
        let lifecycle = context.lifecycle.clone();
        Self { client: plain_client(DEADLINE).ok(), peers, last: Arc::default(), lifecycle }
    }

    /// How all of them are. The peers' answers are awaited even if the caller goes away, so that a second caller does not
    /// ask again.
    pub(super) async fn report(&self) -> Result<Report, Problem> {
        let shop = self.clone();
        self.lifecycle.finish(async move { shop.fresh_report().await }).await.map_err(Problem::internal)
    }

    async fn fresh_report(&self) -> Report {
        let mut last = self.last.lock().await;
        if let Some((made, report)) = &*last
            && made.elapsed() < FRESH
        {
            return report.clone();
        }
        let report = self.ask().await;
        *last = Some((Instant::now(), report.clone()));
        report
    }

    /// Asks all of them at once: 200 if each is ready, else 503.
    async fn ask(&self) -> Report {
        let answers = join_all(self.peers.iter().map(async |(name, url)| {
            let ready = match &self.client {
                Some(client) => client.get(format!("{url}/health/ready")).send().await,
                None => return (*name, false),
            };
            (*name, ready.is_ok_and(|response| response.status().is_success()))
        }));
        let members: Map<String, Value> = answers
            .await
            .into_iter()
            .map(|(name, ready)| (name.to_owned(), json!(if ready { "ok" } else { "unavailable" })))
            .collect();
        let well = members.values().all(|status| status == "ok");
        let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, Json(json!({ "status": if well { "ok" } else { "unavailable" }, "services": members })))
    }
}
