//! A request and its answer, on a connection: what every one of them is checked against, and how long its body may take.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use http::header::{self, HeaderValue};
use http::{Request, Version};
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::Sleep;
use tower::Service;

use crate::answer::{Code, Refusal, protect};
use crate::arriving::{Arriving, BodyLength};
use crate::memory::{Held, RequestMemory};
use crate::places::Place;
use crate::request_head;

/// Who is at the other end of a request's connection.
#[derive(Clone)]
pub(crate) struct Peer {
    /// Its address; none where the system could not tell.
    pub(crate) address: Option<IpAddr>,
    pub(crate) place: Arc<Place>,
    /// Whether the connection itself is encrypted.
    pub(crate) is_tls: bool,
}

/// What a connection and the requests on it both know.
pub(crate) struct Progress {
    pub(crate) arriving: Arriving,
    /// Memory for what has come and belongs to no request.
    pub(crate) held: Option<Held>,
}

/// The routes, on one connection.
#[derive(Clone)]
pub(crate) struct Exchanges<S> {
    pub(crate) routes: S,
    pub(crate) peer: Peer,
    pub(crate) progress: Arc<Mutex<Progress>>,
    pub(crate) memory: RequestMemory,
    pub(crate) read_timeout: Duration,
}

impl<S, B> Service<Request<B>> for Exchanges<S>
where
    S: Service<Request<Body>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.routes.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let exchange = Exchange::begin(&request, Arc::clone(&self.progress));
        let held = match self.check(&request) {
            Ok(held) => held,
            Err(refusal) => {
                let answer = last_answer(refusal, request.version());
                return Box::pin(async move { Ok(exchange.until_sent(answer)) });
            }
        };
        let version = request.version();
        request.extensions_mut().insert(self.peer.clone());
        let is_too_slow = Arc::new(AtomicBool::new(false));
        let (timeout, too_slow) = (self.read_timeout, Arc::clone(&is_too_slow));
        let request = request.map(|body| match body.is_end_stream() {
            true => Body::empty(),
            false => Body::new(TimedBody { body, timeout, timer: None, too_slow }),
        });
        let answering = self.routes.call(request);
        Box::pin(async move {
            let mut answer = answering.await?;
            drop(held);
            if is_too_slow.load(Ordering::Relaxed) {
                answer = last_answer(Refusal::body_too_slow(timeout), version);
            }
            Ok(exchange.until_sent(answer))
        })
    }
}

impl<S> Exchanges<S> {
    /// Whether the request may be answered; with the memory of its head where the connection does not hold that.
    fn check<B>(&self, request: &Request<B>) -> Result<Option<Held>, Refusal> {
        request_head::check(request.version(), request.uri(), request.headers())?;
        if request.version() != Version::HTTP_2 {
            return Ok(None);
        }
        // A connection has room for one head of its own, and many requests at once over HTTP/2.
        self.memory.hold_for_head(request_head::bytes(request)).map(Some).ok_or_else(|| {
            let message =
                "as many requests are being answered as there is memory for their heads; send again in a moment";
            Refusal::new(Code::ServiceUnavailable, message).retry_after(1)
        })
    }
}

/// The last answer on a connection: nobody knows where another request would begin, except where frames tell.
fn last_answer(refusal: Refusal, version: Version) -> Response {
    let mut answer = refusal.into_response();
    protect(answer.headers_mut());
    if version < Version::HTTP_2 {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// A request that is being answered, until its answer is sent or given up.
struct Exchange {
    head_bytes: usize,
    body: BodyLength,
    progress: Arc<Mutex<Progress>>,
}

impl Exchange {
    fn begin<B: HttpBody>(request: &Request<B>, progress: Arc<Mutex<Progress>>) -> Self {
        progress.lock().arriving.begin_exchange();
        let exact = request.body().size_hint().exact().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let body = exact.map_or(BodyLength::Chunked, BodyLength::Known);
        Self { head_bytes: request_head::bytes(request), body, progress }
    }

    fn until_sent(self, answer: Response) -> Response {
        answer.map(|body| Body::new(SentBody { body, _exchange: self }))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let mut progress = self.progress.lock();
        progress.arriving.end_exchange(self.head_bytes, self.body);
        let left = progress.arriving.to_hold(usize::MAX);
        if let (Some(left), Some(held)) = (left, &mut progress.held) {
            held.shrink_to(left);
        }
    }
}

/// The body of an answer; once it is sent, the exchange has ended.
struct SentBody {
    body: Body,
    _exchange: Exchange,
}

impl HttpBody for SentBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a request, which fails where it has not come in time.
struct TimedBody<B> {
    body: B,
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    too_slow: Arc<AtomicBool>,
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for TimedBody<B>
where
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(this.timeout)));
        std::task::ready!(timer.as_mut().poll(cx));
        this.too_slow.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err("the body did not arrive in time".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
