//! What systemd is told of this process where its unit says `Type=notify` and `WatchdogSec=`. Without systemd nothing is told.
//!
//! Decision: D-102.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::runtime::Handle;
use tokio::time::MissedTickBehavior;
use tokio_util::task::AbortOnDropHandle;

/// How often a process looks at itself within the time after which systemd takes it for dead.
const LOOKS: u32 = 4;
/// No watchdog is so impatient; a pause of nothing would be none.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// A reload before the start is over must not say that it is.
static IS_READY: AtomicBool = AtomicBool::new(false);

/// The process works: it takes requests, and what it runs for is under way.
pub(crate) fn ready() {
    IS_READY.store(true, Ordering::SeqCst);
    tell(&[NotifyState::Ready]);
}

/// The process was asked to stop, and drains.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Tells that `reload` is under way, and then that it is over, whatever came of it: the process works as before then.
pub(crate) fn reloading<T>(reload: impl FnOnce() -> T) -> T {
    if !IS_READY.load(Ordering::SeqCst) {
        return reload();
    }
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!("systemd is not told of a reload: {error}"),
    }
    let reloaded = reload();
    tell(&[NotifyState::Ready]);
    reloaded
}

/// Tells that the process lives for as long as this runtime comes to it and `wrong` finds nothing, until the handle is dropped.
/// None where no watchdog waits for it.
pub(crate) fn watch(
    runtime: &Handle,
    wrong: impl FnMut() -> Option<String> + Send + 'static,
) -> Option<AbortOnDropHandle<()>> {
    let longest = sd_notify::watchdog_enabled()?;
    let pause = (longest / LOOKS).max(SHORTEST_PAUSE);
    Some(AbortOnDropHandle::new(runtime.spawn(watch_every(pause, wrong))))
}

async fn watch_every(pause: Duration, mut wrong: impl FnMut() -> Option<String>) {
    let mut interval = tokio::time::interval(pause);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_wrong = false;
    loop {
        interval.tick().await;
        let Some(what) = wrong() else {
            let recovered = std::mem::take(&mut was_wrong).then_some(NotifyState::Status(""));
            let told: Vec<_> = std::iter::once(NotifyState::Watchdog).chain(recovered).collect();
            tell(&told);
            continue;
        };
        if !std::mem::replace(&mut was_wrong, true) {
            tracing::error!("{what}; the watchdog is told nothing until that is over");
        }
        tell(&[NotifyState::Status(&what)]);
    }
}

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::warn!("systemd can't be told how this process is: {error}");
    }
}
