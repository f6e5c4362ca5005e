//! Where an answer begins among the frames of HTTP/2 (RFC 9113, section 4.1).

const FRAME_HEAD_BYTES: usize = 9;
const HEADERS: u8 = 1;

/// Follows the frames that a server sends, however they are cut into reads.
#[derive(Debug, Default)]
pub(super) struct FrameScanner {
    head: Vec<u8>,
    /// Bytes of the frame's payload that have not come yet.
    payload_left: usize,
}

impl FrameScanner {
    /// How many heads of answers, interim ones included, have begun to come with these bytes.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> usize {
        let mut heads = 0;
        while !bytes.is_empty() {
            if self.payload_left > 0 {
                let skipped = self.payload_left.min(bytes.len());
                self.payload_left -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let taken = (FRAME_HEAD_BYTES - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if let [a, b, c, frame_type, ..] = self.head[..]
                && self.head.len() == FRAME_HEAD_BYTES
            {
                heads += usize::from(frame_type == HEADERS);
                self.payload_left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                self.head.clear();
            }
        }
        heads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(frame_type: u8, payload: usize) -> Vec<u8> {
        let length = u32::try_from(payload).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], frame_type, 0, 0, 0, 0, 1];
        // Payloads that look like the head of HEADERS.
        frame.extend(std::iter::repeat_n(HEADERS, payload));
        frame
    }

    #[test]
    fn settings_are_no_answer_and_headers_are() {
        let (settings, window_update, headers) = (frame(4, 18), frame(8, 4), frame(HEADERS, 300));
        let preface = [settings, window_update].concat();
        let mut scanner = FrameScanner::default();
        assert_eq!(scanner.push(&preface), 0);
        assert_eq!(scanner.push(&headers), 1);
        assert_eq!(scanner.push(&[]), 0);
        assert_eq!(scanner.push(&[headers.clone(), headers].concat()), 2, "an interim answer and the answer");
    }

    #[test]
    fn reads_may_be_cut_anywhere() {
        let stream = [frame(4, 18), frame(6, 0), frame(HEADERS, 5)].concat();
        let answer_at = stream.len() - 5;
        for step in 1..stream.len() {
            let mut scanner = FrameScanner::default();
            let (mut end, mut heads) = (0, 0);
            for piece in stream.chunks(step) {
                end += piece.len();
                heads += scanner.push(piece);
                assert_eq!(heads > 0, end >= answer_at, "{end} of {answer_at} in steps of {step}");
            }
        }
    }
}
