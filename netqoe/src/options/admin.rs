//! Where an operator asks a running server for something.

use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct AdminOptions {
    /// Port on this machine for admin routes: what is logged (`/admin/log-level`), reading the configuration again (`POST /-/reload`, as
    /// SIGHUP does), and showing all open windows at once (`POST /admin/flush`, as SIGUSR1 does); by default there is none
    #[arg(long, env = "NETQOE_ADMIN_PORT", value_name = "PORT")]
    pub(crate) admin_port: Option<u16>,

    /// Profiles on the admin port, in pprof's format: of the CPU (`/debug/pprof/profile?seconds=30`) and, if netqoe is built with
    /// `--features heap-profile`, of the heap (`/debug/pprof/heap`)
    #[arg(long, env = "NETQOE_PPROF")]
    pub(crate) pprof: bool,
}
