//! `netqoe notify`, and what sends notifications in `up` and `aggregate`.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use netqoe_model::metrics::Metrics;
use netqoe_model::{Generation, Rules};
use netqoe_notify::{
    Notifier, NotifyConfig, NotifyConfigError, Policy, Postman, Receiver, ReceiverConfig, Route, test_receivers,
};
use netqoe_pipeline::Patience;
use netqoe_sinks::outbox::OutboxCounts;
use netqoe_sinks::{Outbox, StoreUrl, WriteTurn};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tokio::runtime::{Builder, Handle};

use super::data_file;
use crate::clock::now_ms;
use crate::exit::WrongUsage;
use crate::options::{NotifyCommand, NotifyListOptions};
use crate::output;

/// Receivers with their secrets, and the routes to them.
pub(super) struct Receivers {
    receivers: Vec<Arc<Receiver>>,
    routes: Vec<Route>,
}

impl Receivers {
    /// Reads the secrets of all receivers; `None` where there is no receiver.
    pub(super) fn open(config: &NotifyConfig) -> Result<Option<Self>, NotifyConfigError> {
        if config.receivers.is_empty() {
            return Ok(None);
        }
        let opened = config.receivers.iter().map(|receiver| Receiver::open(receiver).map(Arc::new));
        Ok(Some(Self { receivers: opened.collect::<Result<_, _>>()?, routes: config.routes.clone() }))
    }

    /// What sends to them what this generation finds.
    pub(super) fn notifier(
        self,
        outbox: Box<dyn Outbox>,
        generation: Generation,
        rules: &Rules,
        metrics: &Metrics,
        runtime: Handle,
    ) -> Notifier {
        let policies = self.receivers.iter().map(|receiver| Policy::from(&**receiver)).collect();
        let mut rng = StdRng::from_rng(&mut rand::rng());
        let random = Box::new(move || rng.random::<f64>());
        let (routes, metrics) = (self.routes, metrics.clone());
        let postman = Postman::new(outbox, generation, policies, routes, rules.window_ms, metrics, random);
        Notifier::new(postman, self.receivers, now_ms, runtime)
    }
}

pub(crate) fn run(command: &NotifyCommand, config: &NotifyConfig) -> anyhow::Result<()> {
    match command {
        NotifyCommand::Test { receiver } => test(receiver, config),
        NotifyCommand::List(options) => list(options, config),
    }
}

/// A receiver did not take its test message. Which one and why is said before.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {tested} receivers did not take the test message")]
struct Untold {
    failed: usize,
    tested: usize,
}

fn test(names: &[String], config: &NotifyConfig) -> anyhow::Result<()> {
    let chosen = chosen(names, config)?;
    let opened: Vec<Receiver> = chosen.into_iter().map(Receiver::open).collect::<Result<_, _>>()?;
    let runtime = Builder::new_current_thread().enable_all().build().context("can't start sending")?;
    let outcomes = runtime.block_on(test_receivers(&opened, now_ms()));
    let mut failed = 0;
    for (receiver, outcome) in opened.iter().zip(&outcomes) {
        let (name, kind, place) = (&receiver.name, receiver.kind, receiver.place());
        match outcome.error() {
            None => output::line(format_args!("{name} ({kind}): delivered to {place}"))?,
            Some(error) => {
                failed += 1;
                output::line(format_args!("{name} ({kind}): failed: {error}"))?;
            }
        }
    }
    if failed > 0 { Err(Untold { failed, tested: opened.len() }.into()) } else { Ok(()) }
}

/// The receivers with these names, or all.
fn chosen<'a>(names: &[String], config: &'a NotifyConfig) -> Result<Vec<&'a ReceiverConfig>, WrongUsage> {
    let known: BTreeSet<&str> = config.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    if known.is_empty() {
        let what = "the configuration has no receivers; add [[notify.receiver]] to netqoe.toml, or name another file with --config";
        return Err(WrongUsage(what.to_owned()));
    }
    if let Some(unknown) = names.iter().find(|name| !known.contains(name.as_str())) {
        let known: Vec<&str> = known.into_iter().collect();
        return Err(WrongUsage(format!("there is no receiver `{unknown}`; there are {}", known.join(", "))));
    }
    let is_chosen = |receiver: &&ReceiverConfig| names.is_empty() || names.contains(&receiver.name);
    Ok(config.receivers.iter().filter(is_chosen).collect())
}

fn list(options: &NotifyListOptions, config: &NotifyConfig) -> anyhow::Result<()> {
    let store = options.database_url.clone().unwrap_or_else(|| StoreUrl::Sqlite(data_file(&options.data)));
    if let StoreUrl::Sqlite(path) = &store
        && !path.exists()
    {
        let what = format!(
            "there is no data file {}; name its folder with --data, or a store with --database-url",
            path.display()
        );
        return Err(WrongUsage(what).into());
    }
    let connect = || store.connect_outbox(&options.database.postgres(), WriteTurn::default());
    let counted = Patience::OfACommand.insist(|| connect()?.counts())?;
    // Those that nothing was to be told yet are shown too.
    let unmentioned = config.receivers.iter().map(|receiver| receiver.name.as_str());
    let unmentioned = unmentioned.filter(|name| counted.iter().all(|counts| counts.receiver != *name));
    let empty = unmentioned.map(|name| OutboxCounts { receiver: name.to_owned(), ..OutboxCounts::default() });
    for counts in counted.iter().cloned().chain(empty) {
        let kind = config.receivers.iter().find(|receiver| receiver.name == counts.receiver);
        output::line(json!({
            "receiver": counts.receiver,
            "kind": kind.map(|receiver| receiver.kind().as_str()),
            "waiting": counts.waiting,
            "oldest_waiting_ms": counts.oldest_waiting_ms,
            "delivered": counts.delivered,
            "given_up": counts.given_up,
            "last_error": counts.last_error,
        }))?;
    }
    Ok(())
}
