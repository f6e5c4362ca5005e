//! `netqoe bench insight`: figures of each of the rules, which follow from the seeds alone.

#![cfg(feature = "bench")]
#![allow(clippy::unwrap_used)] // nothing here but tests

mod support;

use support::netqoe;

fn bench() -> String {
    let arguments =
        "bench insight --seeds 1..2 --hours 3 --clients 4 --targets 2 --per-minute 2 --rules steady,classic";
    let output = netqoe().args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_figures_follow_from_the_seeds() {
    let figures = bench();
    let titles: Vec<_> = figures.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(titles, ["## steady, 2 a minute, seeds 1..=2", "## classic, 2 a minute, seeds 1..=2"]);
    let clean: Vec<_> = figures.lines().filter(|line| line.starts_with("| runs without faults |")).collect();
    let windows = |line: &str| line.split(" | ").nth(1).unwrap().parse::<u32>().unwrap();
    // Two runs of three hours of eight pairs, but for gaps.
    assert!((2000..=2880).contains(&windows(clean[0])), "{}", clean[0]);
    assert_eq!(windows(clean[0]), windows(clean[1]), "all rules judge the same windows");
    assert_ne!(clean[0], clean[1]);
    assert_eq!(figures, bench());
}
