//! Connections of mail clients: moves the bytes between them and [`Session`].

mod session;

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::session::{Reply, Session, Step};
use crate::Mailbox;
use crate::mail::Mail;

/// Connections at the same time; one more waits until one ends.
const MOST_CONNECTIONS: usize = 64;
/// How long a client may be silent.
const IDLE: Duration = Duration::from_mins(2);
/// How long to wait after a connection could not be accepted, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes mails until `shutdown`; connections end with it.
pub(crate) async fn serve(mailbox: Arc<Mailbox>, listener: TcpListener, shutdown: CancellationToken) {
    let (slots, connections) = (Arc::new(Semaphore::new(MOST_CONNECTIONS)), TaskTracker::new());
    let accept = async {
        while let Ok(slot) = slots.clone().acquire_owned().await {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let (mailbox, shutdown) = (mailbox.clone(), shutdown.clone());
            connections.spawn(async move {
                if let Some(Err(error)) = shutdown.run_until_cancelled(converse(&mailbox, stream)).await {
                    tracing::debug!(%error, "connection broke");
                }
                drop(slot);
            });
        }
    };
    shutdown.run_until_cancelled(accept).await;
    connections.close();
    connections.wait().await;
}

async fn converse(mailbox: &Mailbox, mut stream: TcpStream) -> std::io::Result<()> {
    if mailbox.fault_injection.get().down {
        return Ok(());
    }
    let mut session = Session::default();
    answer(mailbox, &mut stream, Session::greeting()).await?;
    let mut buffer = vec![0; 8 * 1024];
    loop {
        let Ok(read) = timeout(IDLE, stream.read(&mut buffer)).await else { return Ok(()) };
        let read = read?;
        if read == 0 {
            return Ok(());
        }
        let mut bytes = buffer[..read].iter();
        while let Some(step) = session.next(&mut bytes, &mailbox.fault_injection) {
            let reply = match step {
                Step::Answer(reply) => reply,
                Step::Taken(envelope, raw) => {
                    mailbox.store.keep(Mail::read(envelope, &raw, OffsetDateTime::now_utc()));
                    if mailbox.fault_injection.get().lose_answer {
                        return Ok(());
                    }
                    Reply::new(250, "2.0.0 taken, and delivered to nobody")
                }
                Step::Farewell(reply) => return answer(mailbox, &mut stream, reply).await,
            };
            answer(mailbox, &mut stream, reply).await?;
        }
    }
}

async fn answer(mailbox: &Mailbox, stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    sleep(Duration::from_millis(mailbox.fault_injection.get().latency_ms)).await;
    stream.write_all(reply.to_string().as_bytes()).await
}
