//! Request, first byte and body, over a connection that is used once.

mod body;
mod cookies;
mod frames;
mod framing;
mod head;
mod http1;
mod http2;
#[cfg(feature = "http3")]
mod http3;
mod object;
mod request;
mod wire;

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use netqoe_model::ErrorStage;
use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) use body::{Body, MAX_BODY_BYTES};
pub(crate) use cookies::CookieJar;
#[cfg(feature = "fuzzing")]
pub(crate) use framing::Framing;
pub(crate) use head::{Head, HeadReader};
use wire::Wire;

use crate::clock::{Clock, Span};
use crate::deadline::Deadline;
use crate::expectations::Search;
#[cfg(feature = "http3")]
use crate::quic::QuicConnection;
use crate::wire_events::WireEvents;
use crate::{Expectations, ExpectedHeader, Failure, InterimAnswer, RequestSettings, Unmet, WebUrl};

/// Characters of what an answer says of its body that a message repeats.
const MAX_KIND: usize = 60;
/// Interim answers that are told; a server may send any number.
const MAX_INTERIM_TOLD: usize = 8;

/// The phases of an exchange that were reached, also where a later one failed, and what the server has said.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) request: Option<Span>,
    pub(crate) ttfb: Option<Span>,
    pub(crate) body_span: Option<Span>,
    pub(crate) head: Option<Head>,
    /// Where a redirect leads, as the server wrote it.
    pub(crate) location: Option<Vec<u8>>,
    /// What the server said before its answer; the first of it.
    pub(crate) interim: Vec<InterimAnswer>,
    /// Where the server has refused the request unseen: how it would take it.
    pub(crate) again: Option<Again>,
    pub(crate) body: Body,
    /// The text that is looked for in it.
    pub(crate) search: Option<Search>,
    /// Whether the body was read to its end.
    pub(crate) is_body_whole: bool,
    /// If it is an object that is asked for: its bytes, if they are known before.
    pub(crate) object_bytes: Option<Option<u64>>,
    /// When the head is waited for no longer, if that is sooner than the whole.
    pub(crate) answer_by: Option<Deadline>,
}

/// How a server would take a request that it has refused unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Over HTTP/1.1 (HTTP_1_1_REQUIRED).
    OverHttp1,
    /// On another connection (REFUSED_STREAM, or GOAWAY without an error).
    Anew,
}

/// What is asked for, and with what.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) url: &'a WebUrl,
    /// The `Cookie` header.
    pub(crate) cookies: Option<&'a str>,
    /// Method, headers and body.
    pub(crate) request: &'a RequestSettings,
    /// What is expected of the answer.
    pub(crate) expectations: &'a Expectations,
    /// Whether a proxy is asked, which needs the whole URL.
    pub(crate) is_whole_url: bool,
}

