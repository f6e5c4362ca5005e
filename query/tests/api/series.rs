//! The chart of one pair.

use netqoe_dataflow::judge::{Judged, PairState};
use netqoe_model::{AggregateRow, Label, Metric, Percentiles, Rules, WindowRow};
use serde_json::{Value, json};

use crate::stores::{Kind, on_each_store};
use crate::support::*;

on_each_store!(
    a_window_is_a_point_as_long_as_they_are_few,
    a_point_of_several_windows_is_the_worst_of_them,
    what_is_usual_is_what_each_diagnosis_was_made_by,
    a_fault_does_not_move_what_is_usual,
    a_pair_without_rows_has_no_points,
);

fn question(from: i64, to: i64) -> String {
    format!("/api/v1/series?client_id=c&target=t&from={}&to={}", minute_ms(from), minute_ms(to))
}

async fn a_window_is_a_point_as_long_as_they_are_few(kind: Kind) {
    let api = Api::on(kind, &[row("c", "t", 0), row("c", "t", 2), row("c", "u", 1), row("d", "t", 1)]).await;
    let nothing = json!([null, null]);
    let usual = json!({"usual": nothing, "low": nothing, "high": nothing});
    let expected = json!({
        "window_ms": 60_000, "point_ms": 60_000, "latency": "maximum", "throughput": "minimum",
        "start": [minute_ms(0), minute_ms(2)], "windows": [1, 1], "count_total": [3, 3], "count_error": [1, 1],
        "errors": {"dns": [1, 1], "tcp": [0, 0], "tls": [0, 0], "http": [0, 0], "throughput": [0, 0]},
        "p50": {"dns": [15.3, 15.3], "tcp": [25.0, 25.0], "tls": nothing, "ttfb": [125.8, 125.8],
            "throughput": [95.4, 95.4]},
        "p95": {"dns": [15.301, 15.301], "tcp": [26.5, 26.5], "tls": nothing, "ttfb": [126.001, 126.001],
            "throughput": [96.0, 96.0]},
        "usual": {"dns": usual, "handshake": usual, "ttfb": usual, "total": usual, "throughput": usual},
        "labels": nothing, "severities": nothing, "is_final": [true, true], "corrected_at": nothing,
        "diagnoses": [],
    });
    assert_eq!(api.get(&question(0, 60)).await.body, expected);
    assert_eq!(api.get("/api/v1/series?client_id=c&target=t").await.body, expected, "the last hour is the default");
    assert_eq!(api.get(&question(1, 3)).await.body["start"], json!([minute_ms(2)]));
}

fn with(row: AggregateRow, metric: Metric, p50: u64, p95: u64) -> AggregateRow {
    let mut row = row;
    row.window.percentiles[metric as usize] = Some(Percentiles { p50, p95 });
    row
}

async fn a_point_of_several_windows_is_the_worst_of_them(kind: Kind) {
    let mut last = diagnosed(row("c", "t", 3), Label::ServerBound);
    last.window.is_final = false;
    last.window.errors = [0, 2, 0, 0, 0];
    let rows = [
        with(row("c", "t", 0), Metric::Ttfb, 300_000, 301_000),
        with(diagnosed(row("c", "t", 1), Label::DnsBound), Metric::Throughput, 50_000, 99_000),
        with(diagnosed(row("c", "t", 2), Label::Healthy), Metric::Tls, 7_000, 8_000),
        with(last, Metric::Throughput, 80_000, 81_000),
        row("c", "t", 70),
    ];
    let api = Api::on(kind, &rows).await;
    let body = api.get(&format!("{}&max_points=10", question(0, 100))).await.body;
    // START_MS is a whole multiple of ten minutes.
    assert_eq!((&body["point_ms"], &body["start"]), (&json!(600_000), &json!([minute_ms(0), minute_ms(70)])));
    assert_eq!((&body["windows"], &body["count_total"]), (&json!([4, 1]), &json!([13, 3])));
    assert_eq!(body["errors"]["dns"], json!([3, 1]));
    assert_eq!(body["errors"]["tcp"], json!([2, 0]));
    assert_eq!((&body["p50"]["ttfb"], &body["p95"]["ttfb"]), (&json!([300.0, 125.8]), &json!([301.0, 126.001])));
    assert_eq!((&body["p50"]["tls"], &body["p95"]["tls"]), (&json!([7.0, null]), &json!([8.0, null])));
    let throughput = (&body["p50"]["throughput"], &body["p95"]["throughput"]);
    assert_eq!(throughput, (&json!([50.0, 95.4]), &json!([81.0, 96.0])));
    assert_eq!((&body["labels"], &body["severities"]), (&json!(["dns-bound", null]), &json!(["major", null])));
    assert_eq!(body["is_final"], json!([false, true]));
    let diagnoses = body["diagnoses"].as_array().unwrap().iter().map(|found| found["label"].as_str().unwrap());
    assert_eq!(diagnoses.collect::<Vec<_>>(), ["server-bound", "dns-bound"], "newest first");
}

