//! `cargo xtask cluster-demo`: a whole cluster on loopback, a load, a crash in the middle of it, and the lag that goes back
//! to zero.

mod processes;
mod watched;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{anyhow, bail};
use netqoe_simulator::{FaultKind, Load};
use netqoe_testbed::{NatsOptions, NatsServer, Nginx, Postgres, free_port};

use self::processes::Processes;
use self::watched::{Watched, show};
use crate::child::{build, stopped_by_signals};

/// 20 clients with ten targets each.
const PAIRS: u64 = 200;
/// Events of a post, and between two posts: 1,000 events a second.
const BATCH: u64 = 100;
const POST_EVERY: Duration = Duration::from_millis(100);
/// When the first target gets slow: its pairs are judged after ten of the demo's windows, which last a second.
const FAULT_AT: Duration = Duration::from_secs(12);
/// When one process of the aggregate is killed, when all are started again, and when the load ends.
const CRASH_AT: Duration = Duration::from_secs(8);
const RESTART_AT: Duration = Duration::from_secs(13);
const LOAD_ENDS_AT: Duration = Duration::from_secs(22);
/// How long everything else may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const EVERY: Duration = Duration::from_secs(1);

/// Shows it, and stops all that it has started.
pub(crate) fn run() -> anyhow::Result<()> {
    let stopped = stopped_by_signals()?;
    netqoe_testbed::install_missing()?;
    let program = build(&stopped)?;
    let monitoring = free_port()?;
    let configuration = format!("http: \"127.0.0.1:{monitoring}\"\n");
    let nats = NatsServer::start_with(&NatsOptions { configuration, ..NatsOptions::default() })?;
    println!("nats-server       {}, http://127.0.0.1:{monitoring}/jsz?consumers=true", nats.url());
    let postgres = Postgres::start()?;
    println!("PostgreSQL        {}", postgres.url());
    let mut processes = Processes::new(program, nats.url(), postgres.url())?;
    let nginx = Nginx::start(&processes.start_ingests(&stopped)?)?;
    println!("nginx             {}", nginx.url());
    processes.start_aggregate(&stopped)?;
    println!();
    let load = Posting::start(nginx.url());
    let watched = Watched { monitoring, aggregate: processes.queries() };
    let told = story(&mut processes, &load, &watched, &stopped);
    let accepted = load.end()?;
    told?;
    caught_up(&watched, accepted, &stopped)?;
    show(&watched.aggregate)?;
    processes.stop()?;
    println!("\nall that was started is stopped");
    Ok(())
}

/// Load, crash and restart, with the lag each second.
fn story(processes: &mut Processes, load: &Posting, watched: &Watched, stopped: &AtomicBool) -> anyhow::Result<()> {
    println!("{:>4} {:>10} {:>10}", "s", "accepted", "lag");
    let (began, mut crashed, mut restarted) = (Instant::now(), false, false);
    while began.elapsed() < LOAD_ENDS_AT {
        if stopped.load(Ordering::SeqCst) {
            bail!("stopped");
        }
        let lag = watched.lag()?;
        println!("{:>4} {:>10} {:>10}", began.elapsed().as_secs(), load.accepted(), shown(lag));
        if began.elapsed() >= CRASH_AT && !crashed {
            crashed = true;
            println!("     kill -9 of process 1 of the aggregate");
            let code = processes.crash()?;
            println!("     process 0 follows with exit code {code}; requests are still taken, and the lag grows");
        }
        if began.elapsed() >= RESTART_AT && !restarted {
            restarted = true;
            println!("     both are started again");
            processes.start_aggregate(stopped)?;
        }
        sleep(EVERY);
    }
    Ok(())
}

/// Waits until everything that was accepted is in rows.
fn caught_up(watched: &Watched, accepted: u64, stopped: &AtomicBool) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if stopped.load(Ordering::SeqCst) {
            bail!("stopped");
        }
        let lag = watched.lag()?;
        println!("  +{:>2} {accepted:>9} {:>10}", began.elapsed().as_secs(), shown(lag));
        if lag == Some(0) {
            return Ok(());
        }
        sleep(EVERY);
    }
    bail!("the lag is not back at zero after {PATIENCE:?}")
}

/// A lag as text.
fn shown(lag: Option<u64>) -> String {
    lag.map_or("unknown".to_owned(), |lag| lag.to_string())
}

/// The load, on a thread of its own.
struct Posting {
    accepted: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Posting {
    fn start(url: String) -> Self {
        let (accepted, ended) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let thread = std::thread::spawn({
            let (accepted, ended) = (Arc::clone(&accepted), Arc::clone(&ended));
            move || post(&url, &accepted, &ended)
        });
        Self { accepted, ended, thread }
    }

    fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// How many events were accepted in all.
    fn end(self) -> anyhow::Result<u64> {
        self.ended.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| anyhow!("posting panicked"))??;
        Ok(self.accepted.load(Ordering::SeqCst))
    }
}

fn post(url: &str, accepted: &AtomicU64, ended: &AtomicBool) -> anyhow::Result<()> {
    let (agent, url, began) = (ureq::Agent::new_with_defaults(), format!("{url}/api/v1/events"), Instant::now());
    let run = u64::try_from(now_ms()?).unwrap_or(0);
    let mut first = 0;
    while !ended.load(Ordering::SeqCst) {
        let fault = (began.elapsed() >= FAULT_AT).then_some(FaultKind::Server);
        let load = Load { fault, ..Load::healthy(run, PAIRS) };
        let ts_ms = now_ms()?;
        let events: Vec<_> = (first..first + BATCH).map(|number| load.event(number, ts_ms)).collect();
        agent.post(&url).content_type("application/x-ndjson").send(events.join("\n"))?;
        accepted.fetch_add(BATCH, Ordering::SeqCst);
        first += BATCH;
        sleep(POST_EVERY);
    }
    Ok(())
}

fn now_ms() -> anyhow::Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
