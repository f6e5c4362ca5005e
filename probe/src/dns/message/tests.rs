use proptest::prelude::*;

use super::*;

const ID: u16 = 0x1234;
/// A response, with recursion desired and available.
const FLAGS: u16 = 0x8180;
/// Where the name in the question is.
const ASKED: &[u8] = b"\xc0\x0c";

fn name(text: &str) -> DnsName {
    DnsName::from_host(text).unwrap()
}

fn record(owner: &[u8], of_type: u16, data: &[u8]) -> Vec<u8> {
    let head = [of_type.to_be_bytes(), CLASS_IN.to_be_bytes(), [0, 0], [0, 60], (data.len() as u16).to_be_bytes()];
    [owner, head.as_flattened(), data].concat()
}

fn a(owner: &[u8], last: u8) -> Vec<u8> {
    record(owner, 1, &[192, 0, 2, last])
}

/// An answer to the question for `web.test`, IPv4.
fn answer(flags: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let mut message = question(ID, &name("web.test"), Family::V4, QuestionOptions::default());
    message[2..4].copy_from_slice(&flags.to_be_bytes());
    message[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
    message.extend(records.concat());
    message
}

fn read(message: &[u8]) -> Option<Reply> {
    read_answer(message, ID, &name("web.test"), Family::V4)
}

#[track_caller]
fn check(records: &[Vec<u8>], addresses: &[&str], alias: Option<&str>) {
    let reply = read(&answer(FLAGS, records)).unwrap();
    let shown: Vec<_> = reply.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(shown, addresses);
    assert_eq!(reply.alias.map(|alias| alias.to_string()).as_deref(), alias);
}

#[test]
fn a_question_is_written_as_the_rfcs_say() {
    let plain = question(ID, &name("web.test"), Family::V6, QuestionOptions::default());
    assert_eq!(plain, b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03web\x04test\0\0\x1c\0\x01");
    let options = QuestionOptions { with_edns: true, with_ad: true };
    let with_edns = question(ID, &name("a"), Family::V4, options);
    assert_eq!(with_edns, b"\x12\x34\x01\x20\0\x01\0\0\0\0\0\x01\x01a\0\0\x01\0\x01\0\0\x29\x04\xd0\0\0\0\0\0\0");
}

#[test]
fn addresses_are_those_of_the_name_and_of_its_aliases() {
    check(&[a(ASKED, 1), a(ASKED, 2), a(ASKED, 1)], &["192.0.2.1", "192.0.2.2"], None);
    check(&[a(b"\x03WEB\xc0\x10", 1)], &["192.0.2.1"], None);
    let alias = record(ASKED, CNAME, b"\x05other\xc0\x10");
    check(&[alias.clone(), a(b"\x05other\xc0\x10", 1)], &["192.0.2.1"], Some("other.test"));
    check(&[a(b"\x05other\xc0\x10", 1), alias.clone()], &["192.0.2.1"], Some("other.test"));
    check(&[alias, a(b"\x06nobody\xc0\x10", 1)], &[], Some("other.test"));
    check(&[a(b"\x06nobody\xc0\x10", 1)], &[], None);
}

#[test]
fn aliases_in_a_circle_end() {
    let circle = [record(ASKED, CNAME, b"\x05other\xc0\x10"), record(b"\x05other\xc0\x10", CNAME, ASKED)];
    check(&circle, &[], Some("other.test"));
    check(&[record(ASKED, CNAME, ASKED)], &[], None);
    check(&[record(ASKED, CNAME, ASKED), a(ASKED, 1)], &["192.0.2.1"], None);
}

#[test]
fn a_long_chain_is_followed_to_its_end() {
    let link = |n: u8| [&[3, b'l', b'0' + n / 10, b'0' + n % 10][..], b"\xc0\x10"].concat();
    let mut records = vec![record(ASKED, CNAME, &link(0))];
    records.extend((0..20).map(|n| record(&link(n), CNAME, &link(n + 1))));
    records.push(a(&link(20), 7));
    check(&records, &["192.0.2.7"], Some("l20.test"));
}

#[test]
fn what_is_no_answer_to_the_question_is_nobodys() {
    let right = answer(FLAGS, &[a(ASKED, 1)]);
    assert!(read(&right).is_some());
    assert_eq!(read_answer(&right, ID + 1, &name("web.test"), Family::V4), None, "another id");
    assert_eq!(read_answer(&right, ID, &name("wab.test"), Family::V4), None, "another name");
    assert_eq!(read_answer(&right, ID, &name("web.test"), Family::V6), None, "another type");
    assert!(read_answer(&right, ID, &name("WEB.test"), Family::V4).is_some());
    assert_eq!(read(&answer(0x0180, &[])), None, "a question");
    assert_eq!(read(&answer(FLAGS | 0x2800, &[])), None, "of another kind");
    for length in 0..26 {
        assert_eq!(read(&right[..length]), None, "{length} bytes");
    }
}

#[test]
fn a_bare_head_can_only_be_a_refusal() {
    let head = |flags: u16| [&ID.to_be_bytes()[..], &flags.to_be_bytes(), &[0; 8]].concat();
    assert_eq!(read(&head(FLAGS | 1)).unwrap().code, 1);
    assert_eq!(read(&head(FLAGS)), None);
}

#[test]
fn codes_have_their_upper_bits_in_edns() {
    let mut message = answer(FLAGS, &[]);
    message[11] = 1;
    message.extend_from_slice(b"\0\0\x29\x04\xd0\x01\0\0\0\0\0");
    assert_eq!(read(&message).unwrap().code, 16);
}

#[test]
fn who_neither_knows_nor_asks_refers() {
    assert!(read(&answer(0x8100, &[])).unwrap().is_referral);
    for flags in [FLAGS, 0x8500, 0x8103] {
        assert!(!read(&answer(flags, &[])).unwrap().is_referral, "{flags:x}");
    }
    assert!(read(&answer(FLAGS | 0x0200, &[])).unwrap().is_truncated);
}

#[test]
fn what_is_broken_behind_the_addresses_spoils_nothing() {
    let text = record(ASKED, 16, b"\xffshorter than it says");
    check(&[text, a(ASKED, 1)], &["192.0.2.1"], None);
    for broken in [&b"\xff"[..], b"\xc0", ASKED, b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x7f", b"\xc0\xff\0\x01"] {
        let reply = read(&answer(FLAGS, &[a(ASKED, 1), broken.to_vec()])).unwrap();
        assert_eq!((reply.addresses.len(), reply.is_damaged), (1, true), "{broken:x?}");
    }
    let reply = read(&answer(FLAGS, &[record(ASKED, 1, b"\x7f\0\0"), a(ASKED, 2)])).unwrap();
    assert_eq!((reply.addresses.len(), reply.is_damaged), (1, true), "an address of three bytes");
}

#[test]
fn no_pointer_leads_in_a_circle() {
    // Where the record's own name stands: to itself, to what is behind it, to another pointer that leads back.
    let at = answer(FLAGS, &[]).len() as u8;
    for owner in [[0xc0, at], [0xc0, at + 1], [0xc0, 0xff]] {
        let reply = read(&answer(FLAGS, &[a(&owner, 1)])).unwrap();
        assert!(reply.is_damaged && reply.addresses.is_empty(), "{owner:x?}");
    }
    let endless = [&[0xc0, at + 12][..], &[1, 0, 1, 0, 0, 0, 0, 0, 2], &[0xc0, at]].concat();
    assert!(read(&answer(FLAGS, &[endless])).unwrap().is_damaged);
}

proptest! {
    #[test]
    fn no_bytes_do_harm(
        mut message in proptest::collection::vec(any::<u8>(), 0..300),
        tail in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0xc0), Just(12), Just(0), Just(1), Just(5)], 0..300),
        records in 0_u16..20,
    ) {
        read(&message);
        // With a head and a question that are right, so that the rest is read.
        message.splice(..0, answer(FLAGS, &[]));
        message.extend(tail);
        message[6..8].copy_from_slice(&records.to_be_bytes());
        let reply = read(&message).unwrap();
        prop_assert!(reply.addresses.len() <= usize::from(records));
    }

    #[test]
    fn every_address_of_a_right_answer_is_read(lasts in proptest::collection::btree_set(any::<u8>(), 0..60)) {
        let records: Vec<_> = lasts.iter().map(|last| a(ASKED, *last)).collect();
        let reply = read(&answer(FLAGS, &records)).unwrap();
        let expected: Vec<IpAddr> = lasts.iter().map(|last| IpAddr::from([192, 0, 2, *last])).collect();
        prop_assert_eq!(reply.addresses, expected);
        prop_assert!(!reply.is_damaged);
    }
}
