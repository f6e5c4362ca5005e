//! A file's bytes as text with line feeds, whatever editor has written it.

use super::InvalidList;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_LITTLE_ENDIAN_MARK: &[u8] = b"\xff\xfe";
const UTF16_BIG_ENDIAN_MARK: &[u8] = b"\xfe\xff";

/// UTF-8, or UTF-16 behind its byte order mark; without any mark, and each line end a line feed.
pub(super) fn decode(bytes: &[u8]) -> Result<String, InvalidList> {
    let text = if let Some(units) = bytes.strip_prefix(UTF16_LITTLE_ENDIAN_MARK) {
        decode_utf16(units, u16::from_le_bytes)?
    } else if let Some(units) = bytes.strip_prefix(UTF16_BIG_ENDIAN_MARK) {
        decode_utf16(units, u16::from_be_bytes)?
    } else {
        let bytes = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let valid = bytes[..error.valid_up_to()].iter().map(|byte| char::from(*byte));
            InvalidList::Encoding { line: lines(valid) }
        });
        text?.to_owned()
    };
    Ok(if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text })
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, InvalidList> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = || pairs.iter().map(|pair| unit(*pair));
    let text: Result<String, _> = char::decode_utf16(units()).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => {
            let valid = char::decode_utf16(units()).map_while(Result::ok);
            Err(InvalidList::Encoding { line: lines(valid) })
        }
    }
}

/// On which line the character after these stands. The first is 1.
fn lines(before: impl Iterator<Item = char>) -> usize {
    let (mut line, mut last) = (1, '\0');
    for char in before {
        // The two of one line end count once.
        line += usize::from(char == '\r' || char == '\n' && last != '\r');
        last = char;
    }
    line
}
