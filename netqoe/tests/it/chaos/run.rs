//! A run: load and faults, then quiet, then the verdict.

use std::time::{Duration, Instant};

use crate::chaos::director::Director;
use crate::chaos::schedule::Schedule;
use crate::cluster_support::{Load, Verdict};
use crate::support::PATIENCE;

/// How long everything must have stood still, with something left to do, to be taken for stuck.
const STUCK_AFTER: Duration = PATIENCE;

/// Runs a schedule under the load of `seed`; `plant` is a fault that the processes are asked to have. Returns what must not
/// have happened.
pub(crate) fn run(seed: u64, schedule: Schedule, plant: Option<&str>) -> Vec<String> {
    let pooled = if schedule.pooled { ", through PgBouncer" } else { "" };
    println!("seed {seed}, {} faults planned, first {}{pooled}", schedule.faults.len(), schedule.first);
    // Where rows are corrected, what was told of incidents on the way is not compared. Corrections would mend some of what is planted.
    let corrects = !schedule.pooled && plant.is_none();
    let mut director = Director::new(schedule);
    if corrects {
        director.rig.correct();
    }
    director.rig.environment.extend(plant.map(|plant| ("NETQOE_PLANT", plant.to_owned())));
    let load = Load::start(seed, &director.cluster.ports(), &director.rig.nats.url());
    while !director.is_over() {
        director.step();
        if let Some(stuck) = director.stuck() {
            load.ask_to_stop();
            director.record.problem(stuck);
            return director.record.problems;
        }
    }
    director.record.say("all that was planned is over; the load ends");
    load.ask_to_stop();
    while !load.has_stopped() {
        director.step();
    }
    let sent = load.stop();
    settle(&mut director);
    director.cluster.stop(&mut director.record);
    let verdict = Verdict::of(&director.rig, director.audit.url(), &director.audit, &sent);

    director.record.problems.extend(verdict.problems);
    println!(
        "{} faults, {} answers to commits lost, in {:.0} s",
        director.record.faults,
        director.answers_lost(),
        director.record.elapsed().as_secs_f64()
    );
    println!(
        "{} events sent through ingest, {} requests sent again; {} messages published beside it, {} of them known by \
         their id; {} event ids acknowledged",
        sent.events,
        sent.retries,
        sent.published,
        sent.known_by_id,
        sent.acknowledged.len()
    );
    println!("{}; {} commits", verdict.figures, director.audit.commits().unwrap_or_default());
    director.record.conclude();
    director.record.problems.iter().for_each(|problem| println!("PROBLEM {problem}"));
    std::mem::take(&mut director.record.problems)
}

/// Waits until rows reflect all of the log and every window is closed, or nothing moves any more.
fn settle(director: &mut Director) {
    let lines = director.rig.lines();
    let (mut last, mut moved) = (None, Instant::now());
    loop {
        director.step();
        let audit = &director.audit;
        let now = (audit.lines_read(), audit.provisional_rows(), audit.waiting_corrections());
        let lag = director.cluster.working().and_then(|group| group.lag());
        if now.0.is_some_and(|read| read >= lines) && now.1 == Some(0) && now.2 == Some(0) && lag == Some(0) {
            return director.record.say("every window is closed, and nothing of the log or of what came late waits");
        }
        if last != Some(now) {
            (last, moved) = (Some(now), Instant::now());
        }
        if moved.elapsed() > STUCK_AFTER {
            let (read, provisional, late) = now;
            return director.record.problem(format!(
                "nothing moves any more: {read:?} of {lines} lines read, {provisional:?} rows provisional, {late:?} pairs with late events, \
                 {lag:?} records waiting"
            ));
        }
    }
}
