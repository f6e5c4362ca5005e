//! What was measured, by the probe and by curl.

use std::process::Command;

use anyhow::{Context, ensure};
use netqoe_model::{Event, EventTime, Metric, from_thousandths};
use netqoe_probe::Measurement;

/// One measurement: ms by phase, and Mbit/s; absent is what there was not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sample(pub(crate) [Option<f64>; 5]);

impl Sample {
    pub(crate) fn of(&self, metric: Metric) -> Option<f64> {
        self.0[metric as usize]
    }

    /// What the pipeline will read of a measurement.
    pub(crate) fn of_probe(measurement: &Measurement) -> anyhow::Result<Self> {
        ensure!(measurement.failure.is_none(), "{measurement:?}");
        let event = measurement.to_event("truth", "truth", EventTime::from_ms(1));
        let event = Event::parse(event.as_bytes())?;
        Ok(Self(event.samples.map(|sample| sample.map(from_thousandths))))
    }

    /// From curl's own times. `curl` runs it where the link is near; the object is fetched apart, as the probe does.
    pub(crate) fn of_curl(
        curl: impl Fn() -> Command,
        ca_file: &str,
        page: &str,
        object: Option<&str>,
    ) -> anyhow::Result<Self> {
        let [lookup, connected, encrypted, ready, first_byte, ..] = times(curl(), ca_file, page)?;
        let is_https = page.starts_with("https");
        let ms = |from: f64, to: f64| Some((to - from) * 1000.0);
        let throughput = match object {
            None => None,
            Some(object) => {
                let [.., first_byte, last_byte, bytes] = times(curl(), ca_file, object)?;
                Some(bytes * 8.0 / 1e6 / (last_byte - first_byte))
            }
        };
        let tls = if is_https { ms(connected, encrypted) } else { None };
        Ok(Self([ms(0.0, lookup), ms(lookup, connected), tls, ms(ready, first_byte), throughput]))
    }

    /// Where the handshake of TLS has begun with the first packet.
    #[cfg(feature = "http3")]
    pub(crate) fn over_quic(self) -> Self {
        let Self([lookup, connected, encrypted, first_byte, throughput]) = self;
        let handshake = connected.zip(encrypted).map(|(connected, encrypted)| connected + encrypted);
        Self([lookup, None, handshake, first_byte, throughput])
    }
}

/// The seconds at which curl was through with the lookup, the connection, TLS, the preparation of the request, the
/// first byte and the last, and the bytes of the body.
fn times(mut curl: Command, ca_file: &str, url: &str) -> anyhow::Result<[f64; 7]> {
    let format = "%{time_namelookup} %{time_connect} %{time_appconnect} %{time_pretransfer} %{time_starttransfer} \
                  %{time_total} %{size_download}";
    curl.args(["--silent", "--show-error", "--output", "/dev/null", "--cacert", ca_file, "--write-out", format, url]);
    let done = curl.output().context("can't run curl")?;
    ensure!(done.status.success(), "curl {url}: {}", String::from_utf8_lossy(&done.stderr));
    let numbers: Result<Vec<f64>, _> = str::from_utf8(&done.stdout)?.split(' ').map(str::parse).collect();
    numbers?.try_into().ok().context("curl writes seven numbers")
}

/// The best of several samples: a busy machine makes a measurement worse, and never better.
pub(crate) fn best(samples: &[Sample], metric: Metric) -> Option<f64> {
    let values = samples.iter().filter_map(|sample| sample.of(metric));
    if metric == Metric::Throughput { values.reduce(f64::max) } else { values.reduce(f64::min) }
}
