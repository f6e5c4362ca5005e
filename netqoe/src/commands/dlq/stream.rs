//! The letters in a stream of NATS JetStream.

use anyhow::{Context, ensure};
use netqoe_eventlog::{DeadLetters, LetterOrder, StoredLetter};
use netqoe_model::Position;
use serde_json::json;

use crate::commands::runtime::request_threads;
use crate::options::{DlqCommand, DlqOptions, LetterChoice, LetterName};
use crate::output;

/// Letters that are looked at together.
const PAGE: usize = 100;

pub(super) fn run(command: &DlqCommand, options: &DlqOptions) -> anyhow::Result<()> {
    let log = options.nats.find()?;
    request_threads()?.block_on(async {
        let letters = log.find_dead_letters(options.dead_letters.stream()).await?;
        match command {
            DlqCommand::List { limit, after, .. } => {
                list(&letters, *limit, after.map(LetterName::of_stream).transpose()?).await
            }
            DlqCommand::Show { position, .. } => show(&letters, position.of_stream()?).await,
            DlqCommand::Replay { choice, .. } => replay(&letters, choice).await,
            DlqCommand::Purge { choice, .. } => purge(&letters, choice).await,
        }
    })
}

/// One JSON object a line, newest first.
async fn list(letters: &DeadLetters, limit: usize, after: Option<Position>) -> anyhow::Result<()> {
    for letter in letters.list(LetterOrder::NewestFirst, after, limit).await? {
        output::line(summary(&letter))?;
    }
    Ok(())
}

fn summary(letter: &StoredLetter) -> serde_json::Value {
    json!({
        "position": letter.position.0, "stored_ms": letter.stored.ms(), "reason": letter.reason,
        "origin_subject": letter.origin_subject, "origin_sequence": letter.origin.0, "origin_line": letter.origin_line,
        "log_time_ms": letter.log_time.ms(), "bytes": letter.original.len(), "is_cut": letter.is_cut,
    })
}

/// What is known of it on standard error, its original bytes on standard output.
async fn show(letters: &DeadLetters, position: Position) -> anyhow::Result<()> {
    let letter = letters.get(position).await?;
    let letter = letter.with_context(|| format!("there is no dead letter {}; see `netqoe dlq list`", position.0))?;
    output::complain(summary(&letter));
    output::original(&letter.original)
}

async fn replay(letters: &DeadLetters, choice: &LetterChoice) -> anyhow::Result<()> {
    let mut replayed = 0;
    for position in chosen(letters, choice).await? {
        replayed += u64::from(letters.replay(position).await?);
    }
    output::line(json!({ "replayed": replayed }))?;
    Ok(())
}

async fn purge(letters: &DeadLetters, choice: &LetterChoice) -> anyhow::Result<()> {
    let mut purged = 0;
    if choice.all {
        purged = letters.purge_all().await?;
    }
    for position in &choice.positions {
        purged += u64::from(letters.purge(position.of_stream()?).await?);
    }
    output::line(json!({ "purged": purged }))?;
    Ok(())
}

/// The positions that are named, or of all letters that are there now: one that comes back is not taken again.
async fn chosen(letters: &DeadLetters, choice: &LetterChoice) -> anyhow::Result<Vec<Position>> {
    if !choice.all {
        ensure!(!choice.positions.is_empty(), "no dead letter is named; give their positions, or --all");
        return choice.positions.iter().map(|position| Ok(position.of_stream()?)).collect();
    }
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = letters.list(LetterOrder::OldestFirst, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(last.position);
        all.extend(page.iter().map(|letter| letter.position));
    }
}
