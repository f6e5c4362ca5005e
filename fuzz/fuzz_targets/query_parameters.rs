//! What `/probe` is asked, in a URL.

#![no_main]

use axum::http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use netqoe_probe::Question;

fuzz_target!(|bytes: &[u8]| {
    let Ok(query) = std::str::from_utf8(bytes) else { return };
    for query in [query.to_owned(), format!("target=web.test&{query}")] {
        let _ = Question::parse(&query, &HeaderMap::new());
    }
});
