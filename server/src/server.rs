//! The listener, and the server on it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum_server::Handle;
use socket2::SockRef;
use tokio_util::sync::CancellationToken;

use crate::connection::{PlaceKeeper, Scarcity};
use crate::limits::ServerLimits;
use crate::tokens::TokensError;
use crate::{Tls, Tokens};

/// Connections that the system holds until they are taken. Beyond them a client waits a second before it tries again, so that
/// a fleet that connects at once must fit; the standard library asks for 128. Linux takes no more than `net.core.somaxconn`,
/// which is 4,096 where nobody has changed it.
const BACKLOG: i32 = 4096;

/// Heads of requests may have at least this length, in bytes: hyper's smallest buffer.
const LEAST_HEADER_BYTES: u32 = 8192;

/// Requests at once on a connection of HTTP/2: as many as browsers and proxies use.
const MAX_STREAMS: u32 = 100;
/// What a client of HTTP/2 may send of one body, and of all on its connection, before anybody has read it: what a connection
/// may hold beside its head.
const STREAM_WINDOW_BYTES: u32 = 64 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 256 << 10;
/// What is kept of an answer over HTTP/2 that its client does not take.
const SEND_BUFFER_BYTES: usize = 64 << 10;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Anyone on the network could write.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// Something else listens there.
    #[error("{address} is in use by another program; stop that one, or choose another port")]
    InUse {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// The system refused.
    #[error("can't listen on {address}: {source}; choose another address or port")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The listener broke.
    #[error("the HTTP server stopped: {0}; start netqoe again")]
    Serve(#[source] io::Error),
}

/// Opens a listener for a server that takes events. Port 0 takes a free one.
///
/// # Errors
/// [`ServeError`] where the address is taken or not this machine's, or where others than this machine would reach a
/// server without tokens.
pub fn listen(address: SocketAddr, tokens: &Tokens) -> Result<TcpListener, ServeError> {
    tokens.check_address(address)?;
    bind(address)
}

/// Opens a listener for a server that only shows something.
///
/// # Errors
/// [`ServeError`] where the address is taken or not this machine's.
pub fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        SockRef::from(&listener).listen(BACKLOG)?;
        Ok(listener)
    });
    bound.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::InUse { address },
        _ => ServeError::Listen { address, source },
    })
}

/// Serves HTTP/1.1 and HTTP/2 without TLS until `stop` is cancelled. Then it takes no more connections, gives requests
/// in flight the drain timeout to finish, and returns.
///
/// # Errors
/// [`ServeError::Serve`] where the listener breaks.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &ServerLimits,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    serve_over(None, listener, router, limits, stop).await
}

/// The same over TLS, where there is a certificate.
///
/// # Errors
/// [`ServeError::Serve`] where the listener breaks.
pub async fn serve_over(
    tls: Option<&Tls>,
    listener: TcpListener,
    router: Router,
    limits: &ServerLimits,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let handle = Handle::new();
    let scarcity = Arc::new(Scarcity::new());
    let keeper = PlaceKeeper::new(limits, tls.cloned(), Arc::clone(&scarcity));
    let mut server = axum_server::from_tcp(listener)
        .map_err(ServeError::Serve)?
        .acceptor(keeper)
        .first_request_timeout(limits.header_timeout)
        .accept_error_handler(move |_, error| scarcity.not_taken(error))
        .handle(handle.clone());
    let header_bytes = limits.max_header_bytes.max(LEAST_HEADER_BYTES);
    // hyper runs this timer from one answer to the end of the next request's head; from its first byte on, ours is shorter.
    let mut http = server.http_builder().http1();
    http.header_read_timeout(limits.idle_timeout).max_buf_size(header_bytes as usize);
    // Who has sent all of a request may say that no more comes. One that is gone is noticed when it is written to.
    http.half_close(true);
    let mut http = server.http_builder().http2();
    http.max_header_list_size(header_bytes).max_concurrent_streams(MAX_STREAMS);
    http.initial_stream_window_size(STREAM_WINDOW_BYTES).initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    http.max_send_buf_size(SEND_BUFFER_BYTES);

    let mut serving = std::pin::pin!(server.serve(router.into_make_service()));
    let served = tokio::select! {
        served = &mut serving => served,
        () = stop.cancelled() => {
            handle.graceful_shutdown(Some(limits.drain_timeout));
            serving.await
        }
    };
    served.map_err(ServeError::Serve)
}
