//! A batch as the body of a request: compressed if that pays, until the endpoint refuses compressed bodies.

use bytes::Bytes;
use http::HeaderValue;
use zstd::bulk::Compressor;

/// Fewer bytes go as they are: with the head of the request they fit in one packet, or nearly.
const LEAST_BYTES: usize = 1024;
/// Events are so alike that higher levels save nothing more.
const LEVEL: i32 = 1;
const ZSTD: HeaderValue = HeaderValue::from_static("zstd");

/// What is sent, and how that is written.
pub(super) struct Body {
    pub(super) bytes: Bytes,
    /// `None` if it is plain.
    pub(super) encoding: Option<HeaderValue>,
}

/// Makes bodies. It keeps zstd's memory from one batch to the next.
pub(super) struct Packing {
    /// `None` once only plain bodies are accepted, or if there is no memory for it.
    compressor: Option<Compressor<'static>>,
}

impl Packing {
    pub(super) fn new() -> Self {
        Self { compressor: Compressor::new(LEVEL).ok() }
    }

    /// From now on, nothing is compressed.
    pub(super) fn stop_compressing(&mut self) {
        self.compressor = None;
    }

    /// Plain where compression is refused, does not pay, or has failed for want of memory.
    pub(super) fn pack(&mut self, lines: Bytes) -> Body {
        let compressor = self.compressor.as_mut().filter(|_| lines.len() >= LEAST_BYTES);
        let compressed = compressor.and_then(|compressor| compressor.compress(&lines).ok());
        match compressed.filter(|compressed| compressed.len() < lines.len()) {
            Some(compressed) => Body { bytes: compressed.into(), encoding: Some(ZSTD) },
            None => Body { bytes: lines, encoding: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_large_and_becomes_smaller_is_compressed() {
        let mut packing = Packing::new();
        let (small, large) = (vec![b'x'; LEAST_BYTES - 1], vec![b'x'; LEAST_BYTES]);
        // xorshift64: noise, which nothing compresses.
        let noise = std::iter::successors(Some(1_u64), |state| {
            let state = state ^ state << 13;
            let state = state ^ state >> 7;
            Some(state ^ state << 17)
        });
        let noise: Vec<_> = noise.take(1000).flat_map(u64::to_le_bytes).collect();
        for plain in [small, noise] {
            let body = packing.pack(plain.clone().into());
            assert!(body.encoding.is_none() && body.bytes == plain);
        }
        let body = packing.pack(large.clone().into());
        assert_eq!(body.encoding, Some(ZSTD));
        assert_eq!(zstd::decode_all(&*body.bytes).unwrap(), large);
        packing.stop_compressing();
        let body = packing.pack(large.clone().into());
        assert!(body.encoding.is_none() && body.bytes == large);
    }
}
