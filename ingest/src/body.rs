//! A request's body: decompressed, and in bounded memory whatever the client sends.

use std::time::Duration;

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use axum::body::Body;
use futures::TryStreamExt;
use http::{HeaderMap, header};
use netqoe_server::{Code, Held, PerToken, Refusal, TokenId, TokenShare, Tokens};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::io::StreamReader;

use crate::config::IngestConfig;
use crate::media::Compression;

/// What is set aside for a body before anything of it has come: enough for an event.
const FIRST_PIECE_BYTES: usize = 4096;
/// What is set aside each time that more comes. A body is kept in pieces until it is whole: a growing one would be copied again
/// and again, and take twice its memory meanwhile.
const PIECE_BYTES: usize = 256 << 10;
/// Bytes of memory for each byte of a body: itself, and the lines and names that are made of it before it is given back.
const MEMORY_PER_BYTE: usize = 3;
/// Largest window of a zstd frame, as a power of two: the 8 MiB that RFC 8878 recommends to support. A frame may ask
/// for more before it has shown any content.
const MAX_ZSTD_WINDOW_LOG: u32 = 23;
/// What a decoder takes before it has shown anything: the window and tables of gzip, and those of zstd without its window, of
/// which no more is touched than it has shown.
const GZIP_BYTES: usize = 64 << 10;
const ZSTD_BYTES: usize = 192 << 10;
/// When a client is to come back after there was no memory for its body, in seconds.
const RETRY_AFTER_S: u64 = 1;

/// Reads bodies, within limits for each, for those of each token, and for all requests together.
pub(crate) struct BodyReader {
    max_bytes: usize,
    read_timeout: Duration,
    shares: PerToken<TokenShare>,
}

/// A whole body, decompressed.
#[derive(Debug)]
pub(crate) struct WholeBody {
    pub(crate) bytes: Vec<u8>,
    pub(crate) in_flight: InFlight,
}

/// A body's share of what may be in memory, until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Option<Held>);

impl InFlight {
    fn add(&mut self, held: Held) {
        match &mut self.0 {
            Some(all) => all.add(held),
            None => self.0 = Some(held),
        }
    }
}

impl BodyReader {
    /// For these tokens.
    pub(crate) fn new(config: &IngestConfig, tokens: &Tokens) -> Self {
        let memory = config.memory.clone();
        // One that can never be held would be tried for ever.
        let most = memory.token_share().max_bytes / MEMORY_PER_BYTE;
        let shares = PerToken::new(tokens.clone(), move |_| memory.token_share());
        Self { max_bytes: config.max_body_bytes.min(most), read_timeout: config.read_timeout, shares }
    }

    /// The body, decompressed.
    pub(crate) async fn read(&self, token: TokenId, headers: &HeaderMap, body: Body) -> Result<WholeBody, Refusal> {
        let compression = Compression::of(headers)?;
        let share = &*self.shares.of(token);
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes > self.max_bytes as u64) {
            return Err(self.too_large());
        }
        let decoder_bytes = match compression {
            Compression::None => 0,
            Compression::Gzip => GZIP_BYTES,
            Compression::Zstd => ZSTD_BYTES,
        };
        let _decoder = hold(share, decoder_bytes)?;
        let sent = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
        let reading = async {
            match compression {
                Compression::None => self.collect(share, sent, compression).await,
                Compression::Gzip => {
                    let mut decoder = GzipDecoder::new(sent);
                    decoder.multiple_members(true);
                    self.collect(share, decoder, compression).await
                }
                Compression::Zstd => {
                    let window = DParameter::window_log_max(MAX_ZSTD_WINDOW_LOG);
                    let mut decoder = ZstdDecoder::with_params(sent, &[window]);
                    decoder.multiple_members(true);
                    self.collect(share, decoder, compression).await
                }
            }
        };
        tokio::time::timeout(self.read_timeout, reading)
            .await
            .unwrap_or_else(|_| Err(Refusal::body_too_slow(self.read_timeout)))
    }

    async fn collect(
        &self,
        share: &TokenShare,
        source: impl AsyncRead,
        compression: Compression,
    ) -> Result<WholeBody, Refusal> {
        let mut source = std::pin::pin!(source);
        let mut pieces = Pieces::new();
        let mut in_flight = InFlight::default();
        loop {
            let read = source.read_buf(pieces.with_room()).await.map_err(|error| unreadable(compression, &error))?;
            if read == 0 {
                return Ok(WholeBody { bytes: pieces.join(), in_flight });
            }
            if pieces.len() > self.max_bytes {
                return Err(self.too_large());
            }
            in_flight.add(hold(share, read.saturating_mul(MEMORY_PER_BYTE))?);
        }
    }

    fn too_large(&self) -> Refusal {
        let message = format!(
            "the body is over the limit of {} bytes (after decompression); send it in smaller batches",
            self.max_bytes
        );
        Refusal::new(Code::PayloadTooLarge, message)
    }
}

