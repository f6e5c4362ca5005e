//! Why a measurement failed, in a few words that are the same for the same reason: without addresses, names and figures that differ
//! from one measurement to the next, so that reasons can be counted.
//!
//! The probe's own messages are known by how they begin or end. Other probes write what they like: of theirs, phrases of operating
//! systems and common libraries are known, and anything else is its own reason.

use netqoe_model::ErrorStage;

use super::names::shown;

/// How the probe's messages begin, and what the reason is; `*` stands for what follows.
const BEGINNINGS: [(&str, &str); 6] = [
    ("redirect loop: ", "redirect loop"),
    ("the server redirects to ", "redirect that is not followed"),
    ("the body broke off after ", "body broke off"),
    ("the server answered with status ", "status *"),
    ("no valid answer to the request: ", "no valid answer: *"),
    ("TLS can't be used: ", "no TLS on the client: *"),
];

/// What is within the messages of name resolution.
const OF_NAMES: [(&str, &str); 9] = [
    ("(nxdomain)", "name does not exist"),
    ("no such host", "name does not exist"),
    ("name or service not known", "name does not exist"),
    ("has no a record", "name has no IPv4 address"),
    ("has no aaaa record", "name has no IPv6 address"),
    ("has no address", "name has no address"),
    ("servfail", "name server fails (SERVFAIL)"),
    (": refused", "name server refuses (REFUSED)"),
    (": no answer", "name server does not answer"),
];

/// What is within the messages of certificates.
const OF_CERTIFICATES: [(&str, &str); 4] = [
    ("certificate expired", "certificate expired"),
    ("certificate has expired", "certificate expired"),
    ("certificate is for another name", "certificate is for another name"),
    ("certificate is not valid yet", "certificate is not valid yet"),
];

/// What operating systems and libraries say of connections.
const OF_CONNECTIONS: [(&str, &str); 9] = [
    ("connection refused", "connection refused"),
    ("connection reset", "connection reset"),
    ("network is unreachable", "network unreachable"),
    ("no route to host", "no route to host"),
    ("host is unreachable", "no route to host"),
    ("connection timed out", "connection timed out"),
    ("answered none of", "no echo came back"),
    ("does not speak http/3", "no answer over HTTP/3"),
    ("permission denied", "permission denied"),
];

/// The reason of a failure at this stage, whose event says this of it.
pub(crate) fn failure_reason(stage: ErrorStage, message: Option<&str>) -> String {
    let Some(message) = message.map(str::trim).filter(|message| !message.is_empty()) else {
        return format!("failed at {}, no reason given", named(stage));
    };
    if let Some(reason) = of_beginning(message).or_else(|| of_timeout(message)).or_else(|| of_tls(message)) {
        return reason;
    }
    let lower = message.to_lowercase();
    let tables: &[&[(&str, &str)]] = match stage {
        ErrorStage::Dns => &[&OF_NAMES, &OF_CONNECTIONS],
        _ => &[&OF_CERTIFICATES, &OF_CONNECTIONS],
    };
    let known = tables.iter().copied().flatten().find(|(phrase, _)| lower.contains(phrase));
    known.map_or_else(|| shown(message).into_owned(), |(_, reason)| (*reason).to_owned())
}

/// Reasons and how often, in one line; none where nothing failed.
pub(crate) fn failures_line<'a>(counted: impl Iterator<Item = (u64, &'a str)>) -> Option<String> {
    let told: Vec<_> = counted.map(|(count, reason)| format!("{count} × {reason}")).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

fn named(stage: ErrorStage) -> &'static str {
    match stage {
        ErrorStage::Dns => "DNS",
        ErrorStage::Tcp => "TCP",
        ErrorStage::Tls => "TLS",
        ErrorStage::Http => "HTTP",
        ErrorStage::Throughput => "transfer",
    }
}

fn of_beginning(message: &str) -> Option<String> {
    BEGINNINGS.iter().find_map(|(beginning, reason)| {
        let rest = message.strip_prefix(beginning)?;
        Some(reason.replace('*', &shown(rest)))
    })
}

/// Characters of a time that somebody has waited, in seconds.
const MAX_FIGURE: usize = 12;

/// `… within 30s` as `timeout after 30 s`.
fn of_timeout(message: &str) -> Option<String> {
    let (_, time) = message.rsplit_once(" within ")?;
    let unit_at = time.find(|char: char| !char.is_ascii_digit() && char != '.')?;
    let (figure, unit) = time.split_at(unit_at);
    let is_time = ["s", "ms", "µs"].contains(&unit) && figure.len() <= MAX_FIGURE && figure.parse::<f64>().is_ok();
    is_time.then(|| format!("timeout after {figure} {unit}"))
}