/// Two and a half days of a pair with faults of all kinds, windows without a success, gaps, and a day of silence.
fn windows() -> Vec<WindowRow> {
    let minutes = (0..400).chain(1_000..1_100).chain((1_100..2_000).step_by(20)).chain(3_441..3_500);
    let window = |minute: i64| {
        let mut window = row("c", "t", minute).window;
        let wave = minute.unsigned_abs() * 7919 % 101;
        let times = |period: i64, length: i64, factor| if minute % period < length { factor } else { 1 };
        let latency = |median: u64, times: u64| {
            let p95 = median * (950 + wave) / 1000 * times;
            Some(Percentiles { p50: p95 * 9 / 10, p95 })
        };
        window.errors = [0; 5];
        window.percentiles = [
            latency(9_000, times(97, 9, 40)),
            latency(20_000, times(83, 5, 3)),
            latency(30_000, 1),
            latency(90_000, times(71, 8, 4)),
            // Not every window has a throughput.
            latency(200_000, 1).filter(|_| minute % 3 != 0).map(|both| match times(61, 7, 0) {
                0 => Percentiles { p50: both.p50 / 3, p95: both.p95 / 3 },
                _ => both,
            }),
        ];
        if minute % 53 < 3 {
            window.count_success = 0;
            window.errors = [0, 0, 0, 2, 0];
            window.percentiles = [None; 5];
        }
        window
    };
    minutes.map(window).collect()
}

/// As the dataflow makes them of the whole history.
fn judged(windows: &[WindowRow]) -> Vec<AggregateRow> {
    let rules = Rules::default();
    let mut state = PairState::new(&rules.diagnosis);
    let judged = windows.iter().map(|window| {
        let Judged { diagnosis, ended_runs, pair_state, .. } = state.judge(window, &rules);
        AggregateRow { window: window.clone(), diagnosis, ended_runs, pair_state, ..row("c", "t", 0) }
    });
    judged.collect()
}

async fn what_is_usual_is_what_each_diagnosis_was_made_by(kind: Kind) {
    let api = Api::on(kind, &judged(&windows())).await;
    let mut compared = std::collections::BTreeMap::new();
    // Wherever a range begins, also where what is usual comes from before it, from within it, or lies too far back.
    for from in [-10, 1, 57, 250, 399, 405, 1_050, 1_990, 2_000, 3_441, 3_447, 3_499] {
        let series = api.get(&format!("{}&max_points=2000", question(from, from + 1_000))).await.body;
        let starts = series["start"].as_array().unwrap();
        for found in diagnoses(&api, from, from + 1_000).await {
            let place = starts.iter().position(|start| *start == found["window_start_ts"]).unwrap();
            let label = found["label"].as_str().unwrap().to_owned();
            assert_eq!(series["labels"][place], found["label"]);
            assert_eq!(series["severities"][place], found["severity"]);
            let evidence = &found["evidence"];
            if label != "error-bound" {
                let usual = &series["usual"][evidence["stage"].as_str().unwrap()];
                let band = ["usual", "low", "high"].map(|column| &usual[column][place]);
                assert_eq!(band, ["usual", "usual_low", "usual_high"].map(|figure| &evidence[figure]), "{found}");
            }
            *compared.entry(label).or_insert(0) += 1;
        }
    }
    assert_eq!(compared.len(), 5, "a fault of every kind was compared: {compared:?}");
    assert!(compared.values().all(|&times| times > 10), "{compared:?}");
}

async fn diagnoses(api: &Api, from: i64, to: i64) -> Vec<Value> {
    let question = format!("/api/v1/diagnoses?limit=1000&from={}&to={}", minute_ms(from), minute_ms(to));
    api.get(&question).await.items().to_vec()
}

