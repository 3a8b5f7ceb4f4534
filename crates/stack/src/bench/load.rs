//! HTTP load that costs the machine little: hyper's connections, so that the processors are left to the servers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::measure::Latencies;
use crate::{Error, Result};

/// A request, and the status that it must be answered with.
#[derive(Debug, Clone)]
pub(super) struct Call {
    method: Method,
    pub(super) path: String,
    token: Option<String>,
    body: Bytes,
    status: u16,
}

impl Call {
    pub(super) fn new(method: Method, path: impl Into<String>, status: u16) -> Self {
        Self { method, path: path.into(), token: None, body: Bytes::new(), status }
    }

    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, 200)
    }

    pub(super) fn post(path: impl Into<String>, body: &Value, status: u16) -> Self {
        Self::new(Method::POST, path, status).with(body)
    }

    pub(super) fn with(self, body: &Value) -> Self {
        Self { body: body.to_string().into(), ..self }
    }

    pub(super) fn by(self, token: &str) -> Self {
        Self { token: Some(format!("Bearer {token}")), ..self }
    }

    fn request(&self, address: &str) -> http::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(&self.method).uri(&self.path).header(HOST, address);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        if !self.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request.body(Full::new(self.body.clone()))
    }
}

/// A connection that is kept open.
#[derive(Debug)]
pub(super) struct Connection {
    address: String,
    sender: SendRequest<Full<Bytes>>,
    /// Drives the connection; ends when this is dropped.
    _driver: JoinSet<hyper::Result<()>>,
}

impl Connection {
    pub(super) async fn open(address: &str) -> Result<Self> {
        let connecting = TcpStream::connect(address);
        let stream = connecting.await.map_err(Error::io(format!("connect to {address}")))?;
        stream.set_nodelay(true).map_err(Error::io("configure a connection"))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(unanswered(address))?;
        Ok(Self { address: address.to_owned(), sender, _driver: [connection].into_iter().collect() })
    }

    /// Sends a request and returns the body of the answer.
    ///
    /// # Errors
    /// If the answer is another one than the call expects.
    pub(super) async fn send(&mut self, call: &Call) -> Result<Bytes> {
        // nginx closes a connection after so many requests.
        if self.sender.ready().await.is_err() {
            *self = Self::open(&self.address).await?;
        }
        let request = call.request(&self.address).map_err(|error| Error::other(error.to_string()))?;
        let answer = self.sender.send_request(request).await.map_err(unanswered(&call.path))?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(unanswered(&call.path))?.to_bytes();
        if status == call.status {
            return Ok(body);
        }
        let text: String = String::from_utf8_lossy(&body).chars().take(500).collect();
        Err(Error::other(format!("{} {} answered {status}: {text}", call.method, call.path)))
    }
}

fn unanswered(what: &str) -> impl Fn(hyper::Error) -> Error {
    move |error| Error::other(format!("no answer from {what}: {error}"))
}

#[derive(Debug, Clone)]
pub(super) struct Load {
    /// Requests that were answered, or orders that got where they should.
    pub(super) units: u64,
    /// Empty where no single one was timed.
    pub(super) latencies: Latencies,
    pub(super) elapsed: Duration,
}

impl Load {
    pub(super) fn of(latencies: Latencies, elapsed: Duration) -> Self {
        Self { units: latencies.count(), latencies, elapsed }
    }

    #[allow(clippy::cast_precision_loss, reason = "a number for a person to read")]
    pub(super) fn per_second(&self) -> f64 {
        self.units as f64 / self.elapsed.as_secs_f64()
    }
}

/// Closed loop: each connection sends its next request when it has the answer to the last one. It shows how much the
/// system can do, and hides how long requests would have waited.
pub(super) async fn closed(
    address: &str,
    calls: &Arc<[Call]>,
    connections: usize,
    duration: Duration,
) -> Result<Load> {
    let opened = try_join_all((0..connections).map(|_| Connection::open(address))).await?;
    let began = Instant::now();
    let tasks = opened.into_iter().enumerate().map(|(n, connection)| {
        let first = n * calls.len() / connections;
        repeat(connection, Arc::clone(calls), first, began + duration)
    });
    let latencies = merged(tasks.collect()).await?;
    Ok(Load::of(latencies, began.elapsed()))
}

