//! The parameters of `/probe`.
//!
//! Decision: D-071.

use std::time::Duration;

use ::http::HeaderMap;

use crate::module::{HTTP, InvalidModule, Module, target_of};
use crate::{Family, Target};

/// How long Prometheus waits for the answer, in seconds, with decimals.
const SCRAPE_TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";
/// How much of that is reserved for the answer's way back, half of it at most: as blackbox_exporter does.
const WAY_BACK: Duration = Duration::from_millis(500);

const TARGET: &str = "target";
const MODULE: &str = "module";
const HOSTNAME: &str = "hostname";
const DEBUG: &str = "debug";
const PREFERRED: &str = "preferred_ip_protocol";
const FALLBACK: &str = "ip_protocol_fallback";
/// The known parameters. Any other is refused: it asks for something that would not be done.
const PARAMETERS: [&str; 6] = [TARGET, MODULE, HOSTNAME, DEBUG, PREFERRED, FALLBACK];

/// A question that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is to be measured, under the name that was asked for.
    pub target: Target,
    /// Which addresses are to be used, if that was said.
    pub families: Option<Families>,
    /// Whether the measurement is to be explained.
    pub is_debug: bool,
    /// How long the measurement may take for the asker's sake, where it said so.
    pub patience: Option<Duration>,
}

/// Which addresses a measurement is to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Families {
    /// Those of this family.
    pub preferred: Family,
    /// Whether others are used where there are none of it.
    pub falls_back: bool,
}

/// Why a question can't be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuestion {
    /// Nothing to measure.
    #[error("the target is missing; ask for /probe?target=https://example.com/")]
    NoTarget,
    /// A parameter that is not understood.
    #[error("{name:?} is not a parameter of /probe; these are: {}", PARAMETERS.join(", "))]
    Unknown {
        /// As it was written.
        name: String,
    },
    /// Two values for one parameter.
    #[error("{0} is given twice; ask for one measurement at a time")]
    Twice(&'static str),
    /// A parameter that says nothing.
    #[error("{0} is empty; give it a value, or leave it out")]
    Empty(&'static str),
    /// A value that the parameter does not have.
    #[error("{name} is {value:?}; it must be {accepted}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// What it was.
        value: String,
        /// What it can be.
        accepted: &'static str,
    },
    /// No fallback, and nothing to fall back from.
    #[error("ip_protocol_fallback=false needs preferred_ip_protocol=ip4 or ip6, the only one that is then used")]
    NothingPreferred,
    /// A name for what asks for none.
    #[error("hostname is for pages, http:// and https://: nothing in {target} would be asked for by it")]
    NoHostname {
        /// The target.
        target: String,
    },
    /// No target, or none of this module.
    #[error(transparent)]
    Module(#[from] InvalidModule),
    /// Of the request's head.
    #[error("X-Prometheus-Scrape-Timeout-Seconds must be one number of seconds above 0")]
    Timeout,
}

impl Question {
    /// Reads the query of a URL, without its `?`, and the headers beside it. Every parameter is understood or refused, as blackbox_exporter's
    /// users write it.
    ///
    /// # Errors
    /// [`InvalidQuestion`], with the first thing that is wrong.
    pub fn parse(query: &str, headers: &HeaderMap) -> Result<Self, InvalidQuestion> {
        let given = Parameters::parse(query)?;
        let module = given.value(MODULE).map(Module::named).transpose()?;
        let written = given.value(TARGET).ok_or(InvalidQuestion::NoTarget)?;
        let target = target_of(written, module, HTTP)?;
        Ok(Self {
            target: match given.value(HOSTNAME) {
                None => target,
                Some(hostname) => named(&target, hostname)?,
            },
            families: given.families()?,
            is_debug: given.truth(DEBUG)?.unwrap_or_default(),
            patience: patience(headers)?,
        })
    }
}

/// What was given, by the places of [`PARAMETERS`].
struct Parameters([Option<String>; PARAMETERS.len()]);

impl Parameters {
    /// Each that is understood, once, and not empty.
    fn parse(query: &str) -> Result<Self, InvalidQuestion> {
        let mut values: [Option<String>; PARAMETERS.len()] = Default::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = PARAMETERS.iter().position(|known| *known == name);
            let place = place.ok_or_else(|| InvalidQuestion::Unknown { name: name.into_owned() })?;
            if values[place].is_some() {
                return Err(InvalidQuestion::Twice(PARAMETERS[place]));
            }
            if value.is_empty() {
                return Err(InvalidQuestion::Empty(PARAMETERS[place]));
            }
            values[place] = Some(value.into_owned());
        }
        Ok(Self(values))
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0[PARAMETERS.iter().position(|known| *known == name)?].as_deref()
    }

    fn truth(&self, name: &'static str) -> Result<Option<bool>, InvalidQuestion> {
        match self.value(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(value) => Err(InvalidQuestion::Value { name, value: value.to_owned(), accepted: "true or false" }),
        }
    }

    fn families(&self) -> Result<Option<Families>, InvalidQuestion> {
        let preferred = match self.value(PREFERRED) {
            None => None,
            Some("ip4") => Some(Family::V4),
            Some("ip6") => Some(Family::V6),
            Some(value) => {
                let value = value.to_owned();
                return Err(InvalidQuestion::Value { name: PREFERRED, value, accepted: "ip4 or ip6" });
            }
        };
        match (preferred, self.truth(FALLBACK)?) {
            (Some(preferred), falls_back) => Ok(Some(Families { preferred, falls_back: falls_back.unwrap_or(true) })),
            (None, Some(false)) => Err(InvalidQuestion::NothingPreferred),
            (None, _) => Ok(None),
        }
    }
}