#[tokio::test]
async fn what_is_usual_is_null_where_nothing_is_compared() {
    let api = Api::with(&judged(&windows()));
    let body = api.get(&format!("{}&max_points=2000", question(0, 400))).await.body;
    for column in ["usual", "low", "high"] {
        let ttfb = body["usual"]["ttfb"][column].as_array().unwrap();
        // Three windows without a success, and the ten that come first.
        let is_known: Vec<_> = ttfb.iter().map(|value| !value.is_null()).collect();
        assert_eq!(is_known, (0..400).map(|minute| minute >= 13).collect::<Vec<_>>(), "{column}");
        assert!(body["usual"]["total"][column].as_array().unwrap().iter().all(Value::is_null), "{column}");
    }
}

/// An hour as usual, four times as slow for so many minutes, and some as usual again.
fn fault(minutes: i64) -> Vec<AggregateRow> {
    let window = |minute| {
        let times = if (60..60 + minutes).contains(&minute) { 4 } else { 1 };
        let ttfb = (90_000 + minute.unsigned_abs() * 7919 % 101 * 100) * times;
        with(row("c", "t", minute), Metric::Ttfb, ttfb, ttfb * 105 / 100).window
    };
    judged(&(0..80 + minutes).map(window).collect::<Vec<_>>())
}

async fn a_fault_does_not_move_what_is_usual(kind: Kind) {
    for minutes in [30, 200] {
        let (rows, end) = (fault(minutes), 60 + minutes);
        let api = Api::on(kind, &rows).await;
        // Also where a chart begins so late in the fault that no row before it that may be read is as usual.
        for from in [0, 61, end - 5, end + 2] {
            let body = api.get(&format!("{}&max_points=2000", question(from, end + 20))).await.body;
            let columns = ["usual", "low", "high"].map(|column| body["usual"]["ttfb"][column].as_array().unwrap());
            for (place, minute) in (from..end + 20).enumerate().filter(|(_, minute)| *minute >= 60) {
                let [usual, low, high] = columns.map(|column| column[place].as_f64().unwrap());
                assert!(
                    90.0 <= low && low <= usual && usual <= high && high <= 105.0,
                    "{minute}: {low} {usual} {high}"
                );
                // Two windows name it: from its second on, and to the first after it.
                let label = &body["labels"][place];
                assert_eq!(*label == "server-bound", (61..=end).contains(&minute), "{minute}: {label}");
            }
        }
    }
}

#[tokio::test]
async fn without_stored_states_the_rows_before_a_chart_tell_what_is_usual() {
    let mut rows = fault(30);
    rows.iter_mut().for_each(|row| row.pair_state = None);
    let api = Api::with(&rows);
    let usual = async |from: i64| api.get(&question(from, 110)).await.body["usual"]["ttfb"].clone();
    let (whole, late) = (usual(0).await, usual(100).await);
    for column in ["usual", "low", "high"] {
        assert_eq!(whole[column].as_array().unwrap()[100..], *late[column].as_array().unwrap(), "{column}");
    }
}

async fn a_pair_without_rows_has_no_points(kind: Kind) {
    let api = Api::on(kind, &[row("c", "t", 0)]).await;
    for question in [
        "/api/v1/series?client_id=c&target=u",
        "/api/v1/series?client_id=c&target=%27%20OR%201%3D1--",
        "/api/v1/series?client_id=%00&target=%F0%9F%98%80",
        "/api/v1/series?client_id=c&target=t&from=-9223372036854775808&to=-1",
        "/api/v1/series?client_id=c&target=t&from=9223372036854775807",
        "/api/v1/series?client_id=c&target=t&from=2000000000000&to=9223372036854775807",
        "/api/v1/series?client_id=c&target=t&from=5&to=4",
    ] {
        let answer = api.get(question).await;
        assert_eq!((answer.status, &answer.body["start"]), (200, &json!([])), "{question}");
    }
    let all = "/api/v1/series?client_id=c&target=t&from=-9223372036854775808&to=9223372036854775807";
    assert_eq!(api.get(all).await.body["count_total"], json!([3]));
}

#[tokio::test]
async fn diagnoses_are_listed_up_to_a_number() {
    let rows: Vec<_> = (0..600).map(|minute| diagnosed(row("c", "t", minute), Label::DnsBound)).collect();
    let body = Api::with(&rows).get(&question(0, 600)).await.body;
    let listed = body["diagnoses"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[0]["window_start_ts"]), (500, &json!(minute_ms(599))));
    assert!(body["labels"].as_array().unwrap().iter().all(|label| label == "dns-bound"), "all points have theirs");
}
