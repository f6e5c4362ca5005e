//! Who has not reported.

use netqoe_model::{Standing, Unmeasured};

use super::scenario::{FAILING, MINUTE_MS, Scenario, healthy, if_is};

const HEALTHY: Option<Standing> = Some(Standing::Healthy);

#[test]
fn a_client_that_stops_is_unmeasured_within_three_windows_and_no_incident() {
    let mut scenario = Scenario::new(5, 4, 5);
    scenario.minutes(10, healthy);
    let last = scenario.now().ms() - MINUTE_MS;
    let stopped = |(client, _): (usize, usize), _| (client != 2).then_some(Standing::Healthy);
    scenario.minutes_of(2, stopped);
    assert!(scenario.unmeasured.is_empty());
    scenario.minutes_of(1, stopped);
    let silent: Vec<&Unmeasured> = scenario.unmeasured.values().collect();
    assert_eq!(silent.len(), 4);
    assert!(silent.iter().all(|silent| &*silent.client_id == "probe-2"));
    assert_eq!((silent[0].last.ms(), silent[0].rhythm_ms), (last, MINUTE_MS));
    assert_eq!((silent[0].isp.as_deref(), silent[0].site.as_deref()), (Some("isp-0"), Some("site-0")));
    assert_eq!((scenario.last.tally.healthy, scenario.last.tally.unmeasured), (16, 4));
    scenario.minutes(1, healthy);
    assert!(scenario.unmeasured.is_empty(), "it is measured again");
    assert_eq!(scenario.last.tally.healthy, 20);
    assert!(scenario.told().is_empty());
}

#[test]
fn all_fall_silent_and_are_forgotten_after_a_day() {
    let mut scenario = Scenario::new(3, 3, 3);
    scenario.minutes(10, healthy);
    scenario.minutes_of(3, |_, _| None);
    assert_eq!(scenario.unmeasured.len(), 9);
    scenario.minutes_of(24 * 60 - 5, |_, _| None);
    assert_eq!(scenario.unmeasured.len(), 9, "not yet a day after their last window");
    assert!(!scenario.fleet.is_at_rest());
    scenario.minutes_of(2, |_, _| None);
    assert!(scenario.unmeasured.is_empty());
    assert!(scenario.fleet.is_at_rest());
    assert_eq!(scenario.fleet.space.pairs().count(), 0);
    assert_eq!(scenario.last.tally, Default::default());
}

#[test]
fn a_pair_is_due_when_its_own_rhythm_says_so() {
    let mut scenario = Scenario::new(2, 3, 2);
    // The first client measures each minute, the second every five.
    let rhythm = |(client, _): (usize, usize), minute: i64| if client == 0 || minute % 5 == 0 { HEALTHY } else { None };
    scenario.minutes_of(61, rhythm);
    assert!(scenario.unmeasured.is_empty());
    assert_eq!(scenario.last.tally.healthy, 6, "between its measurements a pair stands as it did");
    scenario.minutes_of(6, |(client, _), _| if client == 0 { HEALTHY } else { None });
    assert!(scenario.unmeasured.is_empty());
    scenario.minutes_of(1, |(client, _), _| if client == 0 { HEALTHY } else { None });
    assert_eq!(scenario.unmeasured.len(), 3);
    assert!(scenario.unmeasured.values().all(|silent| silent.rhythm_ms == 5 * MINUTE_MS));
}

#[test]
fn an_irregular_pair_is_not_called_silent_each_time() {
    let mut scenario = Scenario::new(1, 3, 1);
    let gaps = [4, 1, 2, 5, 1, 3, 5, 4, 2, 5, 3, 1, 4, 5, 1, 6];
    for (number, gap) in gaps.into_iter().enumerate() {
        scenario.minutes(1, healthy);
        scenario.minutes_of(gap - 1, |_, _| None);
        assert!(number < 4 || scenario.unmeasured.is_empty(), "once it is known");
    }
}

#[test]
fn a_pair_that_was_measured_twice_has_no_rhythm() {
    let mut scenario = Scenario::new(1, 3, 1);
    scenario.minutes(2, healthy);
    scenario.minutes_of(20, |_, _| None);
    assert!(scenario.unmeasured.is_empty());
    assert_eq!(scenario.last.tally, Default::default(), "nothing is said of it");
}

#[test]
fn what_comes_late_does_not_end_silence() {
    let mut scenario = Scenario::new(1, 3, 1);
    scenario.minutes(10, healthy);
    let late = scenario.now().ms() - 3 * MINUTE_MS;
    scenario.minutes_of(5, |_, _| None);
    let late = netqoe_model::WindowStart::from_ms(late);
    scenario.look(&[((0, 0), late, Standing::Unjudged)]);
    assert_eq!(scenario.unmeasured.len(), 3);
}

#[test]
fn a_target_whose_clients_all_fail_is_told_although_one_client_is_silent() {
    let mut scenario = Scenario::new(5, 4, 5);
    scenario.minutes(10, healthy);
    scenario.minutes_of(10, |(client, target), _| (client != 0).then_some(if_is(target == 1, FAILING)));
    assert_eq!(scenario.told(), ["error-bound target https://t1.example/ open"]);
    assert_eq!(scenario.unmeasured.len(), 4);
}
