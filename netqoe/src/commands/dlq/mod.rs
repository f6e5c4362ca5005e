//! `netqoe dlq`: what could not be counted, and what becomes of it.

mod store;
mod stream;

pub(super) use store::letters_of;

use crate::options::DlqCommand;

pub(crate) fn run(command: &DlqCommand) -> anyhow::Result<()> {
    let (DlqCommand::List { letters: options, .. }
    | DlqCommand::Show { letters: options, .. }
    | DlqCommand::Replay { letters: options, .. }
    | DlqCommand::Purge { letters: options, .. }) = command;
    match &options.data {
        Some(data) if !options.nats.is_given() => store::run(command, data),
        _ => stream::run(command, options),
    }
}
