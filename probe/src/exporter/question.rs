//! What `/probe` is asked.

use std::time::Duration;

use ::http::HeaderMap;

use crate::{Check, InvalidTarget, Target};

/// How long Prometheus waits for the answer, in seconds, with decimals.
const SCRAPE_TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";
/// How much of that is left for the answer's way back, where it is no more than half: as blackbox_exporter leaves.
const WAY_BACK: Duration = Duration::from_millis(500);

/// A question that can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) target: Target,
    /// How long the measurement may take for the asker's sake, where it said so.
    pub(super) patience: Option<Duration>,
}

/// Why a question can't be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidQuestion {
    #[error("the target is missing; ask for /probe?target=https://example.com/")]
    NoTarget,
    #[error("{0} is given twice; ask for one measurement at a time")]
    Twice(&'static str),
    #[error("module {0:?} is not known; it is http_2xx, tcp_connect or icmp, or is left out")]
    UnknownModule(String),
    #[error("module {module} does not measure {target}; leave the module out, or the beginning of the target")]
    OtherModule { module: &'static str, target: String },
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    #[error("X-Prometheus-Scrape-Timeout-Seconds must be a number of seconds above 0")]
    Timeout,
}

/// A module of blackbox_exporter's usual configuration: what it measures, and what a target without a scheme is there.
struct Module {
    name: &'static str,
    scheme: &'static str,
    measures: fn(&Check) -> bool,
}

const MODULES: [Module; 3] = [
    Module { name: "http_2xx", scheme: "http", measures: |check| matches!(check, Check::Web(_)) },
    Module { name: "tcp_connect", scheme: "tcp", measures: |check| matches!(check, Check::Tcp { .. }) },
    Module { name: "icmp", scheme: "icmp", measures: |check| matches!(check, Check::Icmp { .. }) },
];

impl Question {
    /// Parameters that are not known are passed over.
    pub(super) fn parse(query: &str, headers: &HeaderMap) -> Result<Self, InvalidQuestion> {
        let target = only(query, "target")?.filter(|target| !target.is_empty()).ok_or(InvalidQuestion::NoTarget)?;
        let module = match only(query, "module")? {
            None => None,
            Some(name) => {
                let known = MODULES.iter().find(|module| module.name == name);
                Some(known.ok_or(InvalidQuestion::UnknownModule(name))?)
            }
        };
        Ok(Self { target: target_of(&target, module)?, patience: patience(headers)? })
    }
}

/// A target without a scheme is what the module makes of it, and a page where there is none.
fn target_of(written: &str, module: Option<&Module>) -> Result<Target, InvalidQuestion> {
    let target: Target = if written.contains("://") {
        written.parse()?
    } else {
        let scheme = module.map_or("http", |module| module.scheme);
        format!("{scheme}://{written}").parse()?
    };
    match module {
        Some(Module { name, measures, .. }) if !measures(target.check()) => {
            Err(InvalidQuestion::OtherModule { module: name, target: target.to_string() })
        }
        _ => Ok(target),
    }
}

/// The value of a parameter that must not stand twice.
fn only(query: &str, name: &'static str) -> Result<Option<String>, InvalidQuestion> {
    let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    let value = values.next().map(|(_, value)| value.into_owned());
    if values.next().is_some() { Err(InvalidQuestion::Twice(name)) } else { Ok(value) }
}

fn patience(headers: &HeaderMap) -> Result<Option<Duration>, InvalidQuestion> {
    let Some(value) = headers.get(SCRAPE_TIMEOUT) else { return Ok(None) };
    let seconds = value.to_str().ok().and_then(|text| text.parse().ok());
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let timeout = timeout.filter(|timeout| !timeout.is_zero()).ok_or(InvalidQuestion::Timeout)?;
    Ok(Some(timeout - WAY_BACK.min(timeout / 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<String, InvalidQuestion> {
        Question::parse(query, &HeaderMap::new()).map(|question| question.target.to_string())
    }

    #[test]
    fn the_module_says_what_a_target_without_a_scheme_is() {
        for (query, target) in [
            ("target=https%3A%2F%2Fa.test%2Fb%3Fc%3Dd", "https://a.test/b?c=d"),
            ("target=a.test", "http://a.test"),
            ("target=a.test&module=http_2xx", "http://a.test"),
            ("module=http_2xx&target=https://a.test/&debug=true", "https://a.test/"),
            ("target=a.test:25&module=tcp_connect", "tcp://a.test:25"),
            ("target=192.0.2.1&module=icmp", "icmp://192.0.2.1"),
            ("target=dns://192.0.2.1/a.test", "dns://192.0.2.1/a.test"),
        ] {
            assert_eq!(asked(query), Ok(target.to_owned()), "{query}");
        }
    }

    #[test]
    fn what_cant_be_answered_is_said_in_one_line() {
        for (query, says) in [
            ("", "target is missing"),
            ("target=", "target is missing"),
            ("target=http://a.test&target=http://b.test", "target is given twice"),
            ("target=a.test&module=http_3xx", "\"http_3xx\" is not known"),
            ("target=a.test&module=a%0Ab", "\"a\\nb\" is not known"),
            ("target=http://a.test&module=icmp", "icmp does not measure http://a.test"),
            ("target=a.test&module=tcp_connect", "tcp://host:port"),
            ("target=ftp://a.test", "must begin with http://"),
            ("target=http://user:secret@a.test", "must not contain a user name"),
            ("target=http://a%0A.test", "is not a URL"),
        ] {
            let message = asked(query).unwrap_err().to_string();
            assert!(message.contains(says), "{query}: {message}");
            assert!(!message.contains('\n') && !message.contains("secret"), "{query}: {message}");
        }
    }

    #[test]
    fn the_scrapes_timeout_leaves_time_for_the_way_back() {
        let patience = |value: &str| {
            let headers = HeaderMap::from_iter([(SCRAPE_TIMEOUT.parse().unwrap(), value.parse().unwrap())]);
            Question::parse("target=a.test", &headers).map(|question| question.patience)
        };
        assert_eq!(patience("10"), Ok(Some(Duration::from_millis(9500))));
        assert_eq!(patience("0.6"), Ok(Some(Duration::from_millis(300))));
        for value in ["", "soon", "0", "-1", "NaN", "inf", "1e300"] {
            assert_eq!(patience(value), Err(InvalidQuestion::Timeout), "{value}");
        }
    }
}
