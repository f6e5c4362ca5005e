//! Incidents and what people say of them, silence, and the sentence that an overview begins with.

use netqoe_model::{AggregateRow, Label, LogTime, Severity};
use serde_json::{Value, json};

use crate::document::check;
use crate::fleet::members;
use crate::support::*;

const INCIDENTS: &str = "/api/v1/incidents";
const MAINTENANCE: &str = "/api/v1/maintenance";

/// What of an incident matters to a test.
struct Told<'a> {
    id: &'a str,
    dimension: &'a str,
    value: &'a str,
    state: &'a str,
    /// Minutes.
    opened: i64,
    last: i64,
    severity: &'a str,
    now: [u32; 2],
}

/// Open since minute 2, of a target.
const OF_TARGET: Told<'_> = Told {
    id: "00000000000000aa",
    dimension: "target",
    value: r#"["t"]"#,
    state: "open",
    opened: 2,
    last: 8,
    severity: "major",
    now: [12, 2],
};

fn tell(api: &Api, told: &Told<'_>) {
    let Told { id, dimension, value, state, opened, last, severity, now: [degraded, healthy] } = told;
    let [opened, last, end] = [*opened, *last, last + 1].map(minute_ms);
    let (closed, because) = match *state {
        "open" => ("NULL".to_owned(), "NULL"),
        "closed" => (end.to_string(), "NULL"),
        _ => (end.to_string(), "'its evidence is gone'"),
    };
    api.execute(&format!(
        "INSERT INTO incidents VALUES ('{id}', 'server-bound', '{dimension}', '{value}', '{state}', {because}, {opened},
         {opened} + 1, {opened} + 2, {last}, {closed}, '{severity}', 'critical', 3, 0, {degraded}, {healthy}, 14, 13, 1, 4,
         {end}, 1)"
    ));
}

fn well(client_id: &str, target: &str, minute: i64) -> AggregateRow {
    diagnosed(row(client_id, target, minute), Label::Healthy)
}

fn hurt(client_id: &str, target: &str, minute: i64, label: Label) -> AggregateRow {
    as_bad_as(Severity::Major, diagnosed(row(client_id, target, minute), label))
}

/// Six clients that measure `t` and `u` in minute 9, with the log just behind the clock.
fn fleet() -> Api {
    let api = Api::with(&[]);
    let clients = ["a", "b", "c", "d", "e", "f"];
    let rows: Vec<_> = clients.iter().flat_map(|client| ["t", "u"].map(|target| well(client, target, 9))).collect();
    write_at(&api, 12, &rows);
    api
}

fn write_at(api: &Api, minute: i64, rows: &[AggregateRow]) {
    let log_time = LogTime::from_ms(minute_ms(minute));
    api.write_as(netqoe_model::Checkpoint { log_time, ..Default::default() }, rows);
}

fn miss(api: &Api, client_id: &str, target: &str, last: i64) {
    let last = minute_ms(last);
    api.execute(&format!("INSERT INTO unmeasured VALUES ('{client_id}', '{target}', {last}, 60000, 'isp', NULL)"));
}

/// The fleet's own counts at minute 12: degraded, healthy, unjudged, unmeasured.
fn count(api: &Api, counts: [u32; 4]) {
    let [degraded, healthy, unjudged, unmeasured] = counts;
    let through = minute_ms(12);
    api.execute(&format!(
        "INSERT OR REPLACE INTO fleet VALUES (1, {through}, NULL, NULL, {degraded}, {healthy}, {unjudged}, {unmeasured}, 0)"
    ));
}

async fn sentence(api: &Api, query: &str) -> Value {
    api.get(&format!("/api/v1/overview?{query}")).await.body["sentence"].clone()
}

