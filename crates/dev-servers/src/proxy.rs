//! The network between a program and a server: a proxy that can be damaged while bytes pass through it.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::{Error, Result};

/// Where the server behind a [`Proxy`] listens.
#[derive(Debug, Clone)]
pub enum Upstream {
    /// On a port of 127.0.0.1.
    Port(u16),
    /// On a Unix socket, by its path.
    Socket(PathBuf),
}

/// What happens to the bytes between two processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Connections are reset, and no new one is made.
    Cut,
    /// Every packet takes this many milliseconds more.
    Slow(u16),
    /// Requests arrive, answers do not.
    OneWay,
}

/// The connections on which nothing arrives, in neither direction, and neither side notices.
#[derive(Debug, Clone, Copy)]
enum Silence {
    Nowhere,
    OpenedBefore(Instant),
    Everywhere,
}

#[derive(Debug)]
struct State {
    upstream: Upstream,
    damage: Option<Damage>,
    silence: Silence,
}

impl State {
    /// Whether a connection that was opened then keeps back what came. A connection with a gap in it could not go on: its
    /// bytes come late, and all of them.
    fn keeps_back(&self, opened: Instant, is_answer: bool) -> bool {
        let silent = match self.silence {
            Silence::Nowhere => false,
            Silence::OpenedBefore(then) => opened < then,
            Silence::Everywhere => true,
        };
        silent || (is_answer && self.damage == Some(Damage::OneWay))
    }
}

/// A listener on 127.0.0.1 that passes on to a server; its connections end when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    state: watch::Sender<State>,
    _accepts: JoinSet<()>,
}

impl Proxy {
    /// A way to this server on a port of its own, by which everything passes.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn to(upstream: Upstream) -> Result<Self> {
        let listen = async || {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            Ok((listener.local_addr()?.port(), listener))
        };
        let (port, listener) = listen().await.map_err(Error::io("listen on 127.0.0.1"))?;
        let state = watch::Sender::new(State { upstream, damage: None, silence: Silence::Nowhere });
        let accepts = accept(listener, state.subscribe());
        Ok(Self { port, state, _accepts: [accepts].into_iter().collect() })
    }

    /// The port on 127.0.0.1 to which a client connects instead of the server's.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Damages it until it is healed.
    pub fn damage(&self, damage: Damage) {
        self.state.send_modify(|state| state.damage = Some(damage));
    }

    /// Silences all connections that are open, as where a route is gone. New ones pass.
    pub fn silence_open(&self) {
        self.state.send_modify(|state| state.silence = Silence::OpenedBefore(Instant::now()));
    }

    /// Silences all connections, those to come as well: they are accepted, and never answered. As with a server that is
    /// frozen.
    pub fn silence_all(&self) {
        self.state.send_modify(|state| state.silence = Silence::Everywhere);
    }

    /// Delivers what was kept back, and lets everything pass again.
    pub fn heal(&self) {
        self.state.send_modify(|state| (state.damage, state.silence) = (None, Silence::Nowhere));
    }

    /// Passes new connections on to another server.
    pub fn retarget(&self, upstream: Upstream) {
        self.state.send_modify(|state| state.upstream = upstream);
    }
}

async fn accept(listener: TcpListener, state: watch::Receiver<State>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        // Dropped, the client's connection is reset.
        if state.borrow().damage != Some(Damage::Cut) {
            connections.spawn(connect(client, state.clone()));
        }
    }
}

async fn connect(client: TcpStream, state: watch::Receiver<State>) {
    let (opened, upstream) = (Instant::now(), state.borrow().upstream.clone());
    match upstream {
        Upstream::Port(port) => {
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
            drop(server.set_nodelay(true));
            forward(client, server, opened, state).await;
        }
        Upstream::Socket(path) => {
            let Ok(server) = UnixStream::connect(path).await else { return };
            forward(client, server, opened, state).await;
        }
    }
}

/// Both directions, until both have ended or the connection is cut.
async fn forward(
    client: TcpStream,
    server: impl AsyncRead + AsyncWrite,
    opened: Instant,
    mut state: watch::Receiver<State>,
) {
    drop(client.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (split(client), split(server));
    let requests = pass(from_client, to_server, state.clone(), |state| state.keeps_back(opened, false));
    let answers = pass(from_server, to_client, state.clone(), |state| state.keeps_back(opened, true));
    tokio::select! {
        _ = async { tokio::join!(requests, answers) } => {}
        _ = state.wait_for(|state| state.damage == Some(Damage::Cut)) => {}
    }
}

/// One direction. Its end is passed on like everything else.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
    keeps_back: impl Fn(&State) -> bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or_default();
        let damage = state.borrow().damage;
        if let Some(Damage::Slow(ms)) = damage {
            sleep(Duration::from_millis(ms.into())).await;
        }
        if state.wait_for(|state| !keeps_back(state)).await.is_err() {
            return;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            drop(to.shutdown().await);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    /// A server that answers every byte with the next one.
    async fn server() -> (u16, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serve = async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                connections.spawn(async move {
                    while let Ok(byte) = client.read_u8().await {
                        client.write_u8(byte + 1).await.unwrap();
                    }
                });
            }
        };
        (port, [serve].into_iter().collect())
    }

    async fn ask(stream: &mut TcpStream, byte: u8) -> std::io::Result<u8> {
        stream.write_u8(byte).await?;
        stream.read_u8().await
    }

    #[tokio::test]
    async fn a_way_is_cut_and_passes_again_to_another_server() {
        let ((first, _a), (second, _b)) = (server().await, server().await);
        let proxy = Proxy::to(Upstream::Port(first)).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
        assert_eq!(ask(&mut stream, 1).await.unwrap(), 2);
        proxy.damage(Damage::Cut);
        assert!(ask(&mut stream, 1).await.is_err(), "an open connection is cut");
        let mut refused = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
        let error = ask(&mut refused, 1).await.unwrap_err().kind();
        assert!(
            [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error)
        );
        proxy.heal();
        proxy.retarget(Upstream::Port(second));
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
        assert_eq!(ask(&mut stream, 5).await.unwrap(), 6);
    }

    #[tokio::test]
    async fn answers_that_are_kept_back_come_once_the_way_is_healed() {
        let (port, _server) = server().await;
        let proxy = Proxy::to(Upstream::Port(port)).await.unwrap();
        proxy.damage(Damage::OneWay);
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
        let silence = tokio::time::timeout(Duration::from_millis(200), ask(&mut stream, 1)).await;
        assert!(silence.is_err());
        proxy.heal();
        assert_eq!(stream.read_u8().await.unwrap(), 2);
    }

    #[tokio::test]
    async fn what_is_open_falls_silent_or_everything_does_and_nothing_is_missing_afterwards() {
        let (port, _server) = server().await;
        let proxy = Proxy::to(Upstream::Port(port)).await.unwrap();
        let connect = async || TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
        let is_silent = async |stream: &mut TcpStream| {
            tokio::time::timeout(Duration::from_millis(200), ask(stream, 1)).await.is_err()
        };
        let mut first = connect().await;
        assert_eq!(ask(&mut first, 1).await.unwrap(), 2);
        proxy.silence_open();
        let mut second = connect().await;
        assert!(is_silent(&mut first).await && !is_silent(&mut second).await);
        proxy.silence_all();
        let mut third = connect().await;
        assert!(is_silent(&mut second).await && is_silent(&mut third).await);
        proxy.heal();
        for stream in [&mut first, &mut second, &mut third] {
            assert_eq!(stream.read_u8().await.unwrap(), 2);
        }
    }
}
