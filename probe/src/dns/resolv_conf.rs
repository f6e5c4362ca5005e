//! `resolv.conf`: which servers this machine's programs ask, in which order, and for how long.
//!
//! It is read as the C library reads it (resolv.conf(5)), lines that it passes over included: a setting that no program
//! follows must not be followed here.

use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::name::DnsName;

const PATH: &str = "/etc/resolv.conf";
/// No such file is longer. It is read anew for each measurement.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// The C library asks no more of them.
const MAX_SERVERS: usize = 3;
/// Domains of the search list that are tried. Kubernetes takes no more.
const MAX_DOMAINS: usize = 32;
/// The C library's own bounds of what options may say.
const MAX_TIMEOUT_S: u64 = 30;
const MAX_ATTEMPTS: u64 = 5;
const MAX_NDOTS: u64 = 15;

/// What it says, with the C library's defaults for what it does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvConf {
    /// The name servers, in their order; this machine where none is named.
    pub servers: Vec<ServerAddress>,
    /// The domains that names are tried in; `None` if nothing is said of them.
    pub search: Option<Vec<DnsName>>,
    /// From this number of dots on, a name is tried as it is before it is tried in the domains.
    pub ndots: usize,
    /// How long the first server is waited for.
    pub timeout: Duration,
    /// How often all servers are asked.
    pub attempts: usize,
    /// Whether each lookup begins with another server.
    pub rotate: bool,
    /// Whether questions go over TCP from the start.
    pub use_tcp: bool,
    /// Whether questions carry EDNS.
    pub edns: bool,
    /// Whether questions carry the bit AD.
    pub trust_ad: bool,
    /// Whether A and AAAA are asked for one after the other.
    pub single_request: bool,
    /// Whether AAAA is not asked for.
    pub no_aaaa: bool,
    /// Whether names without a dot are asked for in the domains alone.
    pub no_tld_query: bool,
}

/// A name server as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    /// Its address.
    pub ip: IpAddr,
    /// The interface that a link-local address is reached through: what stands behind the `%`.
    pub zone: Option<String>,
}

impl Default for ResolvConf {
    fn default() -> Self {
        Self {
            servers: vec![ServerAddress { ip: Ipv4Addr::LOCALHOST.into(), zone: None }],
            search: None,
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
            rotate: false,
            use_tcp: false,
            edns: false,
            trust_ad: false,
            single_request: false,
            no_aaaa: false,
            no_tld_query: false,
        }
    }
}

impl ResolvConf {
    /// That of this machine. None, or one that can't be read, says nothing, as for every program.
    pub(super) fn of_system() -> Self {
        let mut text = Vec::new();
        if let Ok(file) = File::open(PATH)
            && let Err(error) = file.take(MAX_FILE_BYTES).read_to_end(&mut text)
        {
            tracing::debug!("{PATH} can't be read: {error}");
        }
        // Variables say it for the processes that have them, after the file and so before it (resolv.conf(5)).
        for (variable, keyword) in [("LOCALDOMAIN", "search"), ("RES_OPTIONS", "options")] {
            if let Ok(value) = std::env::var(variable) {
                text.extend_from_slice(format!("\n{keyword} {value}").as_bytes());
            }
        }
        let mut conf = parse_resolv_conf(&text);
        // Without a word of domains, the one that this machine's own name is in.
        let own_domain = || Some(crate::host_name().ok()?.split_once('.')?.1.to_owned());
        conf.search = conf.search.or_else(|| Some(own_domain().iter().filter_map(domain).collect()));
        conf
    }

    fn option(&mut self, option: &str) {
        // As `atoi` reads it: digits as far as there are any, and 0 without.
        let number = |value: &str, most: u64| {
            let digits = value.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            if digits.is_empty() { 0 } else { digits.parse().unwrap_or(most).min(most) }
        };
        match option.split_once(':') {
            Some(("ndots", value)) => self.ndots = number(value, MAX_NDOTS) as usize,
            Some(("timeout", value)) => self.timeout = Duration::from_secs(number(value, MAX_TIMEOUT_S).max(1)),
            Some(("attempts", value)) => self.attempts = number(value, MAX_ATTEMPTS).max(1) as usize,
            Some(_) => {}
            None => match option {
                "rotate" => self.rotate = true,
                "use-vc" => self.use_tcp = true,
                "edns0" => self.edns = true,
                "trust-ad" => self.trust_ad = true,
                "single-request" => self.single_request = true,
                "no-aaaa" => self.no_aaaa = true,
                "no-tld-query" => self.no_tld_query = true,
                _ => {}
            },
        }
    }
}

/// Reads the text of a `resolv.conf`, whatever it holds.
pub fn parse_resolv_conf(text: &[u8]) -> ResolvConf {
    let mut conf = ResolvConf { servers: Vec::new(), ..ResolvConf::default() };
    for line in text.split(|byte| *byte == b'\n') {
        // A text of C ends there.
        let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        // A keyword begins its line, and blanks end it.
        let Some((keyword, rest)) = line.split_once([' ', '\t']) else { continue };
        let mut words = rest.split([' ', '\t']).filter(|word| !word.is_empty());
        match keyword {
            "nameserver" if conf.servers.len() < MAX_SERVERS => conf.servers.extend(words.next().and_then(server)),
            "search" => conf.search = Some(words.filter_map(domain).take(MAX_DOMAINS).collect()),
            "domain" => conf.search = Some(words.next().into_iter().filter_map(domain).collect()),
            "options" => words.for_each(|word| conf.option(word)),
            _ => {}
        }
    }
    if conf.servers.is_empty() {
        conf.servers = ResolvConf::default().servers;
    }
    conf
}