#[tokio::test]
async fn an_incident_is_told_with_its_sentence() {
    let api = Api::with(&[]);
    tell(&api, &OF_TARGET);
    tell(&api, &Told { id: "bb", dimension: "everything", value: "[]", state: "withdrawn", ..OF_TARGET });
    let expected = json!({
        "id": "00000000000000aa", "label": "server-bound", "cause": {"dimension": "target", "value": ["t"]},
        "state": "open", "withdrawn_because": null, "opened": minute_ms(2), "detected": minute_ms(2) + 1,
        "named": minute_ms(2) + 2, "last": minute_ms(8), "closed": null, "severity": "major",
        "peak_severity": "critical",
        "evidence": {"at_first": {"degraded": 3, "healthy": 0}, "now": {"degraded": 12, "healthy": 2}},
        "pairs": 14, "clients": 13, "targets": 1, "revision": 4, "as_of": minute_ms(9),
        "sentence": "Target t is slow to answer for 12 of 14 clients", "acknowledged": null, "planned": false,
    });
    let all = api.get(INCIDENTS).await;
    assert_eq!(all.items()[1], expected);
    let withdrawn = members(&all.items()[0], &["sentence", "withdrawn_because", "closed"]);
    let told = "Withdrawn: Everything was slow to answer: 14 pairs of 13 clients";
    let because = "its evidence is gone";
    assert_eq!(withdrawn, json!({"sentence": told, "withdrawn_because": because, "closed": minute_ms(9)}));
    let open = api.get(&format!("{INCIDENTS}?state=open&label=server-bound&severity=major&dimension=target")).await;
    assert_eq!(open.items(), [expected]);
    let get = &api.document["paths"][INCIDENTS]["get"]["responses"]["200"]["content"]["application/json"];
    check(&api.document, &get["schema"], &all.body, "incidents");
}