impl Exchange {
    /// Asks for `url` and fills itself in.
    ///
    /// A status of 400 or more is a failure, unless it was expected, and its body is not read; nor is that of a redirect.
    pub(crate) async fn run<S>(
        &mut self,
        mut stream: S,
        is_http2: bool,
        question: Question<'_>,
        clock: Clock,
        deadline: Deadline,
    ) -> Result<(), Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let events = WireEvents::default();
        let ask = self.ask(question, &events, clock, deadline);
        let outcome = if is_http2 {
            http2::exchange(Wire::new(stream, clock, events.clone()), ask, self).await
        } else {
            http1::exchange(&mut stream, ask, self).await
        };
        self.take_phases(&events, outcome.is_ok());
        outcome.and_then(|()| self.check_text(question.expectations))
    }

    /// The same over QUIC.
    #[cfg(feature = "http3")]
    pub(crate) async fn run_http3(
        &mut self,
        quic: &QuicConnection,
        question: Question<'_>,
        clock: Clock,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let ask = self.ask(question, &quic.events, clock, deadline);
        let outcome = http3::exchange(quic.connection.clone(), ask, self).await;
        self.take_phases(&quic.events, outcome.is_ok());
        outcome.and_then(|()| self.check_text(question.expectations))
    }

    fn ask<'a>(&self, question: Question<'a>, events: &WireEvents, clock: Clock, deadline: Deadline) -> Ask<'a> {
        let answer_by = self.answer_by.unwrap_or(deadline);
        Ask { question, events: events.clone(), clock, deadline, answer_by }
    }

    /// Also where the answer broke off after its first byte.
    fn take_phases(&mut self, events: &WireEvents, is_whole: bool) {
        (self.request, self.ttfb) = (events.request(), events.ttfb());
        if let (true, Some(ttfb), Some(transfer)) = (is_whole, self.ttfb, self.body.transfer) {
            self.body_span = Some(Span { start: ttfb.end, end: transfer.span.end });
        }
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.head.as_ref().map(|head| head.status)
    }

    /// Notes the head of an answer. Whether its body is to be read.
    fn take_head(&mut self, head: Head, question: Question<'_>) -> Result<bool, Failure> {
        let (status, expectations) = (head.status, question.expectations);
        if (300..400).contains(&status) && !expectations.names(status) {
            // An empty one leads nowhere, as for browsers and curl, and the first of several counts.
            self.location = head.values("location").find(|location| !location.is_empty()).map(<[u8]>::to_vec);
        }
        let head = self.head.insert(head);
        if self.location.is_none() {
            expectations.check_status(status)?;
            if status >= 400 && expectations.status.is_empty() {
                return Err(Failure::Status(status));
            }
            expectations.check_headers(status, |name| head.values(name).collect())?;
        }
        if let (Some(must_be), Some(head)) = (self.object_bytes, &self.head) {
            let announced = if head.is_chunked() { None } else { head.content_length() };
            if let Some(reason) = object::refuse(head, must_be, announced) {
                return Err(Failure::NotTheObject(reason));
            }
        }
        Ok(self.location.is_none())
    }

    /// Whether the body has the text that is expected in it.
    fn check_text(&self, expectations: &Expectations) -> Result<(), Failure> {
        let (Some(text), None, Some(head)) = (&expectations.text, &self.location, &self.head) else { return Ok(()) };
        if self.search.as_ref().is_some_and(|search| search.is_found) {
            return Ok(());
        }
        let told = |name: &str| head.text(name).map(|text| text.chars().take(MAX_KIND).collect::<String>());
        let coding = told("content-encoding").filter(|coding| !coding.is_empty() && coding != "identity");
        let kind = told("content-type").map(|kind| format!(" as {kind}")).unwrap_or_default();
        let coded = coding.map(|coding| format!(", compressed ({coding})")).unwrap_or_default();
        let within = if self.is_body_whole || self.body.bytes == 0 { "" } else { " within its first 10 MiB" };
        let about = format!("{kind}{coded}");
        Err(Unmet::Text { text: text.as_str().to_owned(), within, status: head.status, about }.into())
    }

    /// Notes an interim answer (1xx).
    fn interim(&mut self, status: u16, arrived: Option<Duration>, events: &WireEvents) {
        if self.interim.len() < MAX_INTERIM_TOLD {
            let since = arrived.and_then(|at| events.since_sent(at)).unwrap_or_default();
            let ms = (since.as_secs_f64() * 1_000_000.0).round() / 1000.0;
            self.interim.push(InterimAnswer { status, ms });
        }
    }
}

/// What every version of HTTP needs for an exchange.
struct Ask<'a> {
    question: Question<'a>,
    events: WireEvents,
    clock: Clock,
    deadline: Deadline,
    answer_by: Deadline,
}

impl Ask<'_> {
    /// Waits for the head of the answer.
    async fn head<T>(&self, answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        self.answer_by.hold(ErrorStage::Http, answer).await
    }

    /// Waits for the whole body.
    async fn body<T>(&self, body: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        self.deadline.hold(ErrorStage::Throughput, body).await
    }
}

/// The headers that are looked at because they are expected.
fn wanted<'a>(ask: &Ask<'a>) -> &'a [ExpectedHeader] {
    &ask.question.expectations.headers
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
