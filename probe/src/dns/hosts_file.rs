//! The hosts file: names that this machine knows without asking (hosts(5)).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::IpAddr;

use super::Family;

const PATH: &str = "/etc/hosts";
/// Lists of advertisers to be blocked are a few megabytes. What lies beyond is not looked at; the system's own lookup
/// still finds it.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
/// A line of more is passed over from there on: a file without line ends must not be in memory as a whole.
const MAX_LINE_BYTES: u64 = 1024 * 1024;
/// Addresses of one name. No more are tried.
const MAX_ADDRESSES: usize = 64;

/// The addresses that this machine's file gives a name, IPv6 first; none if it does not know it. A missing file
/// counts as an empty one.
pub(super) fn from_hosts_file(host: &str, families: &[Family]) -> Vec<IpAddr> {
    let Ok(file) = File::open(PATH) else { return Vec::new() };
    let addresses = addresses_in_hosts_file(BufReader::new(file.take(MAX_FILE_BYTES)), host).unwrap_or_else(|error| {
        tracing::debug!("{PATH} can't be read: {error}");
        Vec::new()
    });
    families.iter().flat_map(|family| addresses.iter().copied().filter(|address| family.holds(*address))).collect()
}

/// The addresses that a hosts file gives a name, in its order. Its bytes are in no coding: names are compared as they are,
/// but for ASCII's upper and lower case, and lines that name no address are passed over.
pub fn addresses_in_hosts_file(mut hosts: impl BufRead, host: &str) -> io::Result<Vec<IpAddr>> {
    let mut addresses = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if hosts.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(addresses);
        }
        if !line.ends_with(b"\n") {
            hosts.skip_until(b'\n')?;
        }
        if let Some(address) = address_of(&line, host)
            && !addresses.contains(&address)
            && addresses.len() < MAX_ADDRESSES
        {
            addresses.push(address);
        }
    }
}

/// The address of a line that has `host` among its names.
fn address_of(line: &[u8], host: &str) -> Option<IpAddr> {
    // A comment ends the line, and so does what ends a text of C.
    let line = line.split(|byte| matches!(byte, b'#' | 0)).next()?;
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'\x0b';
    let mut words = line.split(is_blank).filter(|word| !word.is_empty());
    let address: IpAddr = str::from_utf8(words.next()?).ok()?.parse().ok()?;
    words.any(|name| name.eq_ignore_ascii_case(host.as_bytes())).then(|| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(hosts: &[u8], host: &str, expected: &[&str]) {
        let found = addresses_in_hosts_file(hosts, host).unwrap();
        let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected, "{host}");
    }

    #[test]
    fn names_and_aliases_are_found_whatever_they_are_called() {
        let hosts = b"127.0.0.1 localhost\n  192.0.2.1\tweb.test www my_app -x # old\n::1 localhost ip6-localhost\n192.0.2.2 web.test";
        check(hosts, "localhost", &["127.0.0.1", "::1"]);
        check(hosts, "my_app", &["192.0.2.1"]);
        check(hosts, "-x", &["192.0.2.1"]);
        check(hosts, "WEB.Test", &["192.0.2.1", "192.0.2.2"]);
        check(hosts, "old", &[]);
        check(hosts, "192.0.2.1", &[]);
    }

    /// What programs of glibc 2.36 make of each was tried.
    #[test]
    fn odd_bytes_spoil_no_other_line() {
        check(b"192.0.2.1 caf\xe9 ok # \xff\n192.0.2.2 after\n", "ok", &["192.0.2.1"]);
        check(b"192.0.2.1 caf\xe9 ok # \xff\n192.0.2.2 after\n", "after", &["192.0.2.2"]);
        check(b"192.0.2.1 one\0 two\n192.0.2.2 after\n", "one", &["192.0.2.1"]);
        check(b"192.0.2.1 one\0 two\n192.0.2.2 after\n", "two", &[]);
        check(b"192.0.2.1 one\0 two\n192.0.2.2 after\n", "after", &["192.0.2.2"]);
        check(b"192.0.2.1 one\r\n192.0.2.2 two three\r\n", "three", &["192.0.2.2"]);
        check(b"\xef\xbb\xbf192.0.2.1 first\n192.0.2.2 after\n", "first", &[]);
        check(b"\xef\xbb\xbf192.0.2.1 first\n192.0.2.2 after\n", "after", &["192.0.2.2"]);
        check(b"192.0.2.2\x0bvt\x0c ff\n", "vt", &["192.0.2.2"]);
        check(b"127.1 short\n010.0.0.1 octal\nfe80::1%lo zone\n", "short", &[]);
        check(b"::ffff:192.0.2.9 mapped\n", "mapped", &["192.0.2.9"]);
        check(b"192.0.2.1 dotted.\n192.0.2.2 plain\n", "dotted.", &["192.0.2.1"]);
        check(b"192.0.2.1 dotted.\n192.0.2.2 plain\n", "plain.", &[]);
    }

    #[test]
    fn long_lines_are_read_and_endless_ones_are_passed_over() {
        let long = [b"192.0.2.1 ".to_vec(), b"x".repeat(5000), b" last\n192.0.2.2 after\n".to_vec()].concat();
        check(&long, "last", &["192.0.2.1"]);
        let endless =
            [b"192.0.2.1 ".to_vec(), b"y ".repeat(MAX_LINE_BYTES as usize), b"last\n192.0.2.2 after\n".to_vec()];
        check(&endless.concat(), "last", &[]);
        check(&endless.concat(), "after", &["192.0.2.2"]);
    }

    #[test]
    fn a_name_of_thousands_of_lines_has_no_more_addresses_than_are_tried() {
        let hosts: String = (0..1000).map(|n| format!("10.0.{}.{} many\n", n / 250, n % 250)).collect();
        assert_eq!(addresses_in_hosts_file(hosts.as_bytes(), "many").unwrap().len(), MAX_ADDRESSES);
    }

    proptest! {
        #[test]
        fn a_right_line_is_found_among_any_others(
            before in proptest::collection::vec(any::<u8>(), 0..200),
            after in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let hosts = [&before[..], b"\n192.0.2.77 wanted\n", &after].concat();
            let found = addresses_in_hosts_file(&hosts[..], "wanted").unwrap();
            prop_assert_eq!(found, ["192.0.2.77".parse::<IpAddr>().unwrap()]);
        }
    }
}
