//! Listening: bind first, serve second, so that a taken port is known before anything is started.

use std::{
    future::{Future, IntoFuture},
    net::SocketAddr,
};

use axum::{Router, serve::ListenerExt};
use tokio::net::{TcpListener, TcpSocket};

use crate::BoxError;

/// Connections that may wait to be accepted; the kernel's `somaxconn` may allow fewer. One that finds no place is tried again
/// by its client's kernel after a whole second, so a burst has to fit.
const BACKLOG: u32 = 4096;

/// Binds a port.
///
/// # Errors
/// If it is taken or not allowed; the message names it and the variable that changes it.
pub fn bind(address: SocketAddr, variable: &str) -> Result<TcpListener, BoxError> {
    let hint =
        |error| format!("cannot listen on {address}: {error}; stop what uses the port, or set {variable}");
    listen(address).map_err(|error| hint(error).into())
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A port of a process that has just ended is free.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Answers on a listener until `shutdown`, then finishes the requests in hand.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(shutdown).into_future();
    if let Err(error) = serving.await {
        tracing::error!(%error, "serving ended");
    }
}
