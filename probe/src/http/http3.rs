//! HTTP/3.

use std::future::poll_fn;

use ::http::header::CONTENT_LENGTH;
use ::http::{HeaderMap, Response};
use bytes::{Buf, Bytes};
use futures::Stream;
use h3::client::RequestStream;
use h3::error::StreamError;
use h3_quinn::BidiStream;

use super::head::{BadHead, Head, MAX_HEAD_BYTES};
use super::{Ask, Exchange, body, driven, request, wanted, with_causes};
use crate::Failure;

type Answering = RequestStream<BidiStream<Bytes>, Bytes>;

pub(super) async fn exchange(connection: quinn::Connection, ask: Ask<'_>, found: &mut Exchange) -> Result<(), Failure> {
    let mut builder = h3::client::builder();
    builder.max_field_section_size(MAX_HEAD_BYTES as u64).send_grease(false);
    let connection = h3_quinn::Connection::new(connection);
    let opening = async { builder.build(connection).await.map_err(|error| Failure::Request(with_causes(&error))) };
    let (mut connection, mut sender) = ask.head(opening).await?;
    let exchange = async {
        let answer = async {
            ask.events.ask(ask.clock);
            let mut stream = sender.send_request(request::whole_url(&ask)?).await.map_err(|error| failed(&error))?;
            if let Some(body) = ask.question.request.body.clone() {
                stream.send_data(body).await.map_err(|error| failed(&error))?;
            }
            stream.finish().await.map_err(|error| failed(&error))?;
            let answer = head(&mut stream, &ask, found).await?;
            Ok((stream, answer))
        };
        let (stream, answer) = ask.head(answer).await?;
        if found.take_head(Head::of(answer.status().as_u16(), answer.headers(), wanted(&ask)), ask.question)? {
            let pieces = pieces(stream, announced_bytes(answer.headers()));
            found.is_body_whole = ask.body(body::read(pieces, ask.clock, &mut found.body, &mut found.search)).await?;
        }
        Ok(())
    };
    driven(exchange, poll_fn(|cx| connection.poll_close(cx))).await
}

/// The head of the answer itself. Those of interim answers come before it, as many as the server likes: each is noted when
/// it has come, and all of them together may be as long as one head.
async fn head(stream: &mut Answering, ask: &Ask<'_>, found: &mut Exchange) -> Result<Response<()>, Failure> {
    let mut bytes = 0;
    loop {
        let head = stream.recv_response().await.map_err(|error| failed(&error))?;
        ask.events.answered(ask.clock);
        if !head.status().is_informational() {
            return Ok(head);
        }
        found.interim(head.status().as_u16(), ask.events.was_interim(), &ask.events);
        bytes += section_bytes(head.headers());
        if bytes > MAX_HEAD_BYTES {
            return Err(Failure::Request(BadHead::TooLong.to_string()));
        }
    }
}

fn failed(error: &StreamError) -> Failure {
    Failure::Request(with_causes(error))
}

/// The size of a head as RFC 9114, section 4.2.2, counts it: 32 bytes for each field beside its name and value. The status is
/// a field, too.
fn section_bytes(headers: &HeaderMap) -> usize {
    const FIELD_BYTES: usize = 32;
    const STATUS_BYTES: usize = FIELD_BYTES + ":status".len() + "103".len();
    let fields = headers.iter().map(|(name, value)| FIELD_BYTES + name.as_str().len() + value.len());
    STATUS_BYTES + fields.sum::<usize>()
}

fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The pieces of a body. One that ends before its announced end is an error, which is ours to see.
fn pieces(stream: Answering, announced: Option<u64>) -> impl Stream<Item = Result<Bytes, String>> {
    futures::stream::unfold((stream, announced.unwrap_or_default()), |(mut stream, left)| async move {
        let (piece, left) = match stream.recv_data().await {
            Ok(Some(mut piece)) => {
                let piece = piece.copy_to_bytes(piece.remaining());
                let left = left.saturating_sub(piece.len() as u64);
                (Ok(piece), left)
            }
            Ok(None) if left > 0 => (Err(format!("it ended {left} bytes before the end that was announced")), 0),
            Ok(None) => return None,
            Err(error) => (Err(with_causes(&error)), 0),
        };
        Some((piece, (stream, left)))
    })
}
