//! `netqoe bench`, in a build that is without its benches.

use clap::Args;

/// Whatever is asked for, the answer is how to get it.
#[derive(Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct NoBench {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub(crate) words: Vec<String>,
}
