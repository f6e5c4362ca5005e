//! A body, and when its pieces arrive.

use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::clock::{Clock, Span};
use crate::{Failure, Transfer};

/// No more of a body is read: it is enough to tell the throughput of a gigabit line, and an endless body must
/// not take a line for itself.
const MAX_BODY_BYTES: u64 = 10 * 1024 * 1024;

/// What has come of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Body {
    /// All its bytes, as far as it was read.
    pub(crate) bytes: u64,
    /// Absent where it is empty.
    pub(crate) transfer: Option<Transfer>,
}

/// Reads a body to its end, or as far as [`MAX_BODY_BYTES`]. `body` tells what has come also where it breaks off, or
/// where nobody waits any longer.
pub(super) async fn read<E: ToString>(
    pieces: impl Stream<Item = Result<Bytes, E>>,
    clock: Clock,
    body: &mut Body,
) -> Result<(), Failure> {
    let mut pieces = std::pin::pin!(pieces);
    while body.bytes < MAX_BODY_BYTES
        && let Some(piece) = pieces.next().await
    {
        let piece = piece.map_err(|cause| Failure::Body { bytes: body.bytes, cause: cause.to_string() })?;
        let (arrived, bytes) = (clock.now(), piece.len() as u64);
        body.bytes += bytes;
        match &mut body.transfer {
            None if bytes == 0 => {}
            None => body.transfer = Some(Transfer { span: Span { start: arrived, end: arrived }, bytes: 0 }),
            Some(transfer) => {
                transfer.span.end = arrived;
                transfer.bytes += bytes;
            }
        }
    }
    Ok(())
}
