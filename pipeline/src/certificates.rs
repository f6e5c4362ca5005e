//! Which targets' certificates expire soon, as the measurements that the log takes tell.
//!
//! Rows do not say it, and nothing else keeps it. So what the log has taken since the look before is looked through, as far as one look
//! reads: where it holds more, the newest is enough, since targets are measured again and again.

use std::collections::{BTreeMap, HashMap};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::{Duration, Instant};

use memchr::memmem::Finder;
use netqoe_eventlog::{FoundRecord, LogError, LogSearch, Search, SearchLimits};
use netqoe_model::metrics::Metrics;
use netqoe_model::{Event, LogTime, Partition};
use netqoe_query::{Certificates, EXPIRES_SOON_MS, ExpiringCertificate};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::gauge::gauge;

/// How far back the first look reaches: most targets are measured more often.
const FIRST_LOOK_MS: i64 = 15 * 60_000;
/// Without a measurement for so long, a target's certificate is no longer told of.
const KEPT_MS: i64 = 86_400_000;
/// How long one look may read, records and bytes of them: less than one question of a person may.
const LONGEST_LOOK: Duration = Duration::from_secs(1);
const MAX_RECORDS: u64 = 50_000;
const MAX_BYTES: u64 = 32 << 20;
/// Targets that one look tells apart, and of which certificates are known that expire soon.
const MAX_TARGETS: usize = 10_000;
const MAX_KNOWN: usize = 500;
/// Longest issuer that is kept, in bytes.
const MAX_ISSUER_BYTES: usize = 200;

/// Looks for certificates again and again.
pub struct CertificateWatch {
    /// Where measurements are.
    pub log: Arc<dyn LogSearch>,
    /// Where it is told what was found.
    pub certificates: Certificates,
    /// Where it is counted.
    pub metrics: Metrics,
    /// The machine's clock, in Unix milliseconds.
    pub now_ms: fn() -> i64,
    /// How long it waits between two looks.
    pub every: Duration,
}

impl CertificateWatch {
    /// Until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut known = Known::default();
        let mut from_ms = (self.now_ms)() - FIRST_LOOK_MS;
        let mut interval = tokio::time::interval(self.every);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for first_partition in (0..self.log.identity().partitions.get()).cycle() {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = interval.tick() => {}
            }
            let (log, now_ms) = (Arc::clone(&self.log), (self.now_ms)());
            let times = LogTime::from_ms(from_ms)..LogTime::from_ms(now_ms);
            let seen = tokio::task::spawn_blocking(move || look(&*log, &times, first_partition)).await;
            match seen {
                Ok(Ok(seen)) => {
                    from_ms = now_ms;
                    known.take(seen, now_ms);
                    self.metrics.certificates_expiring.set(gauge(known.0.len()));
                    self.certificates.set(known.listed());
                }
                Ok(Err(error)) => tracing::debug!("certificates are not looked for: {error}"),
                Err(error) => tracing::debug!("looking for certificates broke off: {error}"),
            }
        }
    }
}

/// What measurements of these log times say, by target. Another partition is the first each time, so that none is always left out
/// where there is more than one look reads.
fn look(log: &dyn LogSearch, times: &Range<LogTime>, first: u16) -> Result<Seen, LogError> {
    let partitions = log.identity().partitions.get();
    let mut seen = Seen::new();
    let mut limits = SearchLimits { records: MAX_RECORDS, bytes: MAX_BYTES, until: Instant::now() + LONGEST_LOOK };
    for number in (first..partitions).chain(0..first) {
        if limits.records == 0 || limits.bytes == 0 || Instant::now() >= limits.until {
            break;
        }
        let search = Search { partition: Partition(number), times: times.clone(), through: None };
        let mut spent = (0, 0);
        log.search(&search, &limits, &mut |record| {
            spent = (spent.0 + 1, spent.1 + record.lines.len() as u64);
            seen.look(record);
            ControlFlow::Continue(())
        })?;
        limits.records = limits.records.saturating_sub(spent.0);
        limits.bytes = limits.bytes.saturating_sub(spent.1);
    }
    Ok(seen)
}

