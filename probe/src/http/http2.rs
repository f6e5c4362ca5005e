//! HTTP/2.

use std::future::poll_fn;

use bytes::Bytes;
use futures::Stream;
use h2::client::Builder;
use h2::{Reason, RecvStream};
use tokio::io::{AsyncRead, AsyncWrite};

use super::head::{Head, MAX_HEAD_BYTES};
use super::wire::Wire;
use super::{Again, Ask, Exchange, body, driven, request, wanted, with_causes};
use crate::Failure;

/// What a server may send ahead of us: several times the fixed object, so that the line limits a transfer and not we.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;

pub(super) async fn exchange<S>(wire: Wire<S>, ask: Ask<'_>, found: &mut Exchange) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |error: h2::Error| Failure::Request(with_causes(&error));
    let mut builder = Builder::new();
    builder.initial_window_size(WINDOW_BYTES).initial_connection_window_size(WINDOW_BYTES);
    builder.max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX)).enable_push(false);
    let handshake = async { builder.handshake::<_, Bytes>(wire).await.map_err(failed) };
    let (sender, connection) = ask.head(handshake).await?;
    let exchange = async {
        let answer = async {
            let mut sender = sender.ready().await.map_err(failed)?;
            ask.events.ask(ask.clock);
            let sent = ask.question.request.body.clone();
            let request = request::whole_url(&ask)?;
            let (mut answer, mut stream) = sender.send_request(request, sent.is_none()).map_err(failed)?;
            if let Some(body) = sent {
                stream.send_data(body, true).map_err(failed)?;
            }
            while let Some(Ok(interim)) = poll_fn(|cx| answer.poll_informational(cx)).await {
                found.interim(interim.status().as_u16(), ask.events.was_interim(), &ask.events);
            }
            answer.await.map_err(|error| {
                found.again = again(&error);
                failed(error)
            })
        };
        let answer = ask.head(answer).await?;
        if found.take_head(Head::of(answer.status().as_u16(), answer.headers(), wanted(&ask)), ask.question)? {
            found.is_body_whole =
                ask.body(body::read(pieces(answer.into_body()), ask.clock, &mut found.body, &mut found.search)).await?;
        }
        Ok(())
    };
    driven(exchange, connection).await
}

/// Whether the server has said that it has not looked at the request, and how it would.
fn again(error: &h2::Error) -> Option<Again> {
    match error.reason() {
        Some(Reason::HTTP_1_1_REQUIRED) if error.is_remote() => Some(Again::OverHttp1),
        Some(Reason::REFUSED_STREAM) if error.is_remote() => Some(Again::Anew),
        Some(Reason::NO_ERROR) if error.is_remote() && error.is_go_away() => Some(Again::Anew),
        _ => None,
    }
}

/// The pieces of a body; each makes room for as much.
fn pieces(body: RecvStream) -> impl Stream<Item = Result<Bytes, String>> {
    futures::stream::unfold(body, |mut body| async {
        let piece = body.data().await?;
        let piece = piece.and_then(|piece| body.flow_control().release_capacity(piece.len()).map(|()| piece));
        Some((piece.map_err(|error| with_causes(&error)), body))
    })
}
