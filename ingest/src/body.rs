//! A request's body: decompressed, and in bounded memory whatever the client sends.

use std::sync::Arc;
use std::time::Duration;

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use axum::body::Body;
use futures::TryStreamExt;
use http::HeaderMap;
use http::header;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::io::StreamReader;

use crate::answer::{Code, Refusal};
use crate::config::IngestConfig;
use crate::media::Compression;

/// What is set aside for a body before anything of it has come: enough for an event.
const FIRST_READ_BYTES: usize = 4096;
/// Largest window of a zstd frame, as a power of two: the 8 MiB that RFC 8878 recommends to support. A frame may ask
/// for more before it has shown any content.
const MAX_ZSTD_WINDOW_LOG: u32 = 23;
/// When a client is to come back after there was no memory for its body, in seconds.
const RETRY_AFTER_S: u64 = 1;

/// Reads bodies, within limits for each and for all together.
pub(crate) struct BodyReader {
    max_bytes: usize,
    read_timeout: Duration,
    /// One permit for each byte that may be in memory.
    in_flight: Arc<Semaphore>,
}

/// A whole body, decompressed.
#[derive(Debug)]
pub(crate) struct WholeBody {
    pub(crate) bytes: Vec<u8>,
    pub(crate) in_flight: InFlight,
}

/// A body's share of what may be in memory, until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Option<OwnedSemaphorePermit>);

impl InFlight {
    fn add(&mut self, held: OwnedSemaphorePermit) {
        match &mut self.0 {
            Some(all) => all.merge(held),
            None => self.0 = Some(held),
        }
    }
}

impl BodyReader {
    pub(crate) fn new(config: &IngestConfig) -> Self {
        Self {
            max_bytes: config.max_body_bytes,
            read_timeout: config.read_timeout,
            in_flight: Arc::new(Semaphore::new(config.max_in_flight_body_bytes.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// The body, decompressed.
    pub(crate) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<WholeBody, Refusal> {
        let compression = Compression::of(headers)?;
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes > self.max_bytes as u64) {
            return Err(self.too_large());
        }
        let sent = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
        let reading = async {
            match compression {
                Compression::None => self.collect(sent, compression).await,
                Compression::Gzip => {
                    let mut decoder = GzipDecoder::new(sent);
                    decoder.multiple_members(true);
                    self.collect(decoder, compression).await
                }
                Compression::Zstd => {
                    let window = DParameter::window_log_max(MAX_ZSTD_WINDOW_LOG);
                    let mut decoder = ZstdDecoder::with_params(sent, &[window]);
                    decoder.multiple_members(true);
                    self.collect(decoder, compression).await
                }
            }
        };
        tokio::time::timeout(self.read_timeout, reading).await.unwrap_or_else(|_| Err(self.too_slow()))
    }

    async fn collect(&self, source: impl AsyncRead, compression: Compression) -> Result<WholeBody, Refusal> {
        let mut source = std::pin::pin!(source);
        let mut bytes = Vec::with_capacity(FIRST_READ_BYTES);
        let mut in_flight = InFlight::default();
        loop {
            let read = source.read_buf(&mut bytes).await.map_err(|error| unreadable(compression, &error))?;
            if read == 0 {
                return Ok(WholeBody { bytes, in_flight });
            }
            if bytes.len() > self.max_bytes {
                return Err(self.too_large());
            }
            in_flight.add(self.hold(read)?);
        }
    }

    fn hold(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        u32::try_from(bytes)
            .ok()
            .and_then(|permits| Arc::clone(&self.in_flight).try_acquire_many_owned(permits).ok())
            .ok_or_else(|| {
                let message = "as many bodies are being received as there is memory for; send again in a moment";
                Refusal::new(Code::ServiceUnavailable, message).retry_after(RETRY_AFTER_S)
            })
    }

    fn too_large(&self) -> Refusal {
        let message = format!(
            "the body is over the limit of {} bytes (after decompression); send it in smaller batches",
            self.max_bytes
        );
        Refusal::new(Code::PayloadTooLarge, message)
    }

    fn too_slow(&self) -> Refusal {
        let message =
            format!("the body did not arrive within {:?}; send it faster, or in smaller batches", self.read_timeout);
        Refusal::new(Code::RequestTimeout, message)
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