/// Of each target the certificate that expires first: where several servers answer for it, each may have its own.
struct Seen {
    member: Finder<'static>,
    by_target: HashMap<String, ExpiringCertificate>,
}

/// What of an event tells of its certificate.
#[derive(Deserialize)]
struct Explained {
    evidence: ExplainedEvidence,
}

#[derive(Deserialize)]
struct ExplainedEvidence {
    certificate_expires_s: i64,
    #[serde(default)]
    certificate_issuer: Option<String>,
}

impl Seen {
    fn new() -> Self {
        Self { member: Finder::new(b"\"certificate_expires_s\""), by_target: HashMap::new() }
    }

    fn look(&mut self, record: FoundRecord<'_>) {
        for line in record.lines.split(|byte| *byte == b'\n') {
            if self.member.find(line).is_some()
                && let Some(certificate) = certificate_in(line)
            {
                self.note(certificate);
            }
        }
    }

    fn note(&mut self, certificate: ExpiringCertificate) {
        let has_room = self.by_target.len() < MAX_TARGETS;
        match self.by_target.get_mut(&certificate.target) {
            Some(known) if known.expires_at <= certificate.expires_at => {}
            Some(known) => *known = certificate,
            None if has_room => _ = self.by_target.insert(certificate.target.clone(), certificate),
            None => {}
        }
    }
}

/// None where the line is no event, or says nothing that could be an expiry.
fn certificate_in(line: &[u8]) -> Option<ExpiringCertificate> {
    let event = Event::parse(line).ok()?;
    let Explained { evidence } = serde_json::from_slice(line).ok()?;
    let issuer = evidence.certificate_issuer.map(|mut issuer| {
        issuer.truncate(issuer.floor_char_boundary(MAX_ISSUER_BYTES));
        issuer
    });
    Some(ExpiringCertificate {
        target: event.target.into_owned(),
        client_id: event.client_id.into_owned(),
        issuer,
        expires_at: evidence.certificate_expires_s.checked_mul(1_000)?,
        seen_at: event.ts.ms(),
    })
}

/// The certificates that expire soon, by target.
#[derive(Default)]
struct Known(BTreeMap<String, ExpiringCertificate>);

impl Known {
    /// Takes in what a look has seen: what was renewed is no longer told of.
    fn take(&mut self, seen: Seen, now_ms: i64) {
        for (target, certificate) in seen.by_target {
            if certificate.expires_at.saturating_sub(now_ms) >= EXPIRES_SOON_MS {
                self.0.remove(&target);
            } else if self.0.len() < MAX_KNOWN || self.0.contains_key(&target) {
                self.0.insert(target, certificate);
            }
        }
        self.0.retain(|_, certificate| now_ms.saturating_sub(certificate.seen_at) <= KEPT_MS);
    }

