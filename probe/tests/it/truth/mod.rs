//! The probe across a link of which every property is known, and beside curl: each phase is what was configured.
//!
//! Decision: D-035.

mod far_side;
#[cfg(feature = "http3")]
mod http3;
mod samples;
mod windows;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use far_side::{FarSide, Server, THINKING};
use netqoe_model::{DiagnosisRules, Metric};
use netqoe_probe::{Measurement, NameServers, Settings, ThroughputObject, measure};
use netqoe_testbed::{Conditions, SlowLink};
use samples::{Sample, best};

/// What is usual: a short way. Without one a handshake takes some tenths of a millisecond, and its packets' own time on a
/// slow line doubles that, which would be the diagnosis.
const USUAL: Conditions = Conditions { delay: Duration::from_millis(2), rate_mbps: None, loss: 0.0 };
const USUAL_ROUND_TRIP_MS: f64 = 4.0;
const DELAY: Duration = Duration::from_millis(40);
const ROUND_TRIP_MS: f64 = 80.0;
const DNS_THINKING: Duration = Duration::from_millis(60);
const RATE_MBPS: f64 = 10.0;
/// 10 Mbit/s of packets are so many of bytes: of 1500, 52 are heads.
const GOODPUT_MBPS: f64 = RATE_MBPS * 1448.0 / 1500.0;
const LOSS: f64 = 0.1;

const SLOW_DNS: &[(Metric, f64)] = &[(Metric::Dns, DNS_THINKING.as_millis() as f64 + USUAL_ROUND_TRIP_MS)];
const SLOW_SERVER: &[(Metric, f64)] = &[(Metric::Ttfb, THINKING.as_millis() as f64 + USUAL_ROUND_TRIP_MS)];

/// Samples of a window.
const WINDOW: usize = 4;
/// Windows that are measured before a figure or a label is said to be wrong: on a busy machine, any single one may
/// look worse than the link is. A quiet one needs one or two.
const WINDOWS: usize = 40;
const TOLERANCE_MS: f64 = 2.0;
const TOLERANCE: f64 = 0.05;

/// One fault at a time.
struct Fault {
    name: &'static str,
    conditions: Conditions,
    dns_thinking: Duration,
    server: Server,
    /// What must be measured.
    configured: &'static [(Metric, f64)],
    label: &'static str,
}

impl Fault {
    fn none() -> Self {
        Self {
            name: "none",
            conditions: USUAL,
            dns_thinking: Duration::ZERO,
            server: Server::Plain,
            configured: &[],
            label: "healthy",
        }
    }
}

fn faults() -> Vec<Fault> {
    let delayed = Conditions { delay: DELAY, ..USUAL };
    let round_trips = &[(Metric::Dns, ROUND_TRIP_MS), (Metric::Tcp, ROUND_TRIP_MS), (Metric::Ttfb, ROUND_TRIP_MS)];
    let with_tls = &[
        (Metric::Dns, ROUND_TRIP_MS),
        (Metric::Tcp, ROUND_TRIP_MS),
        (Metric::Tls, ROUND_TRIP_MS),
        (Metric::Ttfb, ROUND_TRIP_MS),
    ];
    let shaped = Conditions { rate_mbps: Some(RATE_MBPS), ..USUAL };
    vec![
        Fault::none(),
        Fault { name: "none, with TLS", server: Server::Encrypted, ..Fault::none() },
        Fault {
            name: "40 ms each way",
            conditions: delayed,
            configured: round_trips,
            label: "handshake-bound",
            ..Fault::none()
        },
        Fault {
            name: "40 ms each way, with TLS",
            conditions: delayed,
            server: Server::Encrypted,
            configured: with_tls,
            label: "handshake-bound",
            ..Fault::none()
        },
        Fault {
            name: "DNS after 60 ms",
            dns_thinking: DNS_THINKING,
            configured: SLOW_DNS,
            label: "dns-bound",
            ..Fault::none()
        },
        Fault {
            name: "server thinks 120 ms",
            server: Server::Thinking,
            configured: SLOW_SERVER,
            label: "server-bound",
            ..Fault::none()
        },
        Fault {
            name: "10 Mbit/s",
            conditions: shaped,
            configured: &[(Metric::Throughput, GOODPUT_MBPS)],
            label: "throughput-bound",
            ..Fault::none()
        },
    ]
}

/// The link, what stands on its far side, and who measures on its near side.
struct Stage {
    link: SlowLink,
    far: FarSide,
    ca_file: tempfile::NamedTempFile,
}

impl Stage {
    fn new() -> anyhow::Result<Self> {
        let link = SlowLink::start(7)?;
        let far = FarSide::start(&link)?;
        let ca_file = tempfile::NamedTempFile::new()?;
        std::fs::write(&ca_file, &far.ca_pem)?;
        Ok(Self { link, far, ca_file })
    }

    fn measure(&self, url: &str, throughput: Option<ThroughputObject>) -> anyhow::Result<Measurement> {
        let settings = Settings {
            name_servers: NameServers::At(vec![self.far.dns.address]),
            roots: Arc::clone(&self.far.roots),
            throughput,
            #[cfg(feature = "http3")]
            http3: self.far.speaks_http3(url),
            ..Settings::default()
        };
        let target = url.parse()?;
        let near = self.link.near.run(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(measure(&target, &settings))
        })?;
        near.join().ok().context("the measurement panicked")?
    }

    /// A window of the probe's, and as many samples of curl's, where it can be asked.
    fn window(&self, server: Server) -> anyhow::Result<(Vec<Sample>, Vec<Sample>)> {
        let (mut probe, mut curl) = (Vec::new(), Vec::new());
        let (page, object) = (self.far.url(server, "/"), self.far.url(server, "/fixed/1mb.bin"));
        for _ in 0..WINDOW {
            probe.push(Sample::of_probe(&self.measure(&page, Some(ThroughputObject::OfTarget))?)?);
            curl.extend(self.curl(&page, &object)?);
        }
        Ok((probe, curl))
    }

    fn curl(&self, page: &str, object: &str) -> anyhow::Result<Option<Sample>> {
        let ca_file = self.ca_file.path().to_str().context("a temporary file has a plain name")?;
        #[cfg(feature = "http3")]
        if self.far.speaks_http3(page) {
            return http3::curl(self, ca_file, page, object);
        }
        Ok(Some(Sample::of_curl(|| self.link.near.command("curl"), ca_file, page, Some(object))?))
    }
}

