//! HTTP/2.

use bytes::Bytes;
use futures::Stream;
use h2::RecvStream;
use h2::client::Builder;
use tokio::io::{AsyncRead, AsyncWrite};

use super::wire::Wire;
use super::{Ask, Exchange, body, driven, request, with_causes};
use crate::Failure;

/// What a server may send ahead of us: several times the fixed object, so that the line limits a transfer and not we.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// Longest head of an answer. Real ones are a few hundred bytes.
const MAX_HEAD_BYTES: u32 = 64 * 1024;

pub(super) async fn exchange<S>(wire: Wire<S>, ask: Ask<'_>, found: &mut Exchange) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |error: h2::Error| Failure::Request(with_causes(&error));
    let mut builder = Builder::new();
    builder.initial_window_size(WINDOW_BYTES).initial_connection_window_size(WINDOW_BYTES);
    builder.max_header_list_size(MAX_HEAD_BYTES).enable_push(false);
    let handshake = async { builder.handshake::<_, Bytes>(wire).await.map_err(failed) };
    let (sender, connection) = ask.head(handshake).await?;
    let exchange = async {
        let answer = async {
            let mut sender = sender.ready().await.map_err(failed)?;
            ask.events.ask(ask.clock);
            let (answer, _) = sender.send_request(request::whole_url(ask.url)?, true).map_err(failed)?;
            answer.await.map_err(failed)
        };
        let answer = ask.head(answer).await?;
        if found.take_head(answer.status().as_u16(), answer.headers())? {
            ask.body(body::read(pieces(answer.into_body()), ask.clock, &mut found.body)).await?;
        }
        Ok(())
    };
    driven(exchange, connection).await
}

/// The pieces of a body; each makes room for as much.
fn pieces(body: RecvStream) -> impl Stream<Item = Result<Bytes, String>> {
    futures::stream::unfold(body, |mut body| async {
        let piece = body.data().await?;
        let piece = piece.and_then(|piece| body.flow_control().release_capacity(piece.len()).map(|()| piece));
        Some((piece.map_err(|error| with_causes(&error)), body))
    })
}
