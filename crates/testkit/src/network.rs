//! The network between a program and a server, cut and healed at a test's word.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Where the server behind a [`Network`] listens.
#[derive(Debug, Clone)]
pub enum Upstream {
    /// On a port of this machine.
    Port(u16),
    /// On a Unix socket, by its path.
    Socket(PathBuf),
}

/// Forwards connections on a port of its own to a server, until they are cut: then what either side sends is kept back,
/// and neither side notices, as with a route that is gone.
#[derive(Debug)]
pub struct Network {
    address: SocketAddr,
    /// Whether bytes pass on the connections that are made from now on.
    passes: Arc<Mutex<watch::Sender<bool>>>,
    /// The connections that were cut, to be healed.
    cut: Mutex<Vec<watch::Sender<bool>>>,
    _end: DropGuard,
}

impl Network {
    /// A network to this server that passes everything, until it is cut.
    pub async fn to(upstream: Upstream) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (passes, end) = (Arc::new(Mutex::new(watch::Sender::new(true))), CancellationToken::new());
        spawn(end.clone(), accept(listener, upstream, passes.clone(), end.clone()));
        Self { address, passes, cut: Mutex::default(), _end: end.drop_guard() }
    }

    /// The port on 127.0.0.1 to which a client connects instead of the server's.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Cuts all connections that are open. New ones pass.
    pub fn cut(&self) {
        let before = std::mem::replace(&mut *lock(&self.passes), watch::Sender::new(true));
        before.send_replace(false);
        lock(&self.cut).push(before);
    }

    /// Cuts all connections, those to come as well: they are accepted, and never answered. As with a server that is frozen.
    pub fn freeze(&self) {
        lock(&self.passes).send_replace(false);
    }

    /// Delivers what was kept back, and goes on.
    pub fn heal(&self) {
        lock(&self.passes).send_replace(true);
        for passes in lock(&self.cut).iter() {
            passes.send_replace(true);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(clippy::disallowed_methods, reason = "tests own their tasks; these end with the network")]
fn spawn(end: CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move { end.run_until_cancelled(task).await });
}

async fn accept(
    listener: TcpListener,
    upstream: Upstream,
    passes: Arc<Mutex<watch::Sender<bool>>>,
    end: CancellationToken,
) {
    while let Ok((client, _)) = listener.accept().await {
        let open = lock(&passes).subscribe();
        match &upstream {
            Upstream::Port(port) => {
                let Ok(server) = TcpStream::connect(("127.0.0.1", *port)).await else { continue };
                forward(client, server, &open, &end);
            }
            Upstream::Socket(path) => {
                let Ok(server) = UnixStream::connect(path).await else { continue };
                forward(client, server, &open, &end);
            }
        }
    }
}

fn forward<S>(client: TcpStream, server: S, open: &watch::Receiver<bool>, end: &CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (from_client, to_client) = split(client);
    let (from_server, to_server) = split(server);
    spawn(end.clone(), pass(from_client, to_server, open.clone()));
    spawn(end.clone(), pass(from_server, to_client, open.clone()));
}

/// One direction. The end of one side is passed on like everything else.
async fn pass<R, W>(mut from: R, mut to: W, mut open: watch::Receiver<bool>)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or_default();
        if open.wait_for(|open| *open).await.is_err()
            || forward_bytes(&mut to, &buffer[..read]).await.is_err()
        {
            return;
        }
        if read == 0 {
            return;
        }
    }
}

async fn forward_bytes<W: AsyncWrite + Unpin>(to: &mut W, bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() { to.shutdown().await } else { to.write_all(bytes).await }
}
