//! The default client id of a probe.

use std::io;

/// Where Linux tells the host name.
const HOST_NAME_FILE: &str = "/proc/sys/kernel/hostname";

/// Why the host name can't be used.
#[derive(Debug, thiserror::Error)]
pub enum HostNameError {
    /// The system does not tell it.
    #[error("the host name can't be read from {HOST_NAME_FILE}: {0}; give the probe a client id")]
    Unreadable(#[from] io::Error),
    /// The machine has none.
    #[error("this machine has no host name; give the probe a client id")]
    Empty,
}

/// This machine's host name: the default `client_id` of a probe.
///
/// # Errors
/// [`HostNameError`], if the system has none to tell (elsewhere than on Linux, as a rule).
pub fn host_name() -> Result<String, HostNameError> {
    let name = std::fs::read_to_string(HOST_NAME_FILE)?;
    match name.trim() {
        "" => Err(HostNameError::Empty),
        name => Ok(name.to_owned()),
    }
}
