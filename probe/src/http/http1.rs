//! HTTP/1.1.

use bytes::Bytes;
use futures::StreamExt;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::wire::Wire;
use super::{Ask, Exchange, body, driven, request, with_causes};
use crate::Failure;

pub(super) async fn exchange<S>(wire: Wire<S>, ask: Ask<'_>, found: &mut Exchange) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |error: hyper::Error| Failure::Request(with_causes(&error));
    let (mut sender, connection) = http1::handshake(TokioIo::new(wire)).await.map_err(failed)?;
    let exchange = async {
        ask.events.ask(ask.clock);
        let request = request::http1::<Empty<Bytes>>(ask.url);
        let answer = ask.head(async { sender.send_request(request).await.map_err(failed) }).await?;
        if found.take_head(answer.status().as_u16(), answer.headers())? {
            // Trailers are no part of the body.
            let pieces = answer.into_body().into_data_stream();
            let pieces = pieces.map(|piece| piece.map_err(|error| with_causes(&error)));
            ask.body(body::read(pieces, ask.clock, &mut found.body)).await?;
        }
        Ok(())
    };
    driven(exchange, connection).await
}
