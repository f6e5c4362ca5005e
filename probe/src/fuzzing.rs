//! The readers of what servers send, for the programs of `fuzz/`, and for nobody else.

use crate::http::{CookieJar, Framing, HeadReader};
use crate::{InvalidLocation, WebUrl};

/// The status of the answer over HTTP/1 that bytes begin with and how many of its body's bytes are among them; `step` bytes are
/// read at once. `None` if they do not hold a whole head, or are not HTTP.
#[must_use]
pub fn http_answer(bytes: &[u8], step: usize) -> Option<(u16, u64)> {
    let (mut reader, mut head) = (HeadReader::default(), None);
    let (mut framing, mut body_bytes) = (None, 0);
    for piece in bytes.chunks(step.max(1)) {
        let mut piece = piece;
        if head.is_none() {
            let (taken, read) = reader.push(piece).ok()?;
            (head, piece) = (read, &piece[taken..]);
            framing = head.as_ref().map(Framing::of);
        }
        if let Some(framing) = &mut framing {
            let taken = framing.take(piece).ok()?;
            body_bytes += taken.body;
            if taken.is_end {
                break;
            }
        }
    }
    Some((head?.status, body_bytes))
}

/// Where a page's `Location` leads.
///
/// # Errors
/// [`InvalidLocation`], if it can't be followed.
pub fn redirect(from: &WebUrl, location: &[u8]) -> Result<WebUrl, InvalidLocation> {
    from.follow(location)
}

/// The cookies that are sent back to a page that has set this.
#[must_use]
pub fn cookie(url: &WebUrl, set_cookie: &[u8]) -> Option<String> {
    let mut cookies = CookieJar::default();
    cookies.take(url, set_cookie);
    cookies.header(url)
}
