//! `netqoe bench probe`: what a hundred measurements a second take of a core and of memory, beside blackbox_exporter.
//!
//! All programs measure the same pages of this process, plain ones and then over TLS, one program after the other. netqoe is measured as it runs, on its
//! own schedule, and asked from outside, which is the only way that blackbox_exporter works.

mod asking;
mod certificate;
mod pages;
mod program;

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};

use self::asking::Asking;
use self::certificate::Certificate;
use self::pages::Pages;
use self::program::Program;
use crate::options::BenchProbeOptions;
use crate::output;
use crate::threads::request_threads;

/// Measurements a second.
const RATE: u32 = 100;
/// Pages that are measured in turn, each every so often as the probe's shortest interval allows.
const PAGES: u32 = 10;
/// Until what is done once is done, and memory is what it will be.
const WARM_UP: Duration = Duration::from_secs(3);
/// Debian's name of it.
const BLACKBOX_EXPORTER: &str = "prometheus-blackbox-exporter";
/// What blackbox_exporter does with a page, and nothing besides.
const BLACKBOX_MODULES: &str = "modules:\n  http_2xx:\n    prober: http\n    http:\n      preferred_ip_protocol: ip4\n";

const HEADING: &str = "| measured | pages | measurements a second | share of a core | CPU ms a measurement | peak memory |\n\
    | --- | --- | --- | --- | --- | --- |";

pub(crate) fn run(options: &BenchProbeOptions) -> anyhow::Result<()> {
    let duration = Duration::from_secs(options.seconds.get().into());
    request_threads()?.block_on(bench(duration))
}

async fn bench(duration: Duration) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    let certificate = Certificate::make(Pages::ADDRESS, folder.path())?;
    let modules = folder.path().join("blackbox.yml");
    let text = BLACKBOX_MODULES.to_owned() + &format!("      tls_config:\n        ca_file: {:?}\n", certificate.file());
    std::fs::write(&modules, text).context("can't write blackbox_exporter's configuration")?;
    output::line(HEADING)?;
    for tls in [None, Some(certificate.acceptor())] {
        let pages = Pages::serve(PAGES, tls).await?;
        compare(&pages, certificate.file(), &modules, duration).await?;
    }
    Ok(output::caution_of_debug_build()?)
}

/// Measures each program while it measures the same pages, with a certificate that this file says to trust.
async fn compare(pages: &Pages, trusted: &Path, modules: &Path, duration: Duration) -> anyhow::Result<()> {
    let mut scheduled = netqoe(trusted)?;
    let interval_ms = 1000 * PAGES / RATE;
    scheduled.args(["--interval", &format!("{interval_ms}ms"), "--target", &pages.urls().join(",")]);
    measure("netqoe probe, on its schedule", Program::start(scheduled)?, None, pages, duration).await?;

    let mut asked = netqoe(trusted)?;
    let address = program::free_address()?;
    asked.args(["--metrics-listen", &address.to_string()]);
    let asking = Asking::new(address, pages);
    measure("netqoe probe, asked by /probe", Program::start(asked)?, Some(asking), pages, duration).await?;

    let address = program::free_address()?;
    let mut blackbox = Command::new(BLACKBOX_EXPORTER);
    blackbox.arg(format!("--web.listen-address={address}")).arg(format!("--config.file={}", modules.display()));
    match Program::start(blackbox) {
        Ok(program) => {
            let asking = Asking::new(address, pages);
            measure("blackbox_exporter, asked by /probe", program, Some(asking), pages, duration).await
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            output::line("| blackbox_exporter | not installed: `cargo xtask bench probe` does it | | | | |")?;
            Ok(())
        }
        Err(error) => Err(error).with_context(|| format!("can't start {BLACKBOX_EXPORTER}")),
    }
}

/// A probe that measures pages, and nothing besides.
fn netqoe(trusted: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("can't find this program")?);
    command.args(["probe", "--throughput-url", "off", "--concurrency", &RATE.to_string()]);
    command.env("SSL_CERT_FILE", trusted);
    Ok(command)
}

/// Lets the program measure for the time of a warm-up, and then for as long as is measured; prints a line of the table.
async fn measure(
    what: &str,
    program: Program,
    asking: Option<Asking>,
    pages: &Pages,
    duration: Duration,
) -> anyhow::Result<()> {
    let asking = match asking {
        Some(asking) => Some(asking.start(f64::from(RATE), WARM_UP + duration).await?),
        None => None,
    };
    pages.wait_for_one().await?;
    sleep(WARM_UP).await;
    let (began, served, cpu_seconds) = (Instant::now(), pages.served(), program.cpu_seconds()?);
    sleep(duration).await;
    let seconds = began.elapsed().as_secs_f64();
    let (served, cpu_seconds) = ((pages.served() - served) as f64, program.cpu_seconds()? - cpu_seconds);
    let peak_memory_mb = program.peak_memory_bytes()? as f64 / 1e6;
    if let Some(asking) = asking {
        asking.finish().await?;
    }
    ensure!(served > 0.0, "{what} measured nothing for {seconds:.1} s");
    let (rate, share, cpu_ms) = (served / seconds, 100.0 * cpu_seconds / seconds, 1000.0 * cpu_seconds / served);
    output::line(format_args!(
        "| {what} | {} | {rate:.1} | {share:.1} % | {cpu_ms:.2} | {peak_memory_mb:.0} MB |",
        pages.scheme()
    ))?;
    Ok(())
}