/// The first of the faults of its server has none: it is what is usual there.
fn check(stage: &Stage, fault: &Fault, usual: &mut [Vec<Sample>; 2]) -> anyhow::Result<()> {
    stage.link.set(fault.conditions);
    stage.far.dns.think_for(fault.dns_thinking);
    let usual = &mut usual[usize::from(matches!(fault.server, Server::Encrypted))];
    let (mut probe, mut curl, mut label) = (Vec::new(), Vec::new(), "none");
    for _ in 0..WINDOWS {
        let (window, beside) = stage.window(fault.server)?;
        if usual.is_empty() {
            usual.clone_from(&window);
        }
        label = if label == fault.label { label } else { windows::label(usual, &window, DiagnosisRules::default()) };
        probe.extend(window);
        curl.extend(beside);
        if label == fault.label && fault.configured.iter().all(|figure| is_true(*figure, &probe, &curl)) {
            break;
        }
    }
    print(fault, &probe, &curl, label);
    anyhow::ensure!(label == fault.label, "{}: {label} and not {}", fault.name, fault.label);
    for figure in fault.configured {
        anyhow::ensure!(is_true(*figure, &probe, &curl), "{}: {figure:?}, see the table", fault.name);
    }
    Ok(())
}

#[track_caller]
fn check_all(stage: &Stage, faults: &[Fault]) {
    println!("{:<26} {:<10} {:>10} {:>10} {:>10}  diagnosis", "fault", "phase", "configured", "probe", "curl");
    let mut usual = [Vec::new(), Vec::new()];
    let failed: Vec<_> = faults.iter().filter_map(|fault| check(stage, fault, &mut usual).err()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Whether the best sample is what was configured, and no better than can be. A busy machine makes handshakes longer for every
/// program on it: where curl, in the same moments, needs longer than what was configured, the probe may need as long.
fn is_true((metric, configured): (Metric, f64), probe: &[Sample], curl: &[Sample]) -> bool {
    let Some(probed) = best(probe, metric) else { return false };
    let allowed = best(curl, metric).map_or((configured, configured), |curled| {
        if metric == Metric::Throughput {
            (curled.min(configured), configured)
        } else {
            (configured, curled.max(configured))
        }
    });
    is_close(probed, probed.clamp(allowed.0, allowed.1))
}

/// Whether a figure is the expected one, but for what a system takes for itself.
fn is_close(measured: f64, expected: f64) -> bool {
    (measured - expected).abs() <= (expected * TOLERANCE).max(TOLERANCE_MS)
}

fn print(fault: &Fault, probe: &[Sample], curl: &[Sample], label: &str) {
    let text = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    for metric in Metric::ALL {
        let configured = fault.configured.iter().find(|(configured, _)| *configured == metric).map(|(_, value)| *value);
        println!(
            "{:<26} {:<10} {:>10} {:>10} {:>10}  {label}",
            fault.name,
            metric.as_str(),
            text(configured),
            text(best(probe, metric)),
            text(best(curl, metric)),
        );
    }
}

/// Whether the test must be left out, and why.
fn is_skipped() -> bool {
    let reason = SlowLink::why_not();
    if let Some(reason) = &reason {
        eprintln!("skipped, for there can be no slow link here: {reason}");
    }
    reason.is_some()
}

#[test]
fn each_phase_is_what_was_configured_and_what_curl_measures() {
    if is_skipped() {
        return;
    }
    check_all(&Stage::new().unwrap(), &faults());
}

#[test]
fn loss_is_counted_and_shows_in_the_handshake() {
    if is_skipped() {
        return;
    }
    let stage = Stage::new().unwrap();
    let echo = format!("icmp://{}", SlowLink::FAR);
    // By its address: a lookup loses packets too, waits five seconds for each as any program does, and would be what is named.
    let page = stage.far.url_by_address();
    let sample = || Sample::of_probe(&stage.measure(&page, None).unwrap()).unwrap();
    let usual: Vec<_> = (0..WINDOW).map(|_| sample()).collect();

    stage.link.set(Conditions { loss: LOSS, ..Conditions::default() });
    let mut lost = 0;
    for _ in 0..3 {
        let before = stage.link.dropped();
        let echoes = stage.measure(&echo, None).unwrap().evidence.echoes.unwrap();
        assert_eq!(u64::from(echoes.sent - echoes.received), stage.link.dropped() - before, "{echoes:?}");
        lost += echoes.sent - echoes.received;
    }
    assert!(lost > 0, "with this seed some of 60 packets are lost");

    // With every packet as likely to be lost as any other, some handshake is hit before long. It shows in the p95, which
    // `classic` looks at; `steady` names what most measurements suffer from.
    let mut window = Vec::new();
    let mut label = "none";
    while window.len() < 10 * WINDOW && label != "handshake-bound" {
        window.push(sample());
        label = windows::label(&usual, &window, DiagnosisRules::classic());
    }
    println!("{:<26} {} of 30 echoes lost, {label} after {} measurements", "10 % loss", lost, window.len());
    assert_eq!(label, "handshake-bound", "{window:?}");
}