    fn listed(&self) -> Vec<ExpiringCertificate> {
        self.0.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use netqoe_eventlog::{EventLog, SqliteLog, SqliteLogOptions};
    use tempfile::TempDir;

    use super::*;

    const NOW_MS: i64 = 1_765_000_000_000;
    const DAY_S: i64 = 86_400;

    /// An event whose certificate has so many days left.
    fn event(client_id: &str, target: &str, days: i64) -> String {
        let expires_s = NOW_MS / 1_000 + days * DAY_S;
        format!(
            r#"{{"event_id":"{target}{days}","client_id":"{client_id}","ts_ms":{NOW_MS},"target":"{target}","timing_measurements":{{}},"evidence":{{"certificate_expires_s":{expires_s},"certificate_issuer":"CN=An authority"}}}}"#
        )
    }

    /// The targets that are known, with their days, after looks that each saw these lines.
    fn known(looks: &[&[String]]) -> Vec<(String, i64)> {
        let mut known = Known::default();
        for lines in looks {
            let mut seen = Seen::new();
            let lines = lines.join("\n").into_bytes();
            seen.look(FoundRecord { position: Default::default(), log_time: LogTime::from_ms(NOW_MS), lines: &lines });
            known.take(seen, NOW_MS);
        }
        let days = |certificate: &ExpiringCertificate| (certificate.expires_at - NOW_MS).div_euclid(DAY_S * 1_000);
        known.listed().iter().map(|certificate| (certificate.target.clone(), days(certificate))).collect()
    }

    #[test]
    fn the_first_to_expire_of_a_look_counts_and_a_renewed_one_does_not() {
        let one = |target, days| event("c", target, days);
        let first = [one("a", 90), one("a", 3), one("a", 60), one("b", 13), one("c", 15), one("d", -2)];
        assert_eq!(known(&[&first]), [("a".to_owned(), 3), ("b".to_owned(), 13), ("d".to_owned(), -2)]);
        let renewed = [one("a", 90), one("b", 12)];
        assert_eq!(known(&[&first, &renewed]), [("b".to_owned(), 12), ("d".to_owned(), -2)]);
        assert_eq!(known(&[&first, &[]]).len(), 3, "what was not measured is as it was");
    }

    #[test]
    fn what_says_nothing_of_a_certificate_is_left_out() {
        let good = event("c", "t", 1);
        let expires = |text: &str| {
            let (before, after) = good.split_once("\"certificate_expires_s\":").unwrap();
            let (_, rest) = after.split_once(',').unwrap();
            format!("{before}\"certificate_expires_s\":{text},{rest}")
        };
        let lines = [
            expires("\"soon\""),
            expires("null"),
            expires("9223372036854775807"),
            expires("1e99"),
            good.replace("\"client_id\":\"c\"", "\"client_id\":7"),
            good.replace("evidence", "other"),
            good[1..].to_owned(),
        ];
        for line in lines {
            assert_eq!(known(&[std::slice::from_ref(&line)]), [], "{line}");
        }
    }

    #[test]
    fn what_others_send_takes_bounded_memory() {
        let many: Vec<_> = (0..MAX_KNOWN + 10).map(|number| event("c", &format!("t{number}"), 1)).collect();
        assert_eq!(known(&[&many]).len(), MAX_KNOWN);
        let long = event("c", "t", 1).replace("CN=An authority", &"é".repeat(10_000));
        let issuer = certificate_in(long.as_bytes()).unwrap().issuer.unwrap();
        assert_eq!(issuer.len(), MAX_ISSUER_BYTES);
    }

    #[test]
    fn all_partitions_of_a_log_are_looked_at() {
        let folder = TempDir::new().unwrap();
        let options = SqliteLogOptions::new(Arc::new(|| LogTime::from_ms(NOW_MS)), Arc::default());
        let log = SqliteLog::open(&folder.path().join("netqoe.db"), options).unwrap();
        let partitions = log.identity().partitions.get();
        let record = |number: u16, log_time_ms: i64| {
            let line = event("c", &format!("{number} at {log_time_ms}"), 1).into_bytes();
            (LogTime::from_ms(log_time_ms), vec![(Partition(number), line)])
        };
        let times = [NOW_MS - 2, NOW_MS - 1, NOW_MS];
        let records = times.iter().flat_map(|at| (0..partitions).map(move |number| record(number, *at)));
        block_on(log.import(records)).unwrap();
        let range = LogTime::from_ms(NOW_MS - 1)..LogTime::from_ms(NOW_MS);
        let seen = look(&log, &range, partitions - 1).unwrap();
        assert_eq!(seen.by_target.len(), usize::from(partitions));
        assert!(seen.by_target.keys().all(|target| target.ends_with(&format!("at {}", NOW_MS - 1))));
    }
}
