//! `/health/shop`: how all six services are, asked from any one of them.

use std::time::Duration;

use axum::{Json, http::StatusCode};
use futures::future::join_all;
use serde_json::{Map, Value, json};

use crate::Common;

/// How long a peer may take to answer.
const DEADLINE: Duration = Duration::from_secs(1);

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
    peers: Vec<(&'static str, String)>,
}

impl Shop {
    pub(super) fn new(me: &'static str, common: &Common) -> Self {
        let own = format!("http://{}", common.http_addr).replace("0.0.0.0", "127.0.0.1");
        let url = |name, url: &str| if name == me { own.clone() } else { url.to_owned() };
        let peers = common.peers.all().into_iter().map(|(name, peer)| (name, url(name, peer))).collect();
        Self { client: plain_client(DEADLINE).ok(), peers }
    }

    /// Asks all of them at once: 200 if each is ready, else 503.
    pub(super) async fn ask(&self) -> (StatusCode, Json<Value>) {
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
