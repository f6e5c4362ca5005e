//! What is counted of windows that are written out by hand.

use netqoe_model::Label;
use netqoe_simulator::simulation::{Access, Expectation, Strength};

use super::following::Following;
use super::score::{Group, Kind, Lasted, Outcomes, Score, Share};
use super::tables::tables;

const CLEAR: Group = Group::of(Strength::Clear, false);

/// Nothing is wrong, and nothing was.
fn clean() -> Expectation<'static> {
    Expectation::default()
}

/// A label is right for all of a window.
fn faulty(label: Label, strength: Strength) -> Expectation<'static> {
    let mut faulty = touched(label);
    faulty.right[label as usize] = Some(strength);
    faulty
}

/// A label has some reason for a part of a window.
fn touched(label: Label) -> Expectation<'static> {
    let mut touched = Expectation { touched: true, ..Expectation::default() };
    touched.possible[label as usize] = true;
    touched
}

fn server() -> Expectation<'static> {
    faulty(Label::ServerBound, Strength::Clear)
}

/// Windows and what each was called: `.` healthy, `-` nothing, ` ` has no row, else the label's first letter.
fn score(windows: &[(Expectation<'_>, char)]) -> Score {
    let mut score = Score::default();
    let mut following = Following::new(&mut score, Kind::WithFaults, Access::Wifi);
    for (truth, said) in windows {
        let label = Label::ALL.into_iter().find(|label| label.as_str().starts_with(*said));
        let said = match said {
            ' ' => None,
            '-' => Some(None),
            '.' => Some(Some(Label::Healthy)),
            _ => Some(Some(label.unwrap())),
        };
        following.window(truth, said);
    }
    following.finish();
    score
}

fn windows<'a>(truth: &Expectation<'a>, said: &str) -> Vec<(Expectation<'a>, char)> {
    said.chars().map(|said| (truth.clone(), said)).collect()
}

fn share(part: u64, all: u64) -> Share {
    Share { part, all }
}

fn runs(score: &Score) -> Share {
    score.runs[Kind::WithFaults as usize]
}

fn false_labels(score: &Score) -> (u64, u64) {
    let called = score.clean[Kind::WithFaults as usize][Access::Wifi as usize];
    (called.degraded(), called.all())
}

#[test]
fn a_label_of_a_clean_window_is_false() {
    assert_eq!(false_labels(&score(&windows(&clean(), "..-..."))), (0, 6));
    let planted = score(&windows(&clean(), "..-t.."));
    assert_eq!(false_labels(&planted), (1, 6));
    let called = planted.clean[Kind::WithFaults as usize][Access::Wifi as usize];
    assert_eq!((called.of(Label::ThroughputBound), called.nothing()), (1, 1));
    assert_eq!(runs(&planted), share(0, 1));
    assert!(
        tables(&planted).contains("| runs with faults | 6 | 166.67 | 0.00 | 0.00 | 0.00 | 0.00 | 166.67 | 16.7 % |")
    );
}

#[test]
fn a_faulty_window_is_right_wrong_or_missed() {
    let score = score(&[windows(&clean(), "..."), windows(&server(), ".ssh-s s")].concat());
    let outcomes = Outcomes { right: 4, wrong: 1, missed: 2 };
    assert_eq!(score.by_group[CLEAR.index()], outcomes, "a window without a row does not count");
    assert_eq!(score.by_cause.last().unwrap().right[Strength::Clear as usize], share(4, 7));
    let minutes = &score.by_minute[CLEAR.index()];
    assert_eq!((minutes[0], minutes[1], minutes[6], minutes[7]), (share(0, 1), share(1, 1), share(0, 0), share(1, 1)));
    // "ss", "h" and "s s": another label ends a run, healthy windows and those without a row do not.
    assert_eq!(runs(&score), share(2, 3));
    assert_eq!(false_labels(&score), (0, 3));
}

#[test]
fn a_planted_wrong_label_changes_the_figures() {
    let [good, planted] = ["ssssss", "ssstss"].map(|said| score(&windows(&server(), said)));
    assert_eq!((good.by_group[CLEAR.index()].right, planted.by_group[CLEAR.index()].right), (6, 5));
    assert_eq!((runs(&good), runs(&planted)), (share(1, 1), share(2, 3)));
    assert!(tables(&good).contains("| clear (× 2 and more) | 6 | 100.0 % | 0.0 % | 0.0 % | 1 | 100.0 % |"));
    assert!(tables(&planted).contains("| clear (× 2 and more) | 6 | 83.3 % | 16.7 % | 0.0 % | 1 | 100.0 % |"));
}

#[test]
fn strength_is_counted_apart() {
    let mild = windows(&faulty(Label::DnsBound, Strength::Mild), "d..");
    let failing = windows(&faulty(Label::ErrorBound, Strength::Failing), "eee");
    let score = score(&[mild, windows(&clean(), "....."), failing].concat());
    let right = Strength::ALL.map(|strength| score.by_group[Group::of(strength, false).index()].right);
    assert_eq!(right, [0, 1, 3]);
}

#[test]
fn a_delay_counts_the_windows_with_rows_before_the_first_right_label() {
    for (said, delay) in [("sss", Some(0)), ("h.s", Some(2)), (" . s.", Some(1)), ("...", None)] {
        let score = score(&[windows(&touched(Label::ServerBound), "."), windows(&server(), said)].concat());
        let delays = &score.delays[CLEAR.index()];
        assert_eq!((delays.all(), delays.found().part), (1, u64::from(delay.is_some())), "{said}");
        assert_eq!(delays.median(), delay, "{said}");
    }
    let short = score(&windows(&server(), ".s"));
    assert_eq!(short.delays[CLEAR.index()].all(), 0, "what is too short to be found does not count");
}

#[test]
fn what_flaps_is_counted_apart() {
    let flapping = Expectation { flapping: true, ..server() };
    let score = score(&[windows(&flapping, "sss"), windows(&clean(), ".."), windows(&flapping, "...")].concat());
    let group = Group::of(Strength::Clear, true).index();
    assert_eq!(score.delays[group].found(), share(1, 2));
    assert_eq!(score.by_group[CLEAR.index()], Outcomes::default());
    assert_eq!(score.after[Lasted::Flapping as usize].well, share(1, 1));
}

#[test]
fn what_a_fault_touches_in_part_is_neither_clean_nor_faulty() {
    let edge = || windows(&touched(Label::ServerBound), "s");
    let score =
        score(&[windows(&clean(), "."), edge(), windows(&server(), "sss"), edge(), windows(&clean(), "s..")].concat());
    assert_eq!(score.by_group[CLEAR.index()].all(), 3);
    assert_eq!(false_labels(&score), (0, 2), "the first, and the third after the end");
    assert_eq!(runs(&score), share(1, 1));
}

#[test]
fn a_run_of_windows_that_are_neither_is_not_counted() {
    let score = score(&windows(&touched(Label::ServerBound), "sss"));
    assert_eq!(runs(&score), share(0, 0));
    let planted =
        self::score(&[windows(&server(), "sss"), windows(&clean(), "...."), windows(&clean(), "ss")].concat());
    assert_eq!(runs(&planted), share(1, 2), "after three windows it is another run");
}

#[test]
fn a_label_of_a_fault_that_has_just_ended_is_no_mistake_of_the_next() {
    let dns = faulty(Label::DnsBound, Strength::Clear);
    let score = score(&[windows(&server(), "sss"), windows(&dns, "ssds")].concat());
    assert_eq!(score.by_group[CLEAR.index()], Outcomes { right: 4, wrong: 1, missed: 0 }, "only the last is wrong");
}

#[test]
fn after_the_end_the_second_window_is_to_be_healthy_and_the_hour_clean() {
    let hour = ".".repeat(59);
    let after = |said: &str| {
        let score = score(&[windows(&server(), &"s".repeat(40)), windows(&clean(), said)].concat());
        score.after[Lasted::UnderTwoHours as usize]
    };
    let good = after(&format!("s.{hour}.sss"));
    assert_eq!((good.well, good.hour.all(), good.hour.degraded()), (share(1, 1), 60, 0));
    let planted = after(&format!("sst{hour}"));
    assert_eq!((planted.well, planted.hour.of(Label::ThroughputBound)), (share(0, 1), 1));
    let another = score(&[windows(&server(), "sss"), windows(&clean(), "."), windows(&server(), "sss")].concat());
    assert_eq!(another.after[Lasted::UnderHalfAnHour as usize].well, share(0, 0), "another fault has come");
}

#[test]
fn scores_add_up() {
    let parts = [windows(&server(), "s.t"), windows(&clean(), "....t..")];
    let mut sum = score(&parts[0]);
    sum.add(&score(&parts[1]));
    sum.add(&Score::default());
    assert_eq!(sum.by_group[CLEAR.index()], Outcomes { right: 1, wrong: 1, missed: 1 });
    assert_eq!(false_labels(&sum), (1, 7));
    assert_eq!((runs(&sum), sum.delays[CLEAR.index()].all()), (share(1, 3), 1));
    let twice = {
        let mut twice = sum.clone();
        twice.add(&sum);
        twice
    };
    assert_eq!(twice.by_minute[CLEAR.index()][0], share(2, 2));
    assert_eq!(twice.by_cause.last().unwrap().called.all(), 6);
}
