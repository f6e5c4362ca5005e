//! `netqoe bench insight`: how often rules are right about a fleet of which the truth is known.
//!
//! Each seed is a simulated fleet (`netqoe_simulator::simulation`), once with faults and once without. What each pair
//! measures becomes rows as in the pipeline, late measurements left out, and the rules judge these one after the other.
//! All rules judge the same rows. A window of a pair is
//!
//! - *faulty* where a fault that a person notices lasts for all of it: at least one phase is × 1.6 worse, or 60 % of the
//!   measurements fail. Its label is right where it names such a phase. Where several faults overlap, each has its label;
//! - *clean* where no fault touches it or the two windows before;
//! - else neither: partly in a fault, in one that nobody notices, or just after one.
//!
//! A label that had some reason in a window or the two before (another fault has just come or gone) is neither right
//! nor wrong. A fault's minutes and its delay are counted from the first window that lies wholly in it, for each pair;
//! each time of a flapping fault is one. The delay counts windows in which something was measured; 0 is the first. A run
//! is windows with the same label, up to two that are healthy or empty between them; it is right where one of its windows is.
//!
//! With `--incidents`, the looks at these pairs are folded into incidents as well: see [`incidents`].
//!
//! The figures follow from the seeds alone, not from the machine or the number of its cores.

mod following;
mod incidents;
mod judging;
mod label_runs;
mod rows;
mod score;
mod tables;
#[cfg(test)]
mod tests;

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use netqoe_model::{Rules, WindowStart};
use netqoe_simulator::simulation::{Configuration, Pair, Simulation, Stretch, Tails};

use self::following::Following;
use self::incidents::IncidentScore;
use self::judging::{NamedRules, PairJudge};
use self::rows::Rows;
use self::score::{Kind, Score};
use crate::options::BenchInsightOptions;
use crate::output;
use crate::product::{Product, WrongUsage};

/// Shortest and longest fault.
const FAULT_MS: std::ops::RangeInclusive<i64> = 60_000..=86_400_000;
const MOST_NOISE: f64 = 10.0;
const MOST_FAULTS_AN_HOUR: f64 = 100.0;

pub(crate) fn run(options: &BenchInsightOptions, product: &Product) -> anyhow::Result<()> {
    let rules = options.rules.iter().map(|name| NamedRules::read(name, product)).collect::<Result<Vec<_>, _>>()?;
    for &per_minute in &options.per_minute {
        let runs = runs(options, per_minute)?;
        let began = Instant::now();
        for (rules, score) in rules.iter().zip(measure(&runs, &rules)?) {
            output::line(format_args!("## {}, {per_minute} a minute, seeds {:?}\n", rules.name, options.seeds))?;
            output::line(tables::tables(&score))?;
        }
        if options.incidents {
            print_incidents(&runs, &rules, options, per_minute)?;
        }
        tracing::info!("{} runs in {:.1} s", runs.len(), began.elapsed().as_secs_f64());
    }
    Ok(())
}

fn print_incidents(
    runs: &[(Kind, Configuration)],
    rules: &[NamedRules],
    options: &BenchInsightOptions,
    per_minute: NonZeroU32,
) -> anyhow::Result<()> {
    let seeds = &options.seeds;
    for rules in rules {
        let scores = on_all_cores(runs, |(kind, configuration), score: &mut IncidentScore| {
            incidents::follow_run(*kind, configuration.clone(), rules.rules(), options.late_share, score);
        })?;
        let mut sum = IncidentScore::default();
        scores.iter().for_each(|score| sum.add(score));
        output::line(format_args!("## Incidents, {}, {per_minute} a minute, seeds {seeds:?}\n", rules.name))?;
        output::line(incidents::tables(&sum))?;
    }
    Ok(())
}

