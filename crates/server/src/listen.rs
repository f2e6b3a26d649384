//! Listening: TCP, TLS 1.3 or plain HTTP on loopback, and the end of both.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::Service;

use crate::headers::Transport;

/// LIMIT: connections at once: ten thousand live clients, each with one more for its requests.
const CONNECTIONS: usize = 20_480;
/// LIMIT: streams of one HTTP/2 connection.
const STREAMS: u32 = 128;
/// How long a client may take to shake hands, and to send the headers of a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long requests may take to end when the node stops.
const GRACE: Duration = Duration::from_secs(5);
/// How long nothing is accepted after the system refused a connection, as when files run out.
const PAUSE: Duration = Duration::from_millis(100);

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("address {0} is in use by another program; stop it, or give another --listen")]
    InUse(SocketAddr),
    #[error("address {address} cannot be listened on{advice}")]
    Bind { address: SocketAddr, advice: &'static str, source: io::Error },
}

/// The address of whoever sent a request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// An open listener.
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

/// Whether an address may be served without TLS: only from the machine itself.
pub const fn loopback(address: SocketAddr) -> bool {
    address.ip().is_loopback()
}

impl Listener {
    /// Opens a listener.
    ///
    /// # Errors
    /// [`Error::InUse`] or [`Error::Bind`].
    pub async fn open(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> Result<Self, Error> {
        let tcp = TcpListener::bind(address).await.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => Error::InUse(address),
            io::ErrorKind::AddrNotAvailable => {
                Error::Bind { address, advice: "; this machine does not have it", source }
            }
            io::ErrorKind::PermissionDenied => {
                Error::Bind { address, advice: "; a port below 1024 needs a privilege", source }
            }
            _ => Error::Bind { address, advice: "", source },
        })?;
        // Port 0 asks the system for a free one.
        let address = tcp.local_addr().unwrap_or(address);
        Ok(Self { tcp, address, tls: tls.map(TlsAcceptor::from) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether clients speak TLS to it.
    pub const fn transport(&self) -> Transport {
        if self.tls.is_some() { Transport::Tls } else { Transport::Loopback }
    }

    /// Serves until `stop` is done; then requests get [`GRACE`] to end, and live streams close.
    pub async fn serve(self, router: Router, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            while connections.try_join_next().is_some() {}
            let place = tokio::select! {
                () = &mut stop => break,
                place = Arc::clone(&places).acquire_owned() => place,
            };
            // The semaphore is never closed.
            let Ok(place) = place else { break };
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = self.tcp.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let served = WithPeer { router: router.clone(), peer: Peer(peer.ip()) };
                    let tls = self.tls.clone();
                    connections.spawn(connection(stream, tls, served, graceful.watcher(), place));
                }
                Err(refused) => {
                    tracing::warn!(error = %refused, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(self.tcp);
        if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests were cut off: they took too long to end");
        }
    }
}

/// Serves one connection to its end.
async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    service: WithPeer,
    watcher: Watcher,
    _place: OwnedSemaphorePermit,
) {
    // Small frames go out at once: an alert does not wait for more bytes.
    let _unsupported = stream.set_nodelay(true);
    match tls {
        None => http(stream, service, watcher).await,
        Some(acceptor) => match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => http(stream, service, watcher).await,
            Ok(Err(fault)) => tracing::debug!(error = %fault, "a TLS handshake failed"),
            Err(_elapsed) => tracing::debug!("a TLS handshake took too long"),
        },
    }
}

async fn http<S>(stream: S, service: WithPeer, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS);
    let service = TowerToHyperService::new(service);
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    if let Err(fault) = watcher.watch(serving.into_owned()).await {
        tracing::debug!(error = %fault, "a connection ended early");
    }
}

/// The router, which is told who asks.
#[derive(Clone)]
struct WithPeer {
    router: Router,
    peer: Peer,
}

impl<B> Service<Request<B>> for WithPeer
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.peer);
        Box::pin(self.router.call(request))
    }
}