async fn repeat(
    mut connection: Connection,
    calls: Arc<[Call]>,
    first: usize,
    end: Instant,
) -> Result<Latencies> {
    let mut latencies = Latencies::new();
    for call in calls.iter().cycle().skip(first) {
        let sent = Instant::now();
        if sent >= end {
            break;
        }
        connection.send(call).await?;
        latencies.record(sent.elapsed());
    }
    Ok(latencies)
}

/// Open loop: requests arrive at this rate whether earlier ones were answered or not, as those of people do. A latency
/// counts from when the request was due, so that waiting for a free connection is part of it.
pub(super) async fn open(
    address: &str,
    calls: &Arc<[Call]>,
    connections: usize,
    rate: f64,
    duration: Duration,
) -> Result<Load> {
    let opened = try_join_all((0..connections).map(|_| Connection::open(address))).await?;
    let (arrivals, arrived) = mpsc::unbounded_channel();
    let arrived = Arc::new(Mutex::new(arrived));
    let tasks =
        opened.into_iter().map(|connection| answer(connection, Arc::clone(calls), Arc::clone(&arrived)));
    let tasks = tasks.collect();
    let began = Instant::now();
    // A thread of its own: the runtime's timer is precise to a millisecond only.
    let pace = tokio::task::spawn_blocking(move || {
        let due = |n: usize| Duration::from_secs_f64(f64::from(u32::try_from(n).unwrap_or(u32::MAX)) / rate);
        for n in (0..).take_while(|n| due(*n) < duration) {
            std::thread::sleep((began + due(n)).saturating_duration_since(Instant::now()));
            if arrivals.send((n, began + due(n))).is_err() {
                break;
            }
        }
    });
    let latencies = merged(tasks).await?;
    let elapsed = began.elapsed();
    pace.await.map_err(|error| Error::other(error.to_string()))?;
    Ok(Load::of(latencies, elapsed))
}

type Arrivals = Arc<Mutex<mpsc::UnboundedReceiver<(usize, Instant)>>>;

async fn answer(mut connection: Connection, calls: Arc<[Call]>, arrived: Arrivals) -> Result<Latencies> {
    let mut latencies = Latencies::new();
    loop {
        let next = arrived.lock().await.recv().await;
        let Some((n, due)) = next else { return Ok(latencies) };
        connection.send(&calls[n % calls.len()]).await?;
        latencies.record(due.elapsed());
    }
}

/// Sends each call once over so many connections, and returns the bodies of the answers in the order of the calls.
pub(super) async fn once(address: &str, calls: Vec<Call>, connections: usize) -> Result<Vec<Bytes>> {
    burst(Burst::open(address, connections).await?, calls).await
}

pub(super) struct Burst(Vec<Connection>);

impl Burst {
    pub(super) async fn open(address: &str, connections: usize) -> Result<Self> {
        try_join_all((0..connections).map(|_| Connection::open(address))).await.map(Self)
    }
}

/// The same over connections that are open already.
pub(super) async fn burst(Burst(connections): Burst, calls: Vec<Call>) -> Result<Vec<Bytes>> {
    let step = connections.len();
    let calls: Arc<[Call]> = calls.into();
    let tasks = connections.into_iter().enumerate().map(|(first, mut connection)| {
        let calls = Arc::clone(&calls);
        async move {
            let mut answers = Vec::new();
            for (n, call) in calls.iter().enumerate().skip(first).step_by(step) {
                answers.push((n, connection.send(call).await?));
            }
            Ok(answers)
        }
    });
    let mut answers = joined(tasks.collect()).await?.concat();
    answers.sort_unstable_by_key(|(n, _)| *n);
    Ok(answers.into_iter().map(|(_, body)| body).collect())
}

async fn merged(tasks: JoinSet<Result<Latencies>>) -> Result<Latencies> {
    let mut all = Latencies::new();
    joined(tasks).await?.iter().for_each(|one| all.merge(one));
    Ok(all)
}

async fn joined<T: 'static>(mut tasks: JoinSet<Result<T>>) -> Result<Vec<T>> {
    let mut all = Vec::new();
    while let Some(task) = tasks.join_next().await {
        all.push(task.map_err(|error| Error::other(error.to_string()))??);
    }
    Ok(all)
}
