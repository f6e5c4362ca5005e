//! Request, first byte and body, over a connection that is used once.

mod body;
mod frames;
mod http1;
mod http2;
#[cfg(feature = "http3")]
mod http3;
mod request;
mod wire;

use std::convert::Infallible;
use std::error::Error;

use ::http::HeaderMap;
use ::http::header::LOCATION;
use netqoe_model::ErrorStage;
use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) use body::Body;
use wire::Wire;
pub(crate) use wire::WireEvents;

use crate::clock::{Clock, Span};
use crate::deadline::Deadline;
#[cfg(feature = "http3")]
use crate::quic::QuicConnection;
use crate::{Failure, WebUrl};

/// The phases of an exchange that were reached, also where a later one failed, and what the server has said.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) request: Option<Span>,
    pub(crate) ttfb: Option<Span>,
    pub(crate) body_span: Option<Span>,
    pub(crate) status: Option<u16>,
    /// Where a redirect leads, as the server wrote it.
    pub(crate) location: Option<String>,
    pub(crate) body: Body,
}

impl Exchange {
    /// Asks for `url` and fills itself in.
    ///
    /// A status of 400 or more is a failure, and its body is not read; nor is that of a redirect.
    pub(crate) async fn run<S>(
        &mut self,
        stream: S,
        is_http2: bool,
        url: &WebUrl,
        clock: Clock,
        deadline: Deadline,
    ) -> Result<(), Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (wire, events) = Wire::new(stream, is_http2, clock);
        let ask = Ask { url, events: events.clone(), clock, deadline };
        let outcome =
            if is_http2 { http2::exchange(wire, ask, self).await } else { http1::exchange(wire, ask, self).await };
        self.take_phases(&events, outcome.is_ok());
        outcome
    }

    /// The same over QUIC.
    #[cfg(feature = "http3")]
    pub(crate) async fn run_http3(
        &mut self,
        quic: &QuicConnection,
        url: &WebUrl,
        clock: Clock,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let ask = Ask { url, events: quic.events.clone(), clock, deadline };
        let outcome = http3::exchange(quic.connection.clone(), ask, self).await;
        self.take_phases(&quic.events, outcome.is_ok());
        outcome
    }

    /// Also where the answer broke off after its first byte.
    fn take_phases(&mut self, events: &WireEvents, is_whole: bool) {
        (self.request, self.ttfb) = (events.request(), events.ttfb());
        if let (true, Some(ttfb), Some(transfer)) = (is_whole, self.ttfb, self.body.transfer) {
            self.body_span = Some(Span { start: ttfb.end, end: transfer.span.end });
        }
    }

    /// Notes the head of an answer. Whether its body is to be read.
    fn take_head(&mut self, status: u16, headers: &HeaderMap) -> Result<bool, Failure> {
        self.status = Some(status);
        if status >= 400 {
            return Err(Failure::Status(status));
        }
        if (300..400).contains(&status) {
            let location = headers.get(LOCATION).map(|location| String::from_utf8_lossy(location.as_bytes()));
            self.location = location.map(|location| location.into_owned());
        }
        Ok(self.location.is_none())
    }
}

/// What every version of HTTP needs for an exchange.
struct Ask<'a> {
    url: &'a WebUrl,
    events: WireEvents,
    clock: Clock,
    deadline: Deadline,
}

impl Ask<'_> {
    /// Waits for the head of the answer.
    async fn head<T>(&self, answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        self.deadline.hold(ErrorStage::Http, answer).await
    }

    /// Waits for the whole body.
    async fn body(&self, body: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
        self.deadline.hold(ErrorStage::Throughput, body).await
    }
}

/// Runs an exchange on a connection that needs to be driven. What ends the connection also reaches the request or
/// the body that waits for it, and is reported there.
async fn driven<T>(exchange: impl Future<Output = T>, connection: impl Future) -> T {
    let connection = async {
        connection.await;
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        biased;
        outcome = exchange => outcome,
        never = connection => match never {},
    }
}

/// Errors of HTTP libraries name only the operation; the reason is in what they were caused by.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
