//! The shop as its customers see it: HTTP through the gateway, and nothing that the contract does not say.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::{Error, Result};

/// A shop somewhere behind a URL.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    record: Option<Arc<Mutex<BTreeSet<Exchange>>>>,
}

/// What was asked, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exchange {
    /// The HTTP method, in capitals.
    pub method: String,
    /// The path as it was asked for, without its query.
    pub path: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The media type of the answer; empty if there is none.
    pub content_type: String,
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status as a number.
    pub status: u16,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The body; null if it is no JSON.
    pub body: Value,
    /// The body as it came, for what is no JSON.
    pub text: String,
    /// What was asked: method and path.
    pub asked: String,
}

impl Api {
    /// The shop behind this URL, without a slash at its end.
    pub fn new(base: impl Into<String>) -> Result<Self> {
        Self::at(base, None)
    }

    /// The same from an address of this machine that is not the usual one: the gateway's limits are per network.
    pub fn at(base: impl Into<String>, address: Option<IpAddr>) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy();
        let http = http.local_address(address).build();
        let http = http.map_err(|error| Error::other(format!("make an HTTP client: {error}")))?;
        Ok(Self { http, base: base.into(), record: None })
    }

    /// The same, with a memory that its clones share; see [`Api::recorded`].
    #[must_use]
    pub fn recording(self) -> Self {
        Self { record: Some(Arc::default()), ..self }
    }

    /// Every different exchange since [`Api::recording`], sorted.
    pub fn recorded(&self) -> BTreeSet<Exchange> {
        let record = self.record.as_ref().map(|record| record.lock().unwrap_or_else(PoisonError::into_inner));
        record.map(|record| record.clone()).unwrap_or_default()
    }

    /// A request to a path of the gateway, to be completed and given to [`Api::send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Reply> {
        let unanswered =
            |error: reqwest::Error| Error::other(format!("no answer from {}: {error:#}", self.base));
        let request = request.build().map_err(unanswered)?;
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let asked = format!("{method} {path}");
        let answer = self.http.execute(request).await.map_err(unanswered)?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.map_err(unanswered)?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        let reply = Reply { status, headers, body, text, asked };
        if let Some(record) = &self.record {
            let content_type = reply.header("content-type").to_owned();
            let exchange = Exchange { method, path, status, content_type };
            record.lock().unwrap_or_else(PoisonError::into_inner).insert(exchange);
        }
        Ok(reply)
    }

    /// Reads a path, with a token if there is one.
    pub async fn get(&self, path: &str, token: Option<&str>) -> Result<Reply> {
        self.send(authorised(self.request(Method::GET, path), token)).await
    }

    /// Sends a JSON body to a path, with a token if there is one.
    pub async fn call(&self, method: Method, path: &str, token: Option<&str>, body: &Value) -> Result<Reply> {
        self.send(authorised(self.request(method, path), token).json(body)).await
    }

    /// Sends a JSON body to a path, with a token if there is one.
    pub async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Result<Reply> {
        self.call(Method::POST, path, token, body).await
    }
}

fn authorised(request: RequestBuilder, token: Option<&str>) -> RequestBuilder {
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

impl Reply {
    /// The body, if the status is this one.
    pub fn expect(self, status: u16) -> Result<Value> {
        if self.status == status {
            return Ok(self.body);
        }
        let text: String = self.text.chars().take(500).collect();
        let hint =
            if self.status == 429 { ". A shop that runs with RATE_LIMIT=off has no limits" } else { "" };
        Err(Error::other(format!(
            "{} answered {} instead of {status}: {text}{hint}",
            self.asked, self.status
        )))
    }

    /// The stable code of a problem; empty if this is none.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// A header; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A number inside a JSON value.
pub fn number(value: &Value, path: &str) -> Result<i64> {
    value
        .pointer(path)
        .and_then(Value::as_i64)
        .ok_or_else(|| Error::other(format!("no number at {path} in {value}")))
}

/// A text inside a JSON value.
pub fn text<'a>(value: &'a Value, path: &str) -> Result<&'a str> {
    value
        .pointer(path)
        .and_then(Value::as_str)
        .ok_or_else(|| Error::other(format!("no text at {path} in {value}")))
}
