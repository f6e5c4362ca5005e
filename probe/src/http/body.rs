//! A body, and when its pieces arrive.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::clock::{Clock, Span};
use crate::expectations::Search;
use crate::{Failure, Transfer};

/// No more of a body is read: it is enough to tell the throughput of a gigabit line, and an endless body must
/// not take a line for itself.
pub(crate) const MAX_BODY_BYTES: u64 = 10 * 1024 * 1024;

/// What has come of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Body {
    /// All its bytes, as far as it was read.
    pub(crate) bytes: u64,
    /// Absent where it is empty.
    pub(crate) transfer: Option<Transfer>,
    /// As much as is wanted of it, if that is less than [`MAX_BODY_BYTES`].
    pub(crate) wanted_bytes: Option<u64>,
}

impl Body {
    /// Counts bytes that have come.
    pub(super) fn take(&mut self, bytes: u64, arrived: Duration) {
        self.bytes += bytes;
        match &mut self.transfer {
            _ if bytes == 0 => {}
            None => self.transfer = Some(Transfer { span: Span { start: arrived, end: arrived }, bytes: 0 }),
            Some(transfer) => {
                transfer.span.end = arrived;
                transfer.bytes += bytes;
            }
        }
    }

    pub(super) fn is_enough(&self) -> bool {
        self.bytes >= self.wanted_bytes.unwrap_or(MAX_BODY_BYTES)
    }
}

/// Reads a body to its end, or as far as [`MAX_BODY_BYTES`]. `body` tells what has come also where it breaks off, or
/// where nobody waits any longer. Whether the end has come.
pub(super) async fn read<E: ToString>(
    pieces: impl Stream<Item = Result<Bytes, E>>,
    clock: Clock,
    body: &mut Body,
    search: &mut Option<Search>,
) -> Result<bool, Failure> {
    let mut pieces = std::pin::pin!(pieces);
    while !body.is_enough() {
        let Some(piece) = pieces.next().await else { return Ok(true) };
        let piece = piece.map_err(|cause| Failure::Body { bytes: body.bytes, cause: cause.to_string() })?;
        body.take(piece.len() as u64, clock.now());
        search.iter_mut().for_each(|search| search.push(&piece));
    }
    Ok(false)
}
