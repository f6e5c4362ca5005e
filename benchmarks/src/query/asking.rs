//! Asks each route over HTTP on loopback, one question after the other, each with other parameters.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use netqoe_model::Rules;
use netqoe_model::metrics::Metrics;
use netqoe_query::{LiveFeed, QueryApi};
use netqoe_server::ServerLimits;
use netqoe_sinks::read::Reader;
use tokio_util::sync::CancellationToken;

use super::fleet::Fleet;
use crate::output;
use crate::poster::Poster;

/// The page's default range, and a long one.
const HOURS: [i64; 2] = [1, 24];
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// No two questions of a route end in the same minute, until so many have been asked.
const DISTINCT_ENDS: usize = 600;

/// How soon 95 of 100 questions are to be answered, in milliseconds.
const BUDGET_P95_MS: f64 = 50.0;

const HEADING: &str = "| question | range | p50 ms | p95 ms | p99 ms | max ms | bytes |\n\
    | --- | --- | --- | --- | --- | --- | --- |";

/// Makes a question from its number and its range.
type Question = fn(&Fleet, usize, [i64; 2]) -> String;

/// What the page asks.
const QUESTIONS: [(&str, Question); 8] = [
    ("overview", |_, _, [from, to]| format!("overview?from={from}&to={to}")),
    ("matrix", |_, _, [from, to]| format!("matrix?from={from}&to={to}")),
    ("timeline", |_, _, [from, to]| format!("timeline?from={from}&to={to}")),
    ("series of a pair", |fleet, nth, [from, to]| {
        let (client, target) = fleet.names(nth);
        format!("series?client_id={client}&target={target}&from={from}&to={to}")
    }),
    ("compare, of a target", |fleet, nth, [from, to]| {
        format!("compare?target={}&from={from}&to={to}", fleet.names(nth).1)
    }),
    ("compare, of a client", |fleet, nth, [from, to]| {
        format!("compare?client_id={}&from={from}&to={to}", fleet.names(nth).0)
    }),
    ("different, degraded", |_, _, [from, to]| {
        format!("different?from={from}&to={to}&inside_from={}&inside_to={to}", to - (to - from) / 4)
    }),
    ("different, of a target, by TTFB", |fleet, nth, [from, to]| {
        let (target, inside) = (fleet.names(nth).1, to - (to - from) / 4);
        format!(
            "different?target={target}&from={from}&to={to}&inside_from={inside}&inside_to={to}&metric=ttfb_p95&min=60"
        )
    }),
];

pub(super) async fn measure(reader: Arc<dyn Reader>, fleet: &Fleet, questions: usize) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).context("can't listen")?;
    let address = listener.local_addr().context("can't tell the port that is listened on")?;
    let (routes, _) = QueryApi::new(reader, &Rules::default(), LiveFeed::new(Metrics::new()), stop.clone()).router();
    let serving = stop.clone();
    let served =
        tokio::spawn(async move { netqoe_server::serve(listener, routes, &ServerLimits::default(), serving).await });
    let mut poster = Poster::connect(address).await?;
    output::line(HEADING)?;
    let mut p95s_ms = Vec::new();
    for (name, question) in QUESTIONS {
        for hours in HOURS {
            let asked = (0..questions).map(|nth| {
                let to = fleet.end_ms - (nth % DISTINCT_ENDS) as i64 * MINUTE_MS;
                question(fleet, nth, [to - hours * HOUR_MS, to])
            });
            let Asked { mut times, bytes } = ask(&mut poster, asked).await?;
            times.sort_unstable();
            let at = |share: f64| times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1];
            let ms = [0.5, 0.95, 0.99, 1.0].map(|share| at(share).as_secs_f64() * 1000.0);
            output::line(format_args!(
                "| {name} | {hours} h | {} | {bytes} |",
                ms.map(|ms| format!("{ms:.1}")).join(" | ")
            ))?;
            p95s_ms.push((format!("{name}, {hours} h"), ms[1]));
        }
    }
    output::line(format_args!("\n{}", verdict(&p95s_ms)))?;
    stop.cancel();
    served.await.context("the server was given up")?.context("can't go on serving")
}

/// A line for each question that is over its budget; one line where none is.
fn verdict(p95s_ms: &[(String, f64)]) -> String {
    let over = p95s_ms.iter().filter(|(_, p95_ms)| *p95_ms >= BUDGET_P95_MS);
    let over = over.map(|(question, p95_ms)| format!("Over {BUDGET_P95_MS} ms p95: {question}, {p95_ms:.1} ms"));
    let over: Vec<_> = over.collect();
    if over.is_empty() { format!("All questions are under {BUDGET_P95_MS} ms p95.") } else { over.join("\n") }
}

struct Asked {
    times: Vec<Duration>,
    /// Of the longest answer.
    bytes: usize,
}

async fn ask(poster: &mut Poster, questions: impl Iterator<Item = String>) -> anyhow::Result<Asked> {
    let mut asked = Asked { times: Vec::new(), bytes: 0 };
    for question in questions {
        let began = Instant::now();
        let answer = poster.get(&format!("/api/v1/{question}")).await?;
        asked.times.push(began.elapsed());
        let says = String::from_utf8_lossy(&answer.body);
        ensure!(answer.status.is_success(), "{question} was answered with {}: {says}", answer.status);
        asked.bytes = asked.bytes.max(answer.body.len());
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_names_what_is_over_its_budget() {
        let of = |p95s: &[(&str, f64)]| {
            verdict(&p95s.iter().map(|(name, ms)| ((*name).to_owned(), *ms)).collect::<Vec<_>>())
        };
        assert_eq!(of(&[("matrix, 1 h", 13.0), ("overview, 1 h", 49.9)]), "All questions are under 50 ms p95.");
        let two = of(&[("compare, 24 h", 59.14), ("matrix, 1 h", 13.0), ("different, 24 h", 50.0)]);
        assert_eq!(two, "Over 50 ms p95: compare, 24 h, 59.1 ms\nOver 50 ms p95: different, 24 h, 50.0 ms");
    }
}