/// An IPv4 address in any of the forms that programs of C take, as `127.1`; or an IPv6 address, perhaps with its zone.
fn server(written: &str) -> Option<ServerAddress> {
    let (address, zone) = match written.split_once('%') {
        Some((address, zone)) => (address, Some(zone.to_owned())),
        None => (written, None),
    };
    if let Ok(ip) = address.parse::<IpAddr>() {
        return Some(ServerAddress { ip: ip.to_canonical(), zone: zone.filter(|_| ip.is_ipv6()) });
    }
    match url::Host::parse(written) {
        Ok(url::Host::Ipv4(ip)) => Some(ServerAddress { ip: ip.into(), zone: None }),
        _ => None,
    }
}

/// The root is a domain in which a name is as it is.
fn domain(written: impl AsRef<str>) -> Option<DnsName> {
    DnsName::from_host(written.as_ref()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn servers(text: &str) -> Vec<String> {
        let shown = |server: ServerAddress| match server.zone {
            Some(zone) => format!("{}%{zone}", server.ip),
            None => server.ip.to_string(),
        };
        parse_resolv_conf(text.as_bytes()).servers.into_iter().map(shown).collect()
    }

    #[test]
    fn servers_are_asked_in_their_order_and_no_more_than_three() {
        let text = "# a comment\nnameserver 192.0.2.2\nnameserver\t2001:db8::1 # two\nnameserver 192.0.2.1\nnameserver 192.0.2.4\n";
        assert_eq!(servers(text), ["192.0.2.2", "2001:db8::1", "192.0.2.1"]);
    }

    #[test]
    fn a_zone_is_kept() {
        assert_eq!(servers("nameserver fe80::53%eth0\nnameserver fe80::54%3"), ["fe80::53%eth0", "fe80::54%3"]);
    }

    #[test]
    fn without_a_server_it_is_this_machine() {
        for text in ["", "search corp.test\n", "nameserver\n", "nameserver junk\n", "#nameserver 192.0.2.1\n"] {
            assert_eq!(servers(text), ["127.0.0.1"], "{text}");
        }
    }

    /// What each of these lines makes of programs of glibc 2.36 was tried.
    #[test]
    fn lines_that_programs_pass_over_are_passed_over() {
        for text in [
            " nameserver 192.0.2.1\n",
            "NAMESERVER 192.0.2.1\n",
            "nameserver 192.0.2.1\r\n",
            "\u{feff}nameserver 192.0.2.1\n",
            "nameserver 192.0.2.1;x\n",
        ] {
            assert_eq!(servers(text), ["127.0.0.1"], "{text:?}");
        }
        for (text, server) in [
            ("nameserver 127.53", "127.0.0.53"),
            ("nameserver 0177.0.0.53", "127.0.0.53"),
            ("nameserver ::ffff:127.0.0.53", "127.0.0.53"),
            ("nameserver 192.0.2.1 \0\n", "192.0.2.1"),
            ("nameserver junk\nnameserver 192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(servers(text), [server], "{text:?}");
        }
    }

    #[test]
    fn the_last_word_on_domains_counts() {
        let search = |text: &str| {
            let domains = parse_resolv_conf(text.as_bytes()).search;
            domains.map(|domains| domains.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(search("domain a.test\nsearch b.test c.test\n").unwrap(), ["b.test", "c.test"]);
        assert_eq!(search("search b.test\ndomain a.test more\n").unwrap(), ["a.test"]);
        assert_eq!(search("nameserver 192.0.2.1\n"), None);
        assert_eq!(search("search a..b ok.test\n").unwrap(), ["ok.test"]);
    }

    #[test]
    fn options_are_those_of_the_c_library_within_its_bounds() {
        let conf = parse_resolv_conf(
            b"options ndots:5 timeout:2 attempts:3 rotate edns0\noptions use-vc trust-ad unknown:1 x",
        );
        assert_eq!((conf.ndots, conf.timeout, conf.attempts), (5, Duration::from_secs(2), 3));
        assert!(conf.rotate && conf.edns && conf.use_tcp && conf.trust_ad && !conf.single_request);
        let conf =
            parse_resolv_conf(b"options ndots:99 timeout:99999999999999999999 attempts:0 single-request no-aaaa");
        assert_eq!((conf.ndots, conf.timeout, conf.attempts), (15, Duration::from_secs(30), 1));
        assert!(conf.single_request && conf.no_aaaa);
    }

    proptest! {
        #[test]
        fn whatever_is_in_it_there_is_somebody_to_ask(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            check_bounds(&parse_resolv_conf(&text));
        }

        #[test]
        fn and_so_with_lines_that_look_right(lines in proptest::collection::vec("(nameserver|search|options|domain)[ \t](.{0,30}|[0-9a-f:.%]{0,30}|(ndots|timeout|attempts):[0-9-]{0,25})", 0..60)) {
            check_bounds(&parse_resolv_conf(lines.join("\n").as_bytes()));
        }
    }

    fn check_bounds(conf: &ResolvConf) {
        assert!((1..=MAX_SERVERS).contains(&conf.servers.len()));
        assert!(conf.search.iter().all(|search| search.len() <= MAX_DOMAINS));
        assert!((1..=5).contains(&conf.attempts) && (1..=30).contains(&conf.timeout.as_secs()) && conf.ndots <= 15);
    }
}