fn named(target: &Target, hostname: &str) -> Result<Target, InvalidQuestion> {
    if target.as_web().is_none() {
        return Err(InvalidQuestion::NoHostname { target: target.to_string() });
    }
    target.asked_for_as(hostname).ok_or_else(|| InvalidQuestion::Value {
        name: HOSTNAME,
        value: hostname.to_owned(),
        accepted: "a DNS name or an address, with a port where it needs one",
    })
}

fn patience(headers: &HeaderMap) -> Result<Option<Duration>, InvalidQuestion> {
    let mut values = headers.get_all(SCRAPE_TIMEOUT).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(InvalidQuestion::Timeout);
    }
    let seconds = value.to_str().ok().and_then(|text| text.parse().ok());
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let timeout = timeout.filter(|timeout| !timeout.is_zero()).ok_or(InvalidQuestion::Timeout)?;
    Ok(Some(timeout - WAY_BACK.min(timeout / 2)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(query: &str) -> Result<Question, InvalidQuestion> {
        Question::parse(query, &HeaderMap::new())
    }

    #[test]
    fn the_module_says_what_a_target_without_a_scheme_is() {
        for (query, target) in [
            ("target=https%3A%2F%2Fa.test%2Fb%3Fc%3Dd", "https://a.test/b?c=d"),
            ("target=a.test", "http://a.test/"),
            ("&target=a.test&&module=http_2xx&", "http://a.test/"),
            ("module=http_2xx&target=https://a.test/&debug=true", "https://a.test/"),
            ("target=a.test:25&module=tcp_connect", "tcp://a.test:25"),
            ("target=192.0.2.1&module=icmp", "icmp://192.0.2.1"),
            ("target=%3A%3A1&module=icmp", "icmp://[::1]"),
            ("target=dns://192.0.2.1/a.test", "dns://192.0.2.1/a.test"),
        ] {
            assert_eq!(parse(query).map(|question| question.target.to_string()), Ok(target.to_owned()), "{query}");
        }
    }

    #[test]
    fn no_parameter_is_passed_over() {
        let accepted = "these are: target, module, hostname, debug, preferred_ip_protocol, ip_protocol_fallback";
        for (query, says) in [
            ("", "target is missing"),
            ("module=icmp", "target is missing"),
            ("target=", "target is empty"),
            ("target", "target is empty"),
            ("target=http://a.test&target=http://b.test", "target is given twice"),
            ("target=a.test&debug=true&debug=true", "debug is given twice"),
            ("target=a.test&module=", "module is empty"),
            ("target=a.test&hostname=", "hostname is empty"),
            ("target=a.test&module=http_3xx", "\"http_3xx\" is not known"),
            ("target=a.test&module=a%0Ab", "\"a\\nb\" is not known"),
            ("target=http://a.test&module=icmp", "icmp does not measure http://a.test"),
            ("target=a.test&module=tcp_connect", "tcp://host:port"),
            ("target=ftp://a.test", "must begin with http://"),
            ("target=http://user:secret@a.test", "must not contain a user name"),
            ("target=http://a%0A.test", "is not a URL"),
            ("target=a.test&Module=icmp", accepted),
            ("target=a.test&modul=icmp", accepted),
            ("target=a.test&timeout=5s", accepted),
            ("target=a.test&valid_status_codes=200", accepted),
            ("target=a.test&=x", accepted),
            ("target=a.test&prefered_ip_protocol=ip4", accepted),
            ("target=a.test&debug=1", "debug is \"1\"; it must be true or false"),
            ("target=a.test&preferred_ip_protocol=ipv4", "it must be ip4 or ip6"),
            ("target=a.test&preferred_ip_protocol=ip4&ip_protocol_fallback=no", "it must be true or false"),
            ("target=a.test&ip_protocol_fallback=false", "needs preferred_ip_protocol"),
            ("target=a.test:1&module=tcp_connect&hostname=b.test", "hostname is for pages"),
            ("target=a.test&hostname=b.test/x", "it must be a DNS name"),
            ("target=a.test&hostname=user@b.test", "it must be a DNS name"),
            ("target=a.test&hostname=b.test:0", "it must be a DNS name"),
            ("target=a.test&hostname=b%0D%0AX:+y", "it must be a DNS name"),
        ] {
            let message = parse(query).unwrap_err().to_string();
            assert!(message.contains(says), "{query}: {message}");
            assert!(!message.contains(char::is_control) && !message.contains("secret"), "{query}: {message}");
        }
    }

    #[test]
    fn each_parameter_has_its_effect() {
        let families = |query: &str| parse(&format!("target=a.test{query}")).unwrap().families;
        let of = |preferred, falls_back| Some(Families { preferred, falls_back });
        assert_eq!(families(""), None);
        assert_eq!(families("&ip_protocol_fallback=true"), None);
        assert_eq!(families("&preferred_ip_protocol=ip4"), of(Family::V4, true));
        assert_eq!(families("&preferred_ip_protocol=ip6&ip_protocol_fallback=false"), of(Family::V6, false));
        assert!(parse("target=a.test&debug=true").unwrap().is_debug);
        assert!(!parse("target=a.test&debug=false").unwrap().is_debug);

        let question = parse("target=https://192.0.2.1/x&hostname=b.test:8443").unwrap();
        let web = question.target.as_web().unwrap();
        assert_eq!((question.target.as_str(), web.host().as_str()), ("https://192.0.2.1/x", "192.0.2.1"));
        assert_eq!(
            (web.authority().to_str().unwrap(), &*web.server_name().unwrap().to_str()),
            ("b.test:8443", "b.test")
        );
        let led_on = |location: &str| web.follow(location.as_bytes()).unwrap();
        assert_eq!(led_on("/y").authority(), "b.test:8443");
        assert_eq!(led_on("https://192.0.2.2/y").authority(), "192.0.2.2");
        assert_eq!(led_on("http://192.0.2.1/y").authority(), "192.0.2.1");
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
        let mut twice = HeaderMap::new();
        ["10", "20"].into_iter().for_each(|value| _ = twice.append(SCRAPE_TIMEOUT, value.parse().unwrap()));
        assert_eq!(Question::parse("target=a.test", &twice), Err(InvalidQuestion::Timeout));
    }

    proptest! {
        #[test]
        fn a_refusal_is_one_line_whatever_was_asked(query in "\\PC{0,40}|(target|module|hostname|debug|[a-z_]{1,8})(=([a-z0-9.:/%\\[\\]@?#]|\\PC){0,12})?(&[a-z_]{1,9}=\\PC{0,9}){0,3}") {
            if let Err(refusal) = parse(&query) {
                prop_assert!(!refusal.to_string().contains(char::is_control), "{}", refusal);
            }
        }

        #[test]
        fn what_is_understood_is_all_that_was_given(extra in "[a-zA-Z_]{1,24}", value in "[a-z0-9]{0,8}") {
            let query = format!("target=a.test&{extra}={value}");
            let is_known = PARAMETERS.contains(&extra.as_str()) && !value.is_empty();
            prop_assert!(is_known || parse(&query).is_err(), "{}", query);
        }
    }
}