fn hold(share: &TokenShare, bytes: usize) -> Result<Held, Refusal> {
    share.hold(bytes).ok_or_else(|| {
        let message = "as many bodies are being received, from this token or from all, as there is memory for; send again in a moment";
        Refusal::new(Code::ServiceUnavailable, message).retry_after(RETRY_AFTER_S)
    })
}

/// A body as far as it has come.
struct Pieces {
    full: Vec<Vec<u8>>,
    full_bytes: usize,
    last: Vec<u8>,
}

impl Pieces {
    fn new() -> Self {
        Self { full: Vec::new(), full_bytes: 0, last: Vec::with_capacity(FIRST_PIECE_BYTES) }
    }

    fn len(&self) -> usize {
        self.full_bytes + self.last.len()
    }

    /// What more is written to, which has room for it.
    fn with_room(&mut self) -> &mut Vec<u8> {
        if self.last.len() == self.last.capacity() {
            self.full_bytes += self.last.len();
            self.full.push(std::mem::replace(&mut self.last, Vec::with_capacity(PIECE_BYTES)));
        }
        &mut self.last
    }

    /// All of it in one place. Each piece is given back as soon as it is copied.
    fn join(self) -> Vec<u8> {
        if self.full.is_empty() {
            return self.last;
        }
        let mut whole = Vec::with_capacity(self.len());
        for piece in self.full.into_iter().chain([self.last]) {
            whole.extend_from_slice(&piece);
        }
        whole
    }
}

/// The connection broke, or what came is not what its Content-Encoding says.
fn unreadable(compression: Compression, error: &std::io::Error) -> Refusal {
    tracing::debug!(compression = compression.name(), %error, "a body can't be read");
    let message = match compression {
        Compression::None => "the body ended early; send it whole",
        Compression::Gzip => {
            "the gzip body is cut short or damaged; send all of it, and Content-Encoding: gzip only with gzip"
        }
        Compression::Zstd => {
            "the zstd body is cut short or damaged, or has a window above 8 MiB; send all of it, and Content-Encoding: \
             zstd only with zstd"
        }
    };
    Refusal::new(Code::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_body_in_pieces_is_the_same_and_none_of_them_grows(reads in prop::collection::vec(1..200_000_usize, 0..12)) {
            let (mut pieces, mut expected) = (Pieces::new(), Vec::new());
            for (value, bytes) in reads.into_iter().enumerate() {
                let room = pieces.with_room();
                let bytes = bytes.min(room.capacity() - room.len());
                prop_assert!(bytes > 0 && room.capacity() <= PIECE_BYTES);
                room.resize(room.len() + bytes, value as u8);
                expected.resize(expected.len() + bytes, value as u8);
            }
            prop_assert_eq!(pieces.len(), expected.len());
            let whole = pieces.join();
            prop_assert!(whole.len() < FIRST_PIECE_BYTES || whole.capacity() == whole.len());
            prop_assert_eq!(whole, expected);
        }
    }
}
