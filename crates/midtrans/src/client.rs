//! One HTTP client for both APIs.

use std::time::Duration;

use reqwest::{Method, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::Error;
use crate::response::Reply;

/// Where Midtrans is and who we are to it.
#[derive(Debug, Clone)]
pub struct Config {
    /// Base of the Snap API, with its version: `https://app.midtrans.com/snap/v1`.
    pub snap_base: String,
    /// Base of the Core API, without a version: `https://api.midtrans.com`.
    pub core_base: String,
    /// The server key of the same environment; the wrong one is a 401.
    pub server_key: SecretString,
    /// Deadline of one call, connecting included.
    pub timeout: Duration,
}

impl Config {
    /// Midtrans answers within a few seconds; longer than this and the caller is better off asking again.
    const TIMEOUT: Duration = Duration::from_secs(10);

    /// Real money (section 1).
    pub fn production(server_key: SecretString) -> Self {
        Self::new("https://app.midtrans.com/snap/v1", "https://api.midtrans.com", server_key)
    }

    /// Midtrans' public test environment (section 1).
    pub fn sandbox(server_key: SecretString) -> Self {
        Self::new("https://app.sandbox.midtrans.com/snap/v1", "https://api.sandbox.midtrans.com", server_key)
    }

    /// Something that speaks both APIs below one address, as `midtrans-sandbox` does.
    pub fn at(base: &str, server_key: SecretString) -> Self {
        let base = base.trim_end_matches('/');
        Self::new(&format!("{base}/snap/v1"), base, server_key)
    }

    fn new(snap_base: &str, core_base: &str, server_key: SecretString) -> Self {
        Self {
            snap_base: snap_base.to_owned(),
            core_base: core_base.to_owned(),
            server_key,
            timeout: Self::TIMEOUT,
        }
    }
}

/// A client of Snap and the Core API. Cloning it is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    snap_base: Url,
    core_base: Url,
    server_key: SecretString,
}

impl Client {
    /// Checks the configuration; nothing is sent.
    pub fn new(config: Config) -> Result<Self, Error> {
        if config.server_key.expose_secret().is_empty() {
            return Err(Error::Config("the server key is empty".to_owned()));
        }
        // Midtrans does not redirect; following one would carry the server key to wherever it points.
        let http = reqwest::Client::builder()
            .timeout(config.timeout)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| Error::Config(error.to_string()))?;
        Ok(Self {
            http,
            snap_base: base(&config.snap_base)?,
            core_base: base(&config.core_base)?,
            server_key: config.server_key,
        })
    }

    pub(crate) async fn snap(&self, path: &[&str], body: &impl Serialize) -> Result<Reply, Error> {
        self.send(Method::POST, address(&self.snap_base, path)?, Some(body)).await
    }

    pub(crate) async fn core_get(&self, path: &[&str]) -> Result<Reply, Error> {
        self.send(Method::GET, address(&self.core_base, path)?, None::<&()>).await
    }

    pub(crate) async fn core_post(&self, path: &[&str], body: &impl Serialize) -> Result<Reply, Error> {
        self.send(Method::POST, address(&self.core_base, path)?, Some(body)).await
    }

    async fn send(&self, method: Method, url: Url, body: Option<&impl Serialize>) -> Result<Reply, Error> {
        let mut request = self
            .http
            .request(method, url)
            .basic_auth(self.server_key.expose_secret(), Some(""))
            .header("Accept", "application/json");
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        let reply = Reply::read(status, &response.bytes().await?)?;
        tracing::debug!(http = status.as_u16(), code = reply.code, "Midtrans answered");
        Ok(reply)
    }
}

fn base(text: &str) -> Result<Url, Error> {
    let wrong = || Error::Config(format!("not an http address: {text:?}"));
    let url = Url::parse(text).map_err(|_| wrong())?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(wrong()) }
}

/// Adds the segments, percent-encoded: an order id may hold anything (section 3). An id that would vanish from the path
/// cannot exist on the other side either.
fn address(base: &Url, path: &[&str]) -> Result<Url, Error> {
    if path.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
        return Err(Error::NotFound("no transaction can have this id".to_owned()));
    }
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| Error::Config("not an http address".to_owned()))?
        .pop_if_empty()
        .extend(path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::{address, base};
    use crate::{Client, Config, Error};

    #[test]
    fn ids_are_percent_encoded_into_one_segment() {
        let base = base("http://127.0.0.1:8090/midtrans/").unwrap();
        let url = address(&base, &["v2", "a/b #1?:", "status"]).unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:8090/midtrans/v2/a%2Fb%20%231%3F:/status");
    }

    #[test]
    fn an_id_that_no_address_can_carry_is_not_found() {
        let base = base("https://api.midtrans.com").unwrap();
        for id in ["", ".", ".."] {
            assert!(matches!(address(&base, &["v2", id, "status"]), Err(Error::NotFound(_))), "{id:?}");
        }
    }

    #[test]
    fn the_public_environments_are_midtrans_own_hosts() {
        let sandbox = Client::new(Config::sandbox("SB-Mid-server-abc".into())).unwrap();
        let url = address(&sandbox.snap_base, &["transactions"]).unwrap();
        assert_eq!(url.as_str(), "https://app.sandbox.midtrans.com/snap/v1/transactions");
        let production = Client::new(Config::production("Mid-server-abc".into())).unwrap();
        let url = address(&production.core_base, &["v2", "INV-1", "status"]).unwrap();
        assert_eq!(url.as_str(), "https://api.midtrans.com/v2/INV-1/status");
    }

    #[test]
    fn a_configuration_that_cannot_work_is_refused() {
        let key = || "SB-Mid-server-abc".into();
        assert!(matches!(Client::new(Config::at("not an address", key())), Err(Error::Config(_))));
        assert!(matches!(Client::new(Config::at("ftp://127.0.0.1", key())), Err(Error::Config(_))));
        assert!(matches!(Client::new(Config::sandbox("".into())), Err(Error::Config(_))));
    }

    #[test]
    fn the_server_key_does_not_show_in_debug_output() {
        let client = Client::new(Config::sandbox("SB-Mid-server-secret".into())).unwrap();
        assert!(!format!("{client:?}").contains("SB-Mid-server-secret"));
    }
}
