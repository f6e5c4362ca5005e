//! Answers over HTTP/1 say the same however they are cut into reads.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netqoe_probe::fuzzing::http_answer;

fuzz_target!(|bytes: &[u8]| {
    for answer in [bytes.to_vec(), [b"HTTP/1.1 200 OK\r\n".as_slice(), bytes].concat()] {
        let whole = http_answer(&answer, answer.len());
        for step in [1, 7] {
            assert_eq!(http_answer(&answer, step), whole);
        }
    }
});
