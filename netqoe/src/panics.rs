//! A panic ends the process: a lost worker's peers would wait for it for ever.

use std::panic::PanicHookInfo;
use std::time::Duration;

use crate::exit::GROUP_LOST;

/// How timely's messages begin where a connection to another process breaks.
const LOST_CONNECTION: &str = "timely communication error:";

/// How long the pulse, which knows more, may take to say why a process is lost.
const PULSE_FIRST: Duration = Duration::from_millis(500);

/// From now on a panic in any thread ends the process. Where timely lost its connection to another process, that is
/// said in one line, unless the pulse says it first.
pub(crate) fn end_the_process() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if let Some(message) = message(panic).filter(|message| message.starts_with(LOST_CONNECTION)) {
            tracing::debug!("{message}");
            std::thread::sleep(PULSE_FIRST);
            crate::output::complain_of(
                "another process of the cluster is lost: its connection broke; start all of them again",
            );
            std::process::exit(GROUP_LOST.into());
        }
        report(panic);
        std::process::abort();
    }));
}

fn message<'a>(panic: &'a PanicHookInfo<'_>) -> Option<&'a str> {
    let payload = panic.payload();
    payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied())
}
