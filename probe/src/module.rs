//! The modules of blackbox_exporter's usual configuration: what each measures, and what a target without a scheme is there.
//!
//! Prometheus's jobs and lists name targets as it wants them: bare hosts, and IPv6 addresses without brackets.

use crate::endpoint::has_scheme;
use crate::{Check, InvalidTarget, Target};

/// A module that is known here.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) name: &'static str,
    scheme: &'static str,
    measures: fn(&Check) -> bool,
}

const MODULES: [Module; 3] = [
    Module { name: "http_2xx", scheme: "http", measures: |check| matches!(check, Check::Web(_)) },
    Module { name: "tcp_connect", scheme: "tcp", measures: |check| matches!(check, Check::Tcp { .. }) },
    Module { name: "icmp", scheme: "icmp", measures: |check| matches!(check, Check::Icmp { .. }) },
];

/// Why a target with its module is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidModule {
    /// No such module.
    #[error("module {0:?} is not known; it is http_2xx, tcp_connect or icmp, or is left out")]
    Unknown(String),
    /// The target's scheme belongs to another module.
    #[error("module {module} does not measure {target}; leave the module out, or the beginning of the target")]
    Other {
        /// The module.
        module: &'static str,
        /// The target.
        target: String,
    },
    /// The target is none.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
}

impl Module {
    pub(crate) fn named(name: &str) -> Result<&'static Self, InvalidModule> {
        MODULES.iter().find(|module| module.name == name).ok_or_else(|| InvalidModule::Unknown(name.to_owned()))
    }
}

/// What a target without a scheme is in a list.
pub(crate) const HTTPS: &str = "https";
/// What it is for `/probe`, as for blackbox_exporter.
pub(crate) const HTTP: &str = "http";

/// A target without a scheme is what the module makes of it, and a page where there is none.
pub(crate) fn target_of(
    written: &str,
    module: Option<&Module>,
    scheme_of_pages: &str,
) -> Result<Target, InvalidModule> {
    let target: Target = if has_scheme(written) {
        written.parse()?
    } else {
        let scheme = module.map_or(scheme_of_pages, |module| module.scheme);
        format!("{scheme}://{written}").parse()?
    };
    match module {
        Some(Module { name, measures, .. }) if !measures(target.check()) => {
            Err(InvalidModule::Other { module: name, target: target.to_string() })
        }
        _ => Ok(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, module: Option<&str>, expected: Result<&str, &str>) {
        let module = module.map(|name| Module::named(name).unwrap());
        match (target_of(written, module, HTTP), expected) {
            (Ok(target), Ok(expected)) => assert_eq!(target.as_str(), expected),
            (Err(error), Err(says)) => assert!(error.to_string().contains(says), "{written}: {error}"),
            (seen, expected) => panic!("{written}: {seen:?} where {expected:?} is right"),
        }
    }

    #[test]
    fn bare_hosts_are_what_the_module_measures() {
        check("a.test", None, Ok("http://a.test/"));
        check("a.test:8080/x", Some("http_2xx"), Ok("http://a.test:8080/x"));
        check("a.test/?next=https://b.test/", None, Ok("http://a.test/?next=https://b.test/"));
        check("a.test:22", Some("tcp_connect"), Ok("tcp://a.test:22"));
        check("a.test", Some("tcp_connect"), Err("tcp://host:port"));
        check("https://a.test", Some("icmp"), Err("icmp does not measure https://a.test/"));
        check("ftp://a.test", None, Err("must begin with"));
        check("://a.test", None, Err("must begin with"));
        assert!(Module::named("HTTP_2xx").is_err());
    }

    #[test]
    fn addresses_of_ipv6_need_no_brackets_where_nothing_else_can_be_meant() {
        for written in ["::1", "[::1]"] {
            check(written, Some("icmp"), Ok("icmp://[::1]"));
            check(written, None, Ok("http://[::1]/"));
        }
        check("2001:db8::7/health?x", None, Ok("http://[2001:db8::7]/health?x"));
        check("[::1]:22", Some("tcp_connect"), Ok("tcp://[::1]:22"));
        // Its last group might be a port: an address it is, and the port is missing.
        check("::1:22", Some("tcp_connect"), Err("tcp://host:port"));
        check("icmp://::1", None, Ok("icmp://[::1]"));
        check("dns://::1/a.test", None, Ok("dns://[::1]/a.test"));
        check("::1%lo", Some("icmp"), Err("icmp://::1%lo"));
    }
}
