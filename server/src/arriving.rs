//! What has come on a connection and belongs to no request yet: how many bytes, and since when. No clock, no I/O.
//!
//! Decision: D-062.

use crate::http2_frames::Frames;

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Every connection has a buffer of this size whatever comes, as the number of connections bounds. What a head takes above
/// it is taken from the memory of all requests. Few honest heads are longer.
pub(crate) const OWN_BYTES: usize = 8 << 10;

/// How far a connection's requests have come.
#[derive(Debug)]
pub(crate) struct Arriving {
    protocol: Protocol,
    /// Requests that are being answered.
    exchanges: usize,
    /// Bytes since the last request was answered, or of the head that is under way.
    bytes: usize,
    last_read: usize,
    has_begun: bool,
}

#[derive(Debug)]
enum Protocol {
    /// So many bytes were those of the preface of HTTP/2.
    Unknown(usize),
    Http1,
    Http2(Frames),
}

/// How long the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyLength {
    Known(usize),
    /// It is sent in chunks.
    Chunked,
}

impl Default for Arriving {
    fn default() -> Self {
        Self { protocol: Protocol::Unknown(0), exchanges: 0, bytes: 0, last_read: 0, has_begun: false }
    }
}

impl Arriving {
    /// Takes note of what was read.
    pub(crate) fn read(&mut self, read: &[u8]) {
        let mut frames = read;
        if let Protocol::Unknown(matched) = &mut self.protocol {
            let expected = &PREFACE[*matched..];
            let compared = expected.len().min(read.len());
            if expected[..compared] != read[..compared] {
                self.protocol = Protocol::Http1;
            } else if compared == expected.len() {
                self.protocol = Protocol::Http2(Frames::default());
                frames = &read[compared..];
            } else {
                *matched += compared;
            }
        }
        self.last_read = read.len();
        if let Protocol::Http2(follower) = &mut self.protocol {
            follower.follow(frames);
            (self.has_begun, self.bytes) = (follower.is_mid_head(), follower.head_bytes());
        } else {
            self.has_begun |= self.exchanges == 0 && !read.is_empty();
            self.bytes = self.bytes.saturating_add(read.len());
        }
    }

    /// A request's head has come.
    pub(crate) fn begin_exchange(&mut self) {
        self.exchanges += 1;
        self.has_begun &= self.is_http2();
    }

    /// A request is answered. What came behind it, such as the head of the next, is still there.
    pub(crate) fn end_exchange(&mut self, head_bytes: usize, body: BodyLength) {
        self.exchanges = self.exchanges.saturating_sub(1);
        if self.is_http2() {
            return;
        }
        let known = if let BodyLength::Known(bytes) = body { bytes } else { 0 };
        let behind = self.bytes.saturating_sub(head_bytes.saturating_add(known));
        // The end of the request was in what was read last.
        self.bytes = behind.min(self.last_read);
        // A few bytes more or less are how the head was written, and worth no more than an idle connection.
        self.has_begun = body != BodyLength::Chunked && self.bytes > OWN_BYTES;
    }

    /// Whether a head has begun that has not ended.
    pub(crate) fn is_mid_head(&self) -> bool {
        self.has_begun
    }

    /// Bytes that are to be held for what is there; none where it is not to change, since bodies are held by who reads them.
    pub(crate) fn to_hold(&self, max_bytes: usize) -> Option<usize> {
        (self.exchanges == 0 || self.is_http2()).then(|| self.bytes.min(max_bytes).saturating_sub(OWN_BYTES))
    }

    fn is_http2(&self) -> bool {
        matches!(self.protocol, Protocol::Http2(_))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX: usize = 64 << 10;

    #[test]
    fn a_head_has_begun_with_its_first_byte_and_ended_when_a_request_is_there() {
        let mut arriving = Arriving::default();
        assert!(!arriving.is_mid_head());
        arriving.read(b"GET / HTTP/1.1\r\n");
        assert!(arriving.is_mid_head());
        arriving.read(b"\r\n");
        arriving.begin_exchange();
        assert!(!arriving.is_mid_head());
        arriving.read(b"body");
        assert!(!arriving.is_mid_head());
        arriving.end_exchange(18, BodyLength::Known(4));
        assert!(!arriving.is_mid_head());
        arriving.read(b"G");
        assert!(arriving.is_mid_head(), "the second head");
    }

    #[test]
    fn a_long_head_is_held_and_no_more_than_a_head_may_have() {
        let mut arriving = Arriving::default();
        arriving.read(&[b'x'; OWN_BYTES]);
        assert_eq!(arriving.to_hold(MAX), Some(0));
        arriving.read(&[b'x'; 100]);
        assert_eq!(arriving.to_hold(MAX), Some(100));
        arriving.read(&[b'x'; 10 * MAX]);
        assert_eq!(arriving.to_hold(MAX), Some(MAX - OWN_BYTES));
        arriving.begin_exchange();
        assert_eq!(arriving.to_hold(MAX), None);
    }

    #[test]
    fn what_comes_behind_a_request_is_still_there_when_it_is_answered() {
        let mut arriving = Arriving::default();
        arriving.read(&[b'x'; 100 + 20_000]);
        arriving.begin_exchange();
        arriving.end_exchange(100, BodyLength::Known(0));
        assert_eq!((arriving.to_hold(MAX), arriving.is_mid_head()), (Some(20_000 - OWN_BYTES), true));

        let mut arriving = Arriving::default();
        arriving.read(&[b'x'; 100]);
        arriving.begin_exchange();
        arriving.read(&[b'x'; 50_000]);
        arriving.read(&[b'x'; 7]);
        arriving.end_exchange(100, BodyLength::Chunked);
        assert_eq!((arriving.to_hold(MAX), arriving.is_mid_head()), (Some(0), false));
    }

    #[test]
    fn http_2_is_known_by_its_preface_however_it_is_cut() {
        for cut in 0..PREFACE.len() {
            let mut arriving = Arriving::default();
            arriving.read(&PREFACE[..cut]);
            arriving.read(&PREFACE[cut..]);
            assert!(!arriving.is_mid_head(), "{cut}");
            arriving.begin_exchange();
            // A head of 20,000 bytes that has not ended, beside a request that is being answered.
            arriving.read(&[&[0, 0x4e, 0x20, 1, 0, 0, 0, 0, 1][..], &[0; 100]].concat());
            assert_eq!((arriving.is_mid_head(), arriving.to_hold(MAX)), (true, Some(20_000 - OWN_BYTES)));
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_what_is_held_is_bounded(steps in prop::collection::vec((0..4_u8, prop::collection::vec(any::<u8>(), 0..40)), 0..60)) {
            let mut arriving = Arriving::default();
            for (step, bytes) in steps {
                match step {
                    0 => arriving.begin_exchange(),
                    1 => arriving.end_exchange(bytes.len(), BodyLength::Chunked),
                    2 => arriving.end_exchange(bytes.len(), BodyLength::Known(bytes.len())),
                    _ => arriving.read(&bytes.repeat(1_000)),
                }
                prop_assert!(arriving.to_hold(MAX).unwrap_or(0) <= MAX - OWN_BYTES);
            }
        }
    }
}
