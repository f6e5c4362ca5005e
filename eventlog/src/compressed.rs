//! A file of events, plain or compressed: told by its first bytes, since names lie and standard input has none.

use std::io::{self, BufReader, Cursor, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

/// Bytes that tell what a file is.
const MAGIC_BYTES: usize = 6;
/// Bytes that a decoder reads at a time.
const READ_BYTES: usize = 64 << 10;

/// Forms that others compress in: what tells them, their name, and what decompresses them.
const OTHERS: [(&[u8], &str, &str); 4] = [
    (b"\xfd7zXZ\0", "xz", "xz -dc"),
    (b"BZh", "bzip2", "bzip2 -dc"),
    (b"\x04\x22\x4d\x18", "lz4", "lz4 -dc"),
    (b"PK\x03\x04", "zip", "unzip -p"),
];

/// The text in `input`, and whether it was compressed: gzip with all its members, zstd with all its frames, or plain. What ends before its time
/// is an error when that is read, and not before.
///
/// # Errors
/// If `input` can't be read, or is compressed in a form that is not read; the message says with which program it can be.
pub fn decompressed(mut input: Box<dyn Read + Send>) -> io::Result<(Box<dyn Read + Send>, bool)> {
    let mut magic = Vec::with_capacity(MAGIC_BYTES);
    input.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut magic)?;
    if let Some((_, form, program)) = OTHERS.iter().find(|(start, ..)| magic.starts_with(start)) {
        let message =
            format!("it is compressed with {form}, which is not read; give `{program} FILE | netqoe replay --input -`");
        return Err(io::Error::new(ErrorKind::Unsupported, message));
    }
    let (is_gzip, is_zstd) = (magic.starts_with(b"\x1f\x8b"), is_zstd(&magic));
    let whole = Cursor::new(magic).chain(input);
    Ok(if is_gzip {
        (
            Box::new(Explained {
                form: "gzip",
                decoder: MultiGzDecoder::new(BufReader::with_capacity(READ_BYTES, whole)),
            }),
            true,
        )
    } else if is_zstd {
        let decoder = zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(READ_BYTES, whole))?;
        (Box::new(Explained { form: "zstd", decoder }), true)
    } else {
        (Box::new(whole), false)
    })
}

/// A frame, or one of those that decoders pass over.
fn is_zstd(magic: &[u8]) -> bool {
    magic.starts_with(b"\x28\xb5\x2f\xfd") || matches!(magic, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Says what kind of file is damaged.
struct Explained<D> {
    form: &'static str,
    decoder: D,
}

impl<D: Read> Read for Explained<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::Interrupted => error,
            kind @ ErrorKind::UnexpectedEof => {
                let form = self.form;
                io::Error::new(
                    kind,
                    format!("the {form} file ends before its time, and what follows is missing; get it whole"),
                )
            }
            kind => io::Error::new(kind, format!("the {} file is damaged: {error}; get it anew", self.form)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 1).unwrap()
    }

    fn read(bytes: Vec<u8>) -> io::Result<(Vec<u8>, bool)> {
        let (mut input, is_compressed) = decompressed(Box::new(Cursor::new(bytes)))?;
        let mut text = Vec::new();
        input.read_to_end(&mut text)?;
        Ok((text, is_compressed))
    }

    #[test]
    fn all_members_and_frames_are_read() {
        let skipped = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &zstd(b"x\n")].concat();
        for (bytes, text) in [
            (gzip(b"a\nb\n"), &b"a\nb\n"[..]),
            ([gzip(b"a\n"), gzip(b""), gzip(b"b\n")].concat(), b"a\nb\n"),
            (zstd(b"a\nb\n"), b"a\nb\n"),
            ([zstd(b"a\n"), zstd(b""), zstd(b"b\n")].concat(), b"a\nb\n"),
            (skipped, b"x\n"),
        ] {
            assert_eq!(read(bytes).unwrap(), (text.to_vec(), true));
        }
    }

    #[test]
    fn what_breaks_off_or_is_damaged_is_an_error() {
        let text = b"{\"event_id\":1}\n".repeat(500);
        for (form, whole) in [("gzip", gzip(&text)), ("zstd", zstd(&text))] {
            for end in [8, whole.len() / 2, whole.len() - 1] {
                let error = read(whole[..end].to_vec()).unwrap_err().to_string();
                assert!(error.contains(&format!("the {form} file ends before its time")), "{end}: {error}");
            }
            let mut damaged = whole.clone();
            damaged.extend_from_slice(b"and more");
            let error = read(damaged).unwrap_err().to_string();
            assert!(error.contains(&format!("the {form} file is damaged")) || error.contains("ends before"), "{error}");
            let error = read([whole.clone(), whole[..20].to_vec()].concat()).unwrap_err().to_string();
            assert!(error.contains("ends before its time"), "{error}");
        }
    }

    #[test]
    fn other_forms_are_named() {
        for (magic, says) in
            [(&b"\xfd7zXZ\0\0\x04"[..], "xz -dc FILE |"), (b"BZh91AY", "bzip2"), (b"PK\x03\x04..", "unzip -p")]
        {
            let error = read(magic.to_vec()).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_the_same_in_every_form(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(read(gzip(&text)).unwrap(), (text.clone(), true));
            prop_assert_eq!(read(zstd(&text)).unwrap(), (text.clone(), true));
            let plain = [b"{".to_vec(), text].concat();
            prop_assert_eq!(read(plain.clone()).unwrap(), (plain, false));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in "[\\x1f\\x28\\x50]?\\PC{0,40}") {
            let _ = read(bytes.into_bytes());
        }
    }
}
