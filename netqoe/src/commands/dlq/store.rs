//! The letters in the data file of `up`. They can be listed, shown and deleted while it runs; to replay them, the log must be
//! this process's own.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use netqoe_eventlog::{SqliteLog, SqliteLogOptions};
use netqoe_model::LogTime;
use netqoe_pipeline::StoreLetters;
use netqoe_sinks::{LetterExcerpt, LetterKey, SqliteDeadLetters, WriteTurn};
use serde_json::json;

use crate::clock::now_ms;
use crate::commands::data_file;
use crate::commands::runtime::request_threads;
use crate::options::{DlqCommand, LetterChoice, LetterName};
use crate::output;

/// Letters that are looked at together.
const PAGE: usize = 100;

pub(super) fn run(command: &DlqCommand, data: &Path) -> anyhow::Result<()> {
    let path = data_file(data);
    ensure!(path.is_file(), "there is no {}; give the folder of `netqoe up` as --data", path.display());
    let write_turn = WriteTurn::default();
    let letters = SqliteDeadLetters::open(&path, Arc::clone(&write_turn))?;
    match command {
        DlqCommand::List { limit, after, .. } => list(&letters, *limit, after.map(LetterName::of_store).transpose()?),
        DlqCommand::Show { position, .. } => show(&letters, position.of_store()?),
        DlqCommand::Replay { choice, .. } => {
            let log =
                SqliteLog::open(&path, SqliteLogOptions::new(Arc::new(|| LogTime::from_ms(now_ms())), write_turn))?;
            let chosen = chosen(&letters, choice)?;
            let letters = letters_of(letters, log.clone(), data);
            replay(&letters, &chosen)?;
            log.close();
            Ok(())
        }
        DlqCommand::Purge { choice, .. } => purge(&letters, choice),
    }
}

/// The letters of this data folder, which go back into its log.
pub(crate) fn letters_of(letters: SqliteDeadLetters, log: SqliteLog, data: &Path) -> StoreLetters {
    let how_to_replay = format!("netqoe dlq replay --data {} ID (while netqoe up is stopped)", data.display());
    StoreLetters::new(letters, log, how_to_replay, now_ms)
}

/// One JSON object a line, newest first.
fn list(letters: &SqliteDeadLetters, limit: usize, after: Option<LetterKey>) -> anyhow::Result<()> {
    let place = match after {
        Some(key) => Some((letters.get(key)?.with_context(|| is_missing(key))?.log_time, key)),
        None => None,
    };
    for letter in letters.page(place, limit, 0)? {
        let LetterExcerpt { key, log_time, reason, bytes, .. } = letter;
        output::line(
            json!({ "position": key.to_string(), "reason": reason, "log_time_ms": log_time.ms(), "bytes": bytes }),
        )?;
    }
    Ok(())
}

fn is_missing(key: LetterKey) -> String {
    format!("there is no dead letter {key}; see `netqoe dlq list --data DIR`")
}

/// Why it could not be counted on standard error, its original bytes on standard output.
fn show(letters: &SqliteDeadLetters, key: LetterKey) -> anyhow::Result<()> {
    let letter = letters.get(key)?.with_context(|| is_missing(key))?;
    output::complain(
        json!({ "position": key.to_string(), "reason": letter.reason, "log_time_ms": letter.log_time.ms() }),
    );
    output::original(&letter.original)
}

fn replay(letters: &StoreLetters, chosen: &[LetterKey]) -> anyhow::Result<()> {
    let mut replayed = 0;
    request_threads()?.block_on(async {
        for &key in chosen {
            replayed += u64::from(letters.append_and_remove(key).await?);
        }
        anyhow::Ok(())
    })?;
    output::line(json!({ "replayed": replayed }))?;
    Ok(())
}

fn purge(letters: &SqliteDeadLetters, choice: &LetterChoice) -> anyhow::Result<()> {
    let mut purged = if choice.all { letters.remove_all()? } else { 0 };
    for position in &choice.positions {
        purged += u64::from(letters.remove(position.of_store()?)?);
    }
    output::line(json!({ "purged": purged }))?;
    Ok(())
}

/// The letters that are named, or all that are there now.
fn chosen(letters: &SqliteDeadLetters, choice: &LetterChoice) -> anyhow::Result<Vec<LetterKey>> {
    if !choice.all {
        return choice.positions.iter().map(|position| Ok(position.of_store()?)).collect();
    }
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = letters.page(after, PAGE, 0)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some((last.log_time, last.key));
        all.extend(page.iter().map(|letter| letter.key));
    }
}
