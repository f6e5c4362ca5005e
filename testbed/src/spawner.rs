//! Starts servers so that none outlives this process, however it ends.

use std::io;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

type Request = (Command, Sender<io::Result<Child>>);

/// Starts a command on a thread that lives as long as the process. A server asks for a signal at the death of its
/// parent, which for the kernel is the thread that started it.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    static REQUESTS: OnceLock<Sender<Request>> = OnceLock::new();
    let requests = REQUESTS.get_or_init(|| {
        let (requests, incoming) = channel::<Request>();
        thread::spawn(move || {
            for (mut command, answer) in incoming {
                // Who asked waits for the answer below.
                drop(answer.send(command.spawn()));
            }
        });
        requests
    });
    let (answer, answered) = channel();
    let gone = || io::Error::other("the thread that starts servers is gone");
    requests.send((command, answer)).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}
