//! `netqoe bench cluster`, at a rate that any machine keeps up with: that it comes to its end and leaves nothing behind.

use netqoe_testbed::Database;

use crate::jetstream::stage::{Stage, failed, succeeded};

/// What is measured, a line each.
const FIGURES: usize = 10;

/// The streams that are on the server.
fn streams(stage: &Stage) -> Vec<String> {
    use futures::TryStreamExt;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = async_nats::connect(stage.nats.url()).await.unwrap();
        async_nats::jetstream::new(client).stream_names().try_collect().await.unwrap()
    })
}

#[test]
fn a_cluster_is_measured_and_nothing_of_it_is_left() {
    let stage = Stage::new();
    let database = Database::fresh().unwrap();
    let options = ["--seconds", "1", "--rate", "200", "--database-url", database.url()];
    let table = succeeded(stage.run(&[&["bench", "cluster"], &options[..]].concat()));
    let figures: Vec<_> = table.lines().skip(2).collect();
    assert_eq!(figures.len(), FIGURES, "{table}");
    assert!(
        figures.iter().all(|line| line.starts_with("| ") && line.contains(|c: char| c.is_ascii_digit())),
        "{table}"
    );
    assert_eq!(streams(&stage), Vec::<String>::new());
}

#[test]
fn nothing_is_left_of_one_that_fails_either() {
    let stage = Stage::new();
    let nowhere = ["--database-url", "postgres://postgres@127.0.0.1:1/postgres"];
    failed(&stage.run(&[&["bench", "cluster"], &nowhere[..]].concat()), 1, "127.0.0.1:1");
    assert_eq!(streams(&stage), Vec::<String>::new());
}
