//! How far the frames of an HTTP/2 connection have come: whether the head of a request, or a frame that is no content, has
//! begun and not ended. Bytes in, nothing kept of them.

/// Length, type, flags and stream of a frame.
const FRAME_HEADER_BYTES: usize = 9;
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const CONTINUATION: u8 = 0x9;
const END_HEADERS: u8 = 0x4;

/// Where in its frames a connection is, behind the client's preface.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    header: [u8; FRAME_HEADER_BYTES],
    header_bytes: usize,
    /// Bytes of the frame that are still to come.
    payload_left: usize,
    is_data: bool,
    is_in_head: bool,
    /// Of the head that has begun and not ended.
    head_bytes: usize,
}

impl Frames {
    /// Follows what came next.
    pub(crate) fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.payload_left > 0 {
                let taken = self.payload_left.min(bytes.len());
                self.payload_left -= taken;
                bytes = &bytes[taken..];
            } else {
                let taken = (FRAME_HEADER_BYTES - self.header_bytes).min(bytes.len());
                self.header[self.header_bytes..][..taken].copy_from_slice(&bytes[..taken]);
                self.header_bytes += taken;
                bytes = &bytes[taken..];
                if self.header_bytes == FRAME_HEADER_BYTES {
                    self.begin_frame();
                }
            }
        }
    }

    fn begin_frame(&mut self) {
        let [high, middle, low, kind, flags, ..] = self.header;
        self.header_bytes = 0;
        self.payload_left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.is_data = kind == DATA;
        if matches!(kind, HEADERS | CONTINUATION) {
            self.head_bytes += self.payload_left;
            self.is_in_head = flags & END_HEADERS == 0;
        }
        if !self.is_in_head {
            self.head_bytes = 0;
        }
    }

    /// Whether something has begun that is to end soon: all but content.
    pub(crate) fn is_mid_head(&self) -> bool {
        self.is_in_head || self.header_bytes > 0 || (self.payload_left > 0 && !self.is_data)
    }

    /// Bytes of a head that is not complete.
    pub(crate) fn head_bytes(&self) -> usize {
        self.head_bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, flags: u8, payload_bytes: usize) -> Vec<u8> {
        let length = (payload_bytes as u32).to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], &vec![b'x'; payload_bytes]].concat()
    }

    #[test]
    fn a_head_lasts_until_its_last_frame_has_come() {
        let mut frames = Frames::default();
        assert!(!frames.is_mid_head());
        frames.follow(&frame(4, 0, 12));
        assert!(!frames.is_mid_head(), "settings");
        frames.follow(&frame(HEADERS, 0, 100));
        assert!(frames.is_mid_head());
        frames.follow(&frame(CONTINUATION, 0, 50));
        assert_eq!((frames.is_mid_head(), frames.head_bytes()), (true, 150));
        frames.follow(&frame(CONTINUATION, END_HEADERS, 0));
        assert_eq!((frames.is_mid_head(), frames.head_bytes()), (false, 0));
    }

    #[test]
    fn a_part_of_a_frame_is_to_end_soon_and_content_is_not() {
        for (part, expected) in [
            (&frame(HEADERS, END_HEADERS, 10)[..12], true),
            (&frame(6, 0, 8)[..3], true),
            (&frame(DATA, 0, 10)[..12], false),
        ] {
            let mut frames = Frames::default();
            frames.follow(part);
            assert_eq!(frames.is_mid_head(), expected, "{part:?}");
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_bytes_are_cut(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0..300_usize) {
            let (mut whole, mut parts) = (Frames::default(), Frames::default());
            whole.follow(&bytes);
            let (one, other) = bytes.split_at(at.min(bytes.len()));
            parts.follow(one);
            parts.follow(other);
            prop_assert_eq!(format!("{whole:?}"), format!("{parts:?}"));
        }

        #[test]
        fn whole_frames_end_where_they_end(kinds in prop::collection::vec((0..12_u8, 0..40_usize), 0..20)) {
            let mut frames = Frames::default();
            for (kind, payload_bytes) in kinds {
                frames.follow(&frame(kind, END_HEADERS, payload_bytes));
                prop_assert!(!frames.is_mid_head());
            }
        }
    }
}
