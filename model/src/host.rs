//! The names by which a user addresses the machine that the browser runs on.

use std::net::IpAddr;

/// Whether a host, as it stands in a URL or a `Host` header without its port, is `localhost` or an address: a name that no
/// other site can point at this machine.
pub fn names_this_machine(host: &str) -> bool {
    let name = host.trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_another_site_is_this_machine() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "::1", "192.0.2.7"] {
            assert!(names_this_machine(host), "{host}");
        }
        for host in ["", " ", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhost."] {
            assert!(!names_this_machine(host), "{host}");
        }
    }
}
