//! The network between two processes: a TCP proxy that can be damaged while bytes pass through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::schedule::Damage;
use crate::{Error, Result};

/// A listener on 127.0.0.1 that passes on to a port; its connections end when it is dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    target: Arc<AtomicU16>,
    damage: watch::Sender<Option<Damage>>,
    _accepts: JoinSet<()>,
}

impl Proxy {
    /// Passes what comes to the port `own` on to the port `target`.
    pub(super) async fn start(own: u16, target: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", own)).await;
        let listener = listener.map_err(Error::io(format!("listen on port {own}")))?;
        let target = Arc::new(AtomicU16::new(target));
        let damage = watch::Sender::new(None);
        let accepts = accept(listener, target.clone(), damage.subscribe());
        Ok(Self { target, damage, _accepts: [accepts].into_iter().collect() })
    }

    /// Damages it, or lets everything pass again.
    pub(super) fn damage(&self, damage: Option<Damage>) {
        self.damage.send_replace(damage);
    }

    /// Passes new connections on to another port.
    pub(super) fn retarget(&self, port: u16) {
        self.target.store(port, Ordering::Relaxed);
    }
}

async fn accept(listener: TcpListener, target: Arc<AtomicU16>, damage: watch::Receiver<Option<Damage>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        // Dropped, the client's connection is reset.
        if *damage.borrow() != Some(Damage::Cut) {
            connections.spawn(connect(client, target.load(Ordering::Relaxed), damage.clone()));
        }
    }
}

async fn connect(client: TcpStream, port: u16, mut damage: watch::Receiver<Option<Damage>>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    for stream in [&client, &server] {
        drop(stream.set_nodelay(true));
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let requests = pass(from_client, to_server, damage.clone(), false);
    let answers = pass(from_server, to_client, damage.clone(), true);
    tokio::select! {
        _ = async { tokio::join!(requests, answers) } => {}
        _ = damage.wait_for(|damage| *damage == Some(Damage::Cut)) => {}
    }
}

/// One direction, until its end.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut damage: watch::Receiver<Option<Damage>>,
    answers: bool,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or_default();
        let now = *damage.borrow();
        match now {
            Some(Damage::Slow(ms)) => tokio::time::sleep(Duration::from_millis(ms.into())).await,
            // A connection with a gap in it cannot go on: its answers come late, and all of them, as with a lost route.
            Some(Damage::OneWay) if answers => {
                let healed = damage.wait_for(|damage| *damage != Some(Damage::OneWay)).await;
                if healed.is_err() {
                    return;
                }
            }
            _ => {}
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
    async fn a_link_passes_is_cut_and_passes_again_to_another_server() {
        let ((first, _a), (second, _b)) = (server().await, server().await);
        let own = dev_servers::ports::free().unwrap();
        let proxy = Proxy::start(own, first).await.unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", own)).await.unwrap();
        assert_eq!(ask(&mut stream, 1).await.unwrap(), 2);
        proxy.damage(Some(Damage::Cut));
        assert!(ask(&mut stream, 1).await.is_err(), "an open connection is cut");
        let mut refused = TcpStream::connect(("127.0.0.1", own)).await.unwrap();
        let error = ask(&mut refused, 1).await.unwrap_err().kind();
        assert!(
            [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error)
        );
        proxy.damage(None);
        proxy.retarget(second);
        let mut stream = TcpStream::connect(("127.0.0.1", own)).await.unwrap();
        assert_eq!(ask(&mut stream, 5).await.unwrap(), 6);
    }

    #[tokio::test]
    async fn answers_that_are_kept_back_come_once_the_link_is_healed() {
        let (port, _server) = server().await;
        let own = dev_servers::ports::free().unwrap();
        let proxy = Proxy::start(own, port).await.unwrap();
        proxy.damage(Some(Damage::OneWay));
        let mut stream = TcpStream::connect(("127.0.0.1", own)).await.unwrap();
        let silence = tokio::time::timeout(Duration::from_millis(200), ask(&mut stream, 1)).await;
        assert!(silence.is_err());
        proxy.damage(None);
        assert_eq!(stream.read_u8().await.unwrap(), 2);
    }
}
