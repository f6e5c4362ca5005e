//! Request, first byte and body: HTTP/1.1 over a connection that is used once.

use std::convert::Infallible;
use std::pin::pin;

use ::http::header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, HOST, HeaderValue, USER_AGENT};
use ::http::{Request, Response, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use netqoe_model::ErrorStage;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::deadline::Deadline;
use crate::phases::{Clock, Span, Transfer};
use crate::wire::{Wire, WireEvents};
use crate::{Failure, Phases, Target};

/// No more of a body is read: it is enough to tell the throughput of a gigabit line, and an endless body must
/// not take a line for itself.
const MAX_BODY_BYTES: u64 = 10 * 1024 * 1024;

/// Fills in the phases from the request on.
///
/// A status of 400 or more is a failure, and its body is not read. A redirect is an answer like any other: it is not
/// followed, because one measurement is one URL.
pub(crate) async fn exchange<S>(
    stream: S,
    target: &Target,
    clock: Clock,
    deadline: Deadline,
    phases: &mut Phases,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (wire, events) = Wire::new(stream, clock);
    let (sender, connection) = http1::handshake(TokioIo::new(wire)).await.map_err(Failure::Request)?;
    // What ends the connection also reaches the request or the body that waits for it, and is reported there.
    let connection = async {
        connection.await.ok();
        std::future::pending::<Infallible>().await
    };
    let exchange = ask_and_read(sender, target, clock, deadline, &events, phases);
    tokio::select! {
        biased;
        outcome = exchange => outcome,
        never = connection => match never {},
    }
}

async fn ask_and_read(
    mut sender: SendRequest<Empty<Bytes>>,
    target: &Target,
    clock: Clock,
    deadline: Deadline,
    events: &WireEvents,
    phases: &mut Phases,
) -> Result<(), Failure> {
    let answer = async { sender.send_request(request(target)).await.map_err(Failure::Request) };
    let answer = deadline.hold(ErrorStage::Http, answer).await;
    // Also where the answer breaks off after its first byte.
    phases.ttfb = events.ttfb();
    let answer = answer?;
    if answer.status().as_u16() >= 400 {
        return Err(Failure::Status(answer.status().as_u16()));
    }
    phases.transfer = deadline.hold(ErrorStage::Throughput, read_body(answer, clock)).await?;
    Ok(())
}

fn request(target: &Target) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = Uri::from(target.path_and_query().clone());
    let headers = request.headers_mut();
    headers.insert(HOST, target.authority().clone());
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("netqoe-probe/", env!("CARGO_PKG_VERSION"))));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    // The bytes that travel are to be those of the object itself, from the server itself.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    request
}

/// Reads a body to its end, or as far as [`MAX_BODY_BYTES`]. `None` where it is empty.
async fn read_body(answer: Response<Incoming>, clock: Clock) -> Result<Option<Transfer>, Failure> {
    let mut body = pin!(answer.into_body());
    let mut bytes = 0;
    let mut transfer: Option<Transfer> = None;
    while bytes < MAX_BODY_BYTES
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|cause| Failure::Body { bytes, cause })?;
        // Trailers are no part of the body.
        let Some(data) = frame.data_ref() else { continue };
        let arrived = clock.now();
        bytes += data.len() as u64;
        match &mut transfer {
            None => transfer = Some(Transfer { span: Span { start: arrived, end: arrived }, bytes: 0 }),
            Some(transfer) => {
                transfer.span.end = arrived;
                transfer.bytes += data.len() as u64;
            }
        }
    }
    Ok(transfer)
}
