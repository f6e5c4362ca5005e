//! HTTP/1.1, and answers of HTTP/1.0. What is read is as tolerant as curl: what curl shows is measured.

use std::io;

use ::http::Method;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::framing::Framing;
use super::head::{BadHead, HeadReader, MAX_HEAD_BYTES};
use super::{Ask, Exchange, request, wanted};
use crate::Failure;

/// What is read at a time: enough for the line to limit a transfer and not we.
const BUFFER_BYTES: usize = 64 * 1024;

pub(super) async fn exchange<S>(stream: &mut S, ask: Ask<'_>, found: &mut Exchange) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer = vec![0; BUFFER_BYTES];
    let (head, rest) = ask.head(head(stream, &ask, &mut buffer, found)).await?;
    let is_head_alone = ask.question.request.method == Method::HEAD;
    let framing = if is_head_alone { Framing::Length(0) } else { Framing::of(&head) };
    if found.take_head(head, ask.question)? && !framing.is_over() {
        ask.body(body(stream, &ask, framing, &mut buffer, rest, found)).await?;
    }
    Ok(())
}

/// Asks, and reads the head of the final answer. The bytes of the buffer that are behind it, too.
async fn head<S>(
    stream: &mut S,
    ask: &Ask<'_>,
    buffer: &mut [u8],
    found: &mut Exchange,
) -> Result<(super::head::Head, std::ops::Range<usize>), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    ask.events.ask(ask.clock);
    // A server may answer and close before it has read the request: then the answer counts.
    let request = request::http1(ask);
    let handed = ask.clock.now();
    let written = write(stream, &request).await;
    ask.events.left(handed);
    let (mut reader, mut total) = (HeadReader::wanting(wanted(ask)), 0);
    let mut has_begun = false;
    loop {
        let end = match stream.read(buffer).await {
            Ok(end) => end,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(Failure::Request(written.err().unwrap_or(error).to_string())),
        };
        let now = ask.clock.now();
        if end == 0 {
            let whole = reader.close().filter(|head| head.status >= 200);
            let head = whole.ok_or_else(|| Failure::Request(closed(&reader, found, written.err())))?;
            return Ok((head, 0..0));
        }
        let mut start = 0;
        while start < end {
            let pushed = reader.push(&buffer[start..end]);
            if !has_begun && (reader.has_begun() || !matches!(pushed, Ok((_, None)))) {
                has_begun = true;
                ask.events.answered_at(now);
            }
            let (taken, head) = pushed.map_err(|bad| refused(&bad, found))?;
            (start, total) = (start + taken, total + taken);
            if total > MAX_HEAD_BYTES {
                return Err(refused(&BadHead::TooLong, found));
            }
            match head {
                // It may be followed by an answer also where a change of protocol is announced that nobody asked for.
                Some(interim) if interim.status < 200 => {
                    has_begun = false;
                    found.interim(interim.status, ask.events.was_interim(), &ask.events);
                }
                Some(head) => return Ok((head, start..end)),
                None => {}
            }
        }
    }
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, request: &[u8]) -> io::Result<()> {
    stream.write_all(request).await?;
    stream.flush().await
}

fn refused(bad: &BadHead, found: &Exchange) -> Failure {
    let after = if found.interim.iter().any(|interim| interim.status == 101) {
        "; the server has switched to another protocol (101), which nobody asked for"
    } else {
        ""
    };
    Failure::Request(format!("{bad}{after}"))
}

fn closed(reader: &HeadReader<'_>, found: &Exchange, error: Option<io::Error>) -> String {
    if let Some(error) = error {
        return error.to_string();
    }
    match found.interim.last() {
        _ if reader.has_begun() => "the connection was closed in the middle of the answer's head".to_owned(),
        Some(interim) => format!("the connection was closed after an interim answer ({})", interim.status),
        None => "the connection was closed before an answer came".to_owned(),
    }
}

/// Reads the body to its end, or as far as it is wanted. `buffer[rest]` is what came with the head.
async fn body<S: AsyncRead + Unpin>(
    stream: &mut S,
    ask: &Ask<'_>,
    mut framing: Framing,
    buffer: &mut [u8],
    rest: std::ops::Range<usize>,
    found: &mut Exchange,
) -> Result<(), Failure> {
    let (body, search) = (&mut found.body, &mut found.search);
    let (mut bytes, mut arrived) = (rest, ask.clock.now());
    loop {
        let broken = |bytes, cause: String| Failure::Body { bytes, cause };
        let mut look = |piece: &[u8]| search.iter_mut().for_each(|search| search.push(piece));
        let taken = framing.take_each(&buffer[bytes], &mut look);
        let taken = taken.map_err(|bad| broken(body.bytes, bad.to_string()))?;
        body.take(taken.body, arrived);
        if taken.is_end || body.is_enough() {
            found.is_body_whole = taken.is_end;
            return Ok(());
        }
        let end = match stream.read(buffer).await {
            Ok(end) => end,
            // TLS that ends without close_notify. Where a length was announced, that decides.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(broken(body.bytes, error.to_string())),
        };
        if end == 0 {
            found.is_body_whole = true;
            return match framing {
                Framing::UntilClose => Ok(()),
                _ => Err(broken(body.bytes, "the connection was closed before its end".to_owned())),
            };
        }
        (bytes, arrived) = (0..end, ask.clock.now());
    }
}
