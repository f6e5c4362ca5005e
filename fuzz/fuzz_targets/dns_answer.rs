//! What name servers and files of this machine say of names.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netqoe_probe::{DnsName, Family, addresses_in_hosts_file, parse_resolv_conf, read_answer};

const ID: u16 = 0x1234;
/// An answer to a question for the A record of `www.example.com`: its head, and the question.
const BEGINNING: &[u8] = b"\x12\x34\x81\x80\x00\x01\x00\x02\x00\x01\x00\x01\x03www\x07example\x03com\x00\x00\x01\x00\x01";

fuzz_target!(|bytes: &[u8]| {
    let name = DnsName::from_host("www.example.com").expect("a name");
    // As it is, and as the answer that is waited for, since most bytes are no answer at all.
    let _ = read_answer(bytes, ID, &name, Family::V4);
    let _ = read_answer(&[BEGINNING, bytes].concat(), ID, &name, Family::V4);
    let _ = parse_resolv_conf(bytes);
    let _ = addresses_in_hosts_file(bytes, "www.example.com");
    let _ = DnsName::from_escaped(bytes);
});