/// `no TLS connection to HOST: its certificate …; what to do` as `certificate …`.
fn of_tls(message: &str) -> Option<String> {
    let (_, told) = message.strip_prefix("no TLS connection to ")?.split_once(": ")?;
    let cause = told.split("; ").next().unwrap_or(told);
    let known = OF_CERTIFICATES.iter().find(|(phrase, _)| cause.contains(phrase));
    if let Some((_, reason)) = known {
        return Some((*reason).to_owned());
    }
    let cause = cause
        .strip_prefix("its ")
        .map(str::to_owned)
        .or_else(|| Some(format!("server: {}", cause.strip_prefix("it ")?)));
    Some(shown(&cause.unwrap_or_else(|| told.to_owned())).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ErrorStage::*;
    use super::*;

    #[test]
    fn what_the_probe_says_becomes_a_reason() {
        for (stage, message, reason) in [
            (Tcp, "no connection to 192.0.2.1:443: Connection refused (os error 111)", "connection refused"),
            (
                Tcp,
                "no connection to [::1]:9: Connection refused (os error 111); 127.0.0.1:9: Connection refused (os error 111)",
                "connection refused",
            ),
            (Tcp, "no connection to 192.0.2.1:443: Network is unreachable (os error 101)", "network unreachable"),
            (Tcp, "no connection to 192.0.2.1:443: No route to host (os error 113)", "no route to host"),
            (Tcp, "the connection was not established within 30s", "timeout after 30 s"),
            (Dns, "the name was not resolved within 1.5s", "timeout after 1.5 s"),
            (Http, "the request was not answered within 500ms", "timeout after 500 ms"),
            (Dns, "a.test does not exist (NXDOMAIN), says 192.0.2.53:53; check its spelling", "name does not exist"),
            (
                Dns,
                "a.test is an alias of refused.test, which does not exist (NXDOMAIN), says [::1]:53; check its spelling",
                "name does not exist",
            ),
            (Dns, "a.test has no A record", "name has no IPv4 address"),
            (Dns, "a.test has no address: neither an A nor an AAAA record", "name has no address"),
            (Dns, "a.test could not be resolved: 192.0.2.53:53: SERVFAIL", "name server fails (SERVFAIL)"),
            (Dns, "a.test could not be resolved: 192.0.2.53:53: no answer", "name server does not answer"),
            (Dns, "a.test could not be resolved: 192.0.2.53:53: REFUSED", "name server refuses (REFUSED)"),
            (Tls, "no TLS connection to a.test: its certificate expired 2 days ago; renew", "certificate expired"),
            (Tls, "no TLS connection to a.test: its certificate has expired; renew", "certificate expired"),
            (
                Tls,
                "no TLS connection to a.test: its certificate is for another name: b.test; name it",
                "certificate is for another name",
            ),
            (
                Tls,
                "no TLS connection to a.test: its certificate is self-signed, or signed by an authority that is not \
                 trusted; trust it",
                "certificate is self-signed, or signed by an authority that is not trusted",
            ),
            (Tls, "no TLS connection to a.test: it does not speak TLS; plain", "server: does not speak TLS"),
            (Http, "the server answered with status 503", "status 503"),
            (Http, "redirect loop: 50 redirects, the last to \"x\", and no page", "redirect loop"),
            (Http, "the server redirects to \"x\", which is another host", "redirect that is not followed"),
            (Http, "no valid answer to the request: the connection ended", "no valid answer: the connection ended"),
            (Throughput, "the body broke off after 17 bytes: it ended", "body broke off"),
            (Tcp, "192.0.2.1 answered none of 10 echo requests", "no echo came back"),
        ] {
            assert_eq!(failure_reason(stage, Some(message)), reason, "{message}");
        }
    }

    #[test]
    fn what_others_say_is_understood_or_shown() {
        for (stage, message, reason) in [
            (Tcp, Some("dial tcp 192.0.2.1:443: connect: connection refused"), "connection refused"),
            (Dns, Some("lookup a.test: no such host"), "name does not exist"),
            (Tls, Some("SSL certificate problem: certificate has expired"), "certificate expired"),
            (Http, Some("teapot\u{202e}\n"), "teapot\\u202e"),
            (Http, Some("no end within sight"), "no end within sight"),
            (Http, Some("never within 30 parsecs"), "never within 30 parsecs"),
            (Http, Some("never within 1234567890123s"), "never within 1234567890123s"),
            (Tcp, Some("  "), "failed at TCP, no reason given"),
            (Throughput, None, "failed at transfer, no reason given"),
        ] {
            assert_eq!(failure_reason(stage, message), reason, "{message:?}");
        }
        let long = "x".repeat(500);
        assert_eq!(failure_reason(Http, Some(&long)).chars().count(), 81);
    }

    #[test]
    fn reasons_are_told_in_one_line() {
        let line = failures_line([(17, "connection refused"), (2, "timeout after 30 s")].into_iter());
        assert_eq!(line.as_deref(), Some("17 × connection refused, 2 × timeout after 30 s"));
        assert_eq!(failures_line([].into_iter()), None);
    }

    proptest! {
        #[test]
        fn any_message_is_a_short_reason(message: String, stage in proptest::sample::select(&ErrorStage::ALL[..])) {
            let reason = failure_reason(stage, Some(&message));
            prop_assert!(!reason.is_empty() && reason.chars().count() <= 120, "{reason}");
            let obeyed = ['\n', '\u{202e}'];
            prop_assert!(!reason.contains(obeyed));
        }
    }
}
