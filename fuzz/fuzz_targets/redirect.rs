//! Where redirects lead, and what cookies they leave.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netqoe_probe::WebUrl;
use netqoe_probe::fuzzing::{cookie, redirect};

fuzz_target!(|bytes: &[u8]| {
    let page: WebUrl = "http://web.test:81/dir/page?q=1".parse().expect("a URL");
    if let Ok(next) = redirect(&page, bytes) {
        let shown = next.to_string();
        assert!(shown.bytes().all(|byte| byte.is_ascii_graphic()), "{shown}");
        assert_eq!(redirect(&next, b"").map(|same| same.to_string()), Ok(shown));
    }
    if let Some(sent) = cookie(&page, bytes) {
        assert!(!sent.bytes().any(|byte| byte == b'\r' || byte == b'\n'), "{sent:?}");
    }
});
