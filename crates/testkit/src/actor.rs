//! Someone who speaks HTTP to the service.

use std::fmt;

use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde_json::Value;

/// Someone with a token, or nobody in particular.
#[derive(Clone)]
pub struct Actor {
    pub(crate) client: reqwest::Client,
    pub(crate) base: String,
    pub(crate) token: Option<String>,
}

/// What the service answered, whatever the status: [`Reply::expect`] checks it.
#[derive(Debug, Clone)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Actor {
    /// GET of a path, without further headers.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], None).await
    }

    /// POST of a JSON body, without further headers.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    /// PUT of a JSON body, without further headers.
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, &[], Some(body)).await
    }

    /// DELETE of a path, without further headers.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// Any request, with further headers; without a body, no content type is sent.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        let raw = body.map(|body| body.to_string());
        let json = [("content-type", "application/json")];
        let all: Vec<_> = json.iter().filter(|_| raw.is_some()).chain(headers).copied().collect();
        self.raw(method, path, &all, raw.unwrap_or_default()).await
    }

    /// Any request with any bytes, for what a well-behaved client would never send.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Reply {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).body(body.into());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.expect("the service answers");
        let (status, headers) = (response.status(), response.headers().clone());
        Reply { status, headers, body: response.text().await.expect("the body is text") }
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Reply {
    /// The HTTP status as a number.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// A header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as it came, whether it is JSON or not.
    pub fn text(&self) -> &str {
        &self.body
    }

    /// The body, or null if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The body, if the status is as expected.
    ///
    /// # Panics
    /// If it is another one.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status(), status, "{}", self.body);
        self.json()
    }

    /// The body, if it is a problem of this status and code.
    ///
    /// # Panics
    /// If it is not.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(self.header(CONTENT_TYPE.as_str()), "application/problem+json");
        assert_eq!(body["code"], code, "{body}");
        body
    }
}