#[tokio::test]
async fn incidents_come_in_pages() {
    let api = Api::with(&[]);
    for (id, opened) in [("a", 1), ("b", 3), ("c", 3), ("d", 2)] {
        tell(&api, &Told { id, opened, ..OF_TARGET });
    }
    let (mut seen, mut cursor) = (String::new(), String::new());
    loop {
        let page = api.get(&format!("{INCIDENTS}?limit=1{cursor}")).await;
        seen += page.items()[0]["id"].as_str().unwrap();
        let Some(next) = page.next_cursor() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, "cbda");
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_what_is() {
    let api = Api::with(&[]);
    for (query, named) in [
        ("state=new", "state must be one of open, closed, withdrawn"),
        ("label=healthy", "label must be one of error-bound, dns-bound"),
        ("severity=bad", "severity must be one of minor, major, critical"),
        ("dimension=asn", "dimension must be one of client, target, host, isp×target"),
        ("from=x", "from must be Unix milliseconds"),
        ("limit=0", "limit must be a whole number from 1 to 1000"),
        ("cursor=5b5d", "cursor must be the next_cursor"),
        ("colour=red", "unknown field"),
    ] {
        let answer = api.get(&format!("{INCIDENTS}?{query}")).await;
        let message = answer.body["message"].as_str().unwrap();
        assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_request")), "{query}");
        assert!(message.contains(named), "{query}: {message}");
    }
    for path in ["incidents/x", "incidents/x/pairs", "incidents/%00", "incidents/%ff", "incidents/%ff/pairs"] {
        let answer = api.get(&format!("/api/v1/{path}")).await;
        assert_eq!((answer.status, &answer.body["error"]), (404, &json!("not_found")), "{path}");
    }
}

#[tokio::test]
async fn one_incident_has_its_history_and_its_pairs() {
    let api = Api::with(&[]);
    tell(&api, &OF_TARGET);
    let id = OF_TARGET.id;
    for (revision, change) in [(1, "cause"), (0, "opened")] {
        let at = minute_ms(revision);
        api.execute(&format!(
            "INSERT INTO incident_revisions (incident, revision, at, change, cause_dimension, cause_value, severity, degraded)
             VALUES ('{id}', {revision}, {at}, '{change}', 'target', '[\"t\"]', 'minor', 3)"
        ));
    }
    for client in ["b", "a", "c"] {
        let [since, until] = [3, 5].map(minute_ms);
        api.execute(&format!(
            "INSERT INTO incident_members VALUES ('{id}', '{client}', 't', {since}, {until}, 'critical')"
        ));
    }
    let one = api.get(&format!("{INCIDENTS}/{id}")).await.body;
    let changes: Vec<_> = one["revisions"].as_array().unwrap().iter().map(|revision| &revision["change"]).collect();
    assert_eq!((json!(changes), &one["notes"], &one["id"]), (json!(["opened", "cause"]), &json!([]), &json!(id)));
    let last = json!({"revision": 1, "at": minute_ms(1), "change": "cause", "severity": "minor", "degraded": 3,
        "cause": {"dimension": "target", "value": ["t"]}, "state": "open", "because": null});
    assert_eq!(one["revisions"][1], last);

    let pairs = format!("{INCIDENTS}/{id}/pairs");
    let first = api.get(&format!("{pairs}?limit=2")).await;
    let pair = |client: &str| json!({"client_id": client, "target": "t", "since": minute_ms(3), "until": minute_ms(5), "severity": "critical"});
    assert_eq!(first.items(), [pair("a"), pair("b")]);
    let rest = api.get(&format!("{pairs}?limit=2&cursor={}", first.next_cursor().unwrap())).await;
    assert_eq!((rest.items(), rest.next_cursor()), (&[pair("c")][..], None));

    for (path, answer) in [("incidents/{id}", &one), ("incidents/{id}/pairs", &first.body)] {
        let get = &api.document["paths"][format!("/api/v1/{path}")]["get"];
        check(&api.document, &get["responses"]["200"]["content"]["application/json"]["schema"], answer, path);
    }
}

#[tokio::test]
async fn people_take_up_an_incident_and_write_about_it() {
    let api = Api::with(&[]);
    tell(&api, &OF_TARGET);
    let incident = format!("{INCIDENTS}/{}", OF_TARGET.id);
    let notes = format!("{incident}/notes");
    let (status, first) = api.send("POST", &notes, r#"{"text": " <b>rebooted</b>\n"}"#).await;
    let expected =
        json!({"id": first["id"], "at": NOW_MS, "by": "unknown", "text": "<b>rebooted</b>", "acknowledges": false});
    assert_eq!((status, &first), (201, &expected));
    let (status, taken) = api.send("POST", &notes, r#"{"by": " ann ", "acknowledges": true}"#).await;
    assert_eq!((status, &taken["by"], &taken["text"]), (201, &json!("ann"), &json!("")));
    let one = api.get(&incident).await.body;
    assert_eq!((&one["notes"], &one["acknowledged"]), (&json!([first, taken]), &json!({"at": NOW_MS, "by": "ann"})));
    let schema = &api.document["components"]["schemas"]["IncidentNote"];
    check(&api.document, schema, &taken, "note");
}

#[tokio::test]
async fn what_is_no_note_is_refused() {
    let api = Api::with(&[]);
    tell(&api, &OF_TARGET);
    let notes = format!("{INCIDENTS}/{}/notes", OF_TARGET.id);
    let long = "x".repeat(4_097);
    for (body, named) in [
        (r#"{"text": "  "}"#.to_owned(), "an empty note says nothing"),
        (json!({"text": long}).to_string(), "text has 4097 bytes; 4096 are allowed"),
        (json!({"text": "x", "by": "y".repeat(129)}).to_string(), "by has 129 bytes; 128 are allowed"),
        (json!({"text": "a\0b"}).to_string(), "control characters"),
        (json!({"text": "x", "by": "a\nb"}).to_string(), "control characters"),
        (r#"{"text": "x", "colour": "red"}"#.to_owned(), "unknown field"),
        (r#"{"text": 7}"#.to_owned(), "the body is not understood"),
        ("{".to_owned(), "the body is not understood"),
    ] {
        let (status, answer) = api.send("POST", &notes, &body).await;
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_request")), "{body}");
        assert!(answer["message"].as_str().unwrap().contains(named), "{answer}");
    }
    let (status, answer) = api.send("POST", &notes, &json!({"text": "x".repeat(40_000)}).to_string()).await;
    assert_eq!((status, &answer["error"]), (413, &json!("payload_too_large")));
    for id in ["x", "%00", "%ff"] {
        let (status, answer) = api.send("POST", &format!("{INCIDENTS}/{id}/notes"), r#"{"text": "x"}"#).await;
        assert_eq!((status, &answer["error"]), (404, &json!("not_found")), "{id}");
    }
    assert_eq!(api.get(&format!("{INCIDENTS}/{}", OF_TARGET.id)).await.body["notes"], json!([]));
}

#[tokio::test]
async fn where_nothing_can_be_written_it_says_so() {
    let api = Api::with(&[]);
    tell(&api, &OF_TARGET);
    let reading = api.reading_with(api.reader());
    let (status, answer) =
        reading.send("POST", &format!("{INCIDENTS}/{}/notes", OF_TARGET.id), r#"{"text": "x"}"#).await;
    assert_eq!((status, &answer["error"]), (503, &json!("service_unavailable")));
}

#[tokio::test]
async fn planned_faults_explain_incidents() {
    let api = Api::with(&[]);
    tell(&api, &OF_TARGET);
    let window = |from: i64, to: i64, dimension: &str, value: &[&str]| {
        let cause = json!({"dimension": dimension, "value": value});
        json!({"from": minute_ms(from), "to": minute_ms(to), "cause": cause, "text": "new cable", "by": "ann"})
    };
    let planned = async || api.get(&format!("{INCIDENTS}/{}", OF_TARGET.id)).await.body["planned"].clone();
    for elsewhere in [window(2, 8, "target", &["t"]), window(3, 20, "target", &["t"]), window(0, 20, "target", &["u"])]
    {
        assert_eq!(api.send("POST", MAINTENANCE, &elsewhere.to_string()).await.0, 201);
    }
    assert_eq!(planned().await, false);
    let body = window(2, 9, "target", &["t"]);
    let (status, kept) = api.send("POST", MAINTENANCE, &body.to_string()).await;
    let mut expected = body;
    expected["id"] = kept["id"].clone();
    expected["at"] = json!(NOW_MS);
    assert_eq!((status, &kept, planned().await), (201, &expected, json!(true)));

    let listed = api.get(MAINTENANCE).await;
    let begins: Vec<_> = listed.items().iter().map(|window| window["from"].as_i64().unwrap()).collect();
    assert_eq!(begins, [3, 2, 2, 0].map(minute_ms));
    let get = &api.document["paths"][MAINTENANCE]["get"]["responses"]["200"]["content"]["application/json"];
    check(&api.document, &get["schema"], &listed.body, "maintenance");

    let one = format!("{MAINTENANCE}/{}", kept["id"]);
    assert_eq!(api.send("DELETE", &one, "").await.0, 204);
    assert_eq!(planned().await, false);
    for gone in [one, format!("{MAINTENANCE}/x"), format!("{MAINTENANCE}/99999999999999999999")] {
        let (status, answer) = api.send("DELETE", &gone, "").await;
        assert_eq!((status, &answer["error"]), (404, &json!("not_found")), "{gone}");
    }
}

#[tokio::test]
async fn what_is_no_plan_is_refused() {
    let api = Api::with(&[]);
    let body =
        |from: i64, to: i64, cause: Value| json!({"from": from, "to": to, "cause": cause, "text": "x"}).to_string();
    let target = json!({"dimension": "target", "value": ["t"]});
    for (body, named) in [
        (body(5, 5, target.clone()), "from before to"),
        (body(-5, 5, target.clone()), "Unix milliseconds"),
        (body(5, i64::MAX, target), "Unix milliseconds"),
        (body(1, 2, json!({"dimension": "asn", "value": ["t"]})), "cause.dimension must be one of client"),
        (body(1, 2, json!({"dimension": "target", "value": []})), "a list of 1 texts"),
        (body(1, 2, json!({"dimension": "isp×target", "value": ["t"]})), "a list of 2 texts"),
        (body(1, 2, json!({"dimension": "everything", "value": ["t"]})), "a list of 0 texts"),
        (body(1, 2, json!({"dimension": "target", "value": [""]})), "1 to 1024 bytes"),
        (body(1, 2, json!({"dimension": "target", "value": ["a\0"]})), "none of them 0"),
        ("{}".to_owned(), "missing field"),
    ] {
        let (status, answer) = api.send("POST", MAINTENANCE, &body).await;
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_request")), "{body}");
        assert!(answer["message"].as_str().unwrap().contains(named), "{answer}");
    }
    assert!(api.get(MAINTENANCE).await.items().is_empty());
}

#[tokio::test]
async fn the_overview_begins_with_the_gravest_incident() {
    let api = fleet();
    count(&api, [0, 12, 0, 0]);
    tell(&api, &Told { id: "a", severity: "critical", ..OF_TARGET });
    tell(&api, &Told { id: "b", ..OF_TARGET });
    tell(&api, &Told { id: "c", state: "closed", last: 6, ..OF_TARGET });
    tell(&api, &Told { id: "d", state: "withdrawn", ..OF_TARGET });
    let overview = api.get("/api/v1/overview").await.body;
    let text = "Target t is slow to answer for 12 of 14 clients; 1 more incident is open";
    assert_eq!(
        overview["sentence"],
        json!({"text": text, "severity": "critical", "incident": "a", "since": minute_ms(2)})
    );
    let ids: Vec<_> = overview["incidents"].as_array().unwrap().iter().map(|incident| &incident["id"]).collect();
    assert_eq!((json!(ids), &overview["incidents_left_off"]), (json!(["a", "b"]), &json!(0)));
    assert_eq!(overview["last_incident_closed"], minute_ms(7));
    let get = &api.document["paths"]["/api/v1/overview"]["get"]["responses"]["200"]["content"]["application/json"];
    check(&api.document, &get["schema"], &overview, "overview");
    assert_eq!(sentence(&api, "client_id=nobody").await["incident"], json!(null));
}

#[tokio::test]
async fn no_more_than_fifty_incidents_are_listed() {
    let api = fleet();
    count(&api, [0, 12, 0, 0]);
    (0..53).for_each(|id| tell(&api, &Told { id: &format!("{id:02}"), ..OF_TARGET }));
    let overview = api.get("/api/v1/overview").await.body;
    assert_eq!((overview["incidents"].as_array().unwrap().len(), &overview["incidents_left_off"]), (50, &json!(3)));
    assert!(overview["sentence"]["text"].as_str().unwrap().ends_with("; 52 more incidents are open"));
}

#[tokio::test]
async fn the_past_is_told_by_what_went_on_then() {
    let api = fleet();
    count(&api, [0, 12, 0, 0]);
    write_at(&api, 12, &[well("a", "t", 5)]);
    miss(&api, "z", "t", 3);
    tell(&api, &Told { id: "a", state: "closed", opened: 2, last: 6, ..OF_TARGET });
    tell(&api, &Told { id: "b", opened: 8, ..OF_TARGET });
    tell(&api, &Told { id: "c", state: "withdrawn", opened: 2, last: 6, ..OF_TARGET });
    let then = api.get(&format!("/api/v1/overview?to={}", minute_ms(6))).await.body;
    assert_eq!(then["sentence"]["incident"], "a");
    assert_eq!((&then["incidents"].as_array().unwrap().len(), &then["unmeasured"]["pairs"]), (&1, &json!(0)));
    // A range that ends ahead of the fleet is of the present.
    let now = api.get(&format!("/api/v1/overview?to={}", minute_ms(20))).await.body;
    assert_eq!((&now["sentence"]["incident"], &now["unmeasured"]["pairs"]), (&json!("b"), &json!(1)));
}

#[tokio::test]
async fn degraded_pairs_without_an_incident_are_told() {
    let api = fleet();
    count(&api, [1, 11, 0, 0]);
    write_at(&api, 12, &[since(7, hurt("a", "t", 10, Label::DnsBound))]);
    let text = "a to t: name resolution is slow; too few pairs to tell whose fault it is; \
                the time is lost before the target is contacted, so look at the resolver first";
    let expected = json!({"text": text, "severity": "major", "incident": null, "since": minute_ms(7)});
    assert_eq!(sentence(&api, "").await, expected);
}

#[tokio::test]
async fn silence_is_counted_named_and_listed() {
    let api = fleet();
    count(&api, [0, 9, 0, 3]);
    // `z` has been silent for longer than rows are current; `a` has stopped with `t`, and is measured again with `u`.
    miss(&api, "z", "t", 2);
    miss(&api, "z", "v", 3);
    miss(&api, "a", "t", 9);
    miss(&api, "a", "u", 8);
    let overview = api.get("/api/v1/overview").await.body;
    let pairs = json!({"total": 14, "healthy": 11, "degraded": 0, "unknown": 0, "unmeasured": 3});
    assert_eq!(overview["pairs"], pairs);
    let clients = json!([{"client_id": "z", "pairs": 2, "last": minute_ms(3)}, {"client_id": "a", "pairs": 1, "last": minute_ms(9)}]);
    assert_eq!(overview["unmeasured"], json!({"pairs": 3, "clients": clients, "clients_left_off": 0}));
    let text = "z and 1 more client have not reported: 3 pairs; the other 11 pairs are as usual";
    let expected = json!({"text": text, "severity": null, "incident": null, "since": minute_ms(4)});
    assert_eq!(overview["sentence"], expected);
    let of_a = sentence(&api, "client_id=a").await;
    assert_eq!(of_a["text"], "1 target of a is no longer measured; the other pair is as usual");

    let matrix = api.get("/api/v1/matrix").await.body;
    assert_eq!(matrix["targets"], json!(["t", "u", "v"]));
    assert_eq!((&matrix["labels"][0], &matrix["severities"][0]), (&json!("uh."), &json!(".0.")));
    assert_eq!((&matrix["clients"][6]["client_id"], &matrix["labels"][6]), (&json!("z"), &json!("u.u")));

    let listed = api.get("/api/v1/unmeasured?client_id=z&limit=1").await;
    let item =
        json!({"client_id": "z", "target": "t", "last": minute_ms(2), "rhythm_ms": 60000, "isp": "isp", "site": null});
    assert_eq!(listed.items(), [item]);
    let next = listed.next_cursor().unwrap();
    assert_eq!(api.get(&format!("/api/v1/unmeasured?client_id=z&cursor={next}")).await.items()[0]["target"], "v");
    let get = &api.document["paths"]["/api/v1/unmeasured"]["get"]["responses"]["200"]["content"]["application/json"];
    check(&api.document, &get["schema"], &listed.body, "unmeasured");
}

#[tokio::test]
async fn silence_of_everybody_is_told_as_such() {
    let api = fleet();
    count(&api, [0, 0, 0, 12]);
    ["a", "b"].iter().for_each(|client| miss(&api, client, "t", 9));
    assert_eq!(sentence(&api, "").await["text"], "No client reports: ingest or the way to it may be down");
    let old = Api::with(&[]);
    write_at(&old, 4, &[well("a", "t", 3)]);
    let expected = json!({"text": "No events arrive: ingest or the log may be down", "severity": null, "incident": null,
        "since": minute_ms(4)});
    assert_eq!(sentence(&old, "").await, expected);
    let nothing = json!({"text": "Nothing has been measured yet", "severity": null, "incident": null, "since": null});
    assert_eq!(sentence(&Api::with(&[]), "").await, nothing);
}

#[tokio::test]
async fn where_all_is_well_it_says_when_it_last_was_not() {
    let api = fleet();
    count(&api, [0, 12, 0, 0]);
    tell(&api, &Told { state: "closed", ..OF_TARGET });
    let expected =
        json!({"text": "All 12 pairs are as usual", "severity": null, "incident": null, "since": minute_ms(9)});
    assert_eq!(sentence(&api, "").await, expected);
}

#[tokio::test]
async fn what_was_known_at_a_time_is_told() {
    let api = Api::with(&[]);
    let told = Told { state: "withdrawn", ..OF_TARGET };
    tell(&api, &told);
    let id = told.id;
    let now = api.get(&format!("{INCIDENTS}/{id}")).await.body;
    for (revision, minute, change, severity) in [(0, 4, "opened", "minor"), (1, 6, "severity", "major")] {
        let at = minute_ms(minute);
        api.execute(&format!(
            "INSERT INTO incident_revisions (incident, revision, at, change, cause_dimension, cause_value, severity, degraded)
             VALUES ('{id}', {revision}, {at}, '{change}', 'target', '[\"t\"]', '{severity}', 3)"
        ));
    }
    let at = minute_ms(9);
    let because = "3 measurements came late and show no such incident.";
    api.execute(&format!(
        "INSERT INTO incident_revisions (incident, revision, at, change, cause_dimension, cause_value, severity, degraded,
             state, because)
         VALUES ('{id}', 4, {at}, 'withdrawn', 'target', '[\"t\"]', 'major', 0, 'withdrawn', '{because}')"
    ));
    let known = async |minute: i64| {
        let at = minute_ms(minute);
        let list = api.get(&format!("{INCIDENTS}?as_of={at}")).await;
        let one = api.get(&format!("{INCIDENTS}/{id}?as_of={at}")).await;
        let of_list = list.items().first().cloned();
        let of_one = (one.status == 200).then(|| one.body.clone());
        let picked =
            |incident: &Value| members(incident, &["state", "severity", "revision", "withdrawn_because", "closed"]);
        assert_eq!(of_list.as_ref().map(picked), of_one.as_ref().map(picked));
        (one.status, of_one)
    };
    assert_eq!(known(3).await, (404, None));
    let first = known(5).await.1.unwrap();
    assert_eq!(
        members(&first, &["state", "severity", "revision", "closed"]),
        json!({"state": "open", "severity": "minor", "revision": 0, "closed": null})
    );
    assert_eq!(first["revisions"].as_array().unwrap().len(), 1, "no revision of a later time");
    let last = known(9).await.1.unwrap();
    assert_eq!((&last["state"], &last["revision"]), (&json!("withdrawn"), &now["revision"]));
    assert_eq!(last["revisions"][2]["because"], because);
    assert_eq!(api.get(&format!("{INCIDENTS}?as_of={}&state=open", minute_ms(7))).await.items().len(), 1);
    assert_eq!(api.get(&format!("{INCIDENTS}?as_of={}&state=open", minute_ms(9))).await.items().len(), 0);
    let get = &api.document["paths"][format!("{INCIDENTS}/{{id}}")]["get"]["responses"]["200"]["content"];
    check(&api.document, &get["application/json"]["schema"], &first, "an incident then");
    for path in [INCIDENTS.to_owned(), format!("{INCIDENTS}/{id}")] {
        let refused = api.get(&format!("{path}?as_of=x")).await;
        assert_eq!((refused.status, &refused.body["error"]), (400, &json!("invalid_request")), "{path}");
    }
}