/// Two runs of each seed.
fn runs(options: &BenchInsightOptions, per_minute: NonZeroU32) -> Result<Vec<(Kind, Configuration)>, WrongUsage> {
    let (shortest_fault_ms, longest_fault_ms) = (ms(options.shortest_fault), ms(options.longest_fault));
    let is_length = |length_ms| FAULT_MS.contains(length_ms);
    if ![shortest_fault_ms, longest_fault_ms].iter().all(is_length) || shortest_fault_ms > longest_fault_ms {
        return Err(WrongUsage("faults last from 1m to 24h, the shortest no longer than the longest".to_owned()));
    }
    if !(0.0..=MOST_NOISE).contains(&options.noise) {
        return Err(WrongUsage(format!("the noise is a number from 0 to {MOST_NOISE}")));
    }
    if !(0.0..=MOST_FAULTS_AN_HOUR).contains(&options.faults_an_hour) {
        return Err(WrongUsage(format!("there are from 0 to {MOST_FAULTS_AN_HOUR} faults an hour")));
    }
    let common = Configuration {
        clients: options.clients.get(),
        targets: options.targets.get(),
        hours: options.hours.get(),
        per_minute: per_minute.get(),
        faults_an_hour: options.faults_an_hour,
        shortest_fault_ms,
        longest_fault_ms,
        noise: options.noise,
        tails: if options.heavy_tails { Tails::EachMetric } else { Tails::OneMetric },
        ..Configuration::default()
    };
    let of_seed = |seed| {
        let with_faults = Configuration { seed, ..common.clone() };
        let clean = Configuration { seed, faults_an_hour: 0.0, ..common.clone() };
        [(Kind::WithFaults, with_faults), (Kind::Clean, clean)]
    };
    Ok(options.seeds.clone().flat_map(of_seed).collect())
}

/// The score of each of the rules over all runs.
fn measure(runs: &[(Kind, Configuration)], rules: &[NamedRules]) -> anyhow::Result<Vec<Score>> {
    let scores = on_all_cores(runs, |(kind, configuration), scores: &mut Vec<Score>| {
        scores.resize(rules.len(), Score::default());
        follow_run(*kind, configuration.clone(), rules, scores);
    })?;
    let mut sums = vec![Score::default(); rules.len()];
    for scores in scores {
        sums.iter_mut().zip(&scores).for_each(|(sum, score)| sum.add(score));
    }
    Ok(sums)
}

/// Follows all runs, on all cores. Answers what each core has counted.
fn on_all_cores<S: Default + Send>(
    runs: &[(Kind, Configuration)],
    follow: impl Fn(&(Kind, Configuration), &mut S) + Sync,
) -> anyhow::Result<Vec<S>> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(runs.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut counted = S::default();
        while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            follow(run, &mut counted);
        }
        counted
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a thread panicked"))).collect()
    })
}

fn follow_run(kind: Kind, configuration: Configuration, rules: &[NamedRules], scores: &mut [Score]) {
    let simulation = Simulation::new(configuration);
    for pair in simulation.fleet().pairs() {
        follow_pair(&simulation, pair, kind, rules, scores);
    }
}

fn follow_pair(simulation: &Simulation, pair: Pair, kind: Kind, rules: &[NamedRules], scores: &mut [Score]) {
    let access = simulation.fleet().client(pair).access;
    let truth = simulation.truth(pair);
    // How rows come about is not what is compared.
    let pipeline = Rules::default();
    let mut rows = Rows::new(simulation.measurements(pair), &pipeline);
    let mut followed: Vec<_> = rules
        .iter()
        .zip(scores)
        .map(|(rules, score)| (PairJudge::new(rules), Following::new(score, kind, access)))
        .collect();
    let mut from_ms = simulation.run().from_ms;
    while from_ms < simulation.run().to_ms {
        let window = Stretch { from_ms, to_ms: from_ms + pipeline.window_ms };
        let (expectation, row) = (truth.during(window), rows.row(WindowStart::from_ms(from_ms)));
        for (judge, following) in &mut followed {
            following.window(&expectation, row.as_ref().map(|row| judge.judge(row)));
        }
        from_ms = window.to_ms;
    }
    followed.into_iter().for_each(|(_, following)| following.finish());
}

/// Whole milliseconds; a duration too long for them is as good as for ever.
fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
