//! What stands in a store after corrections is what a fold over the corrected looks finds, whenever rows are corrected, whenever
//! incidents are found again, and wherever a process is lost.

mod world;

use self::world::{Step, World};

#[test]
fn what_stands_in_the_end_is_what_the_corrected_looks_show() {
    for seed in 0..10 {
        let mut world = World::new(seed);
        while let Some(step) = world.next_step() {
            world.take(step);
            if !matches!(step, Step::Pass(_) | Step::Correct) {
                world.check_what_was_written();
            }
        }
        world.settle();
        world.check();
    }
}

#[test]
fn where_nothing_was_corrected_a_start_finds_nothing_else() {
    for seed in 0..3 {
        let mut world = World::new(seed);
        while let Some(step) = world.next_step() {
            if step != Step::Correct {
                world.take(step);
            }
        }
        world.settle();
        world.check();
        assert_eq!(world.count("incident_revisions WHERE change = 'corrected' OR because LIKE '%came late%'"), 0);
    }
}

#[test]
fn what_is_opened_after_it_was_withdrawn_goes_on_from_its_newest_revision() {
    for seed in 0..3 {
        let mut world = World::new(seed);
        let newest = world.withdraw_the_first();
        while let Some(step) = world.next_step() {
            if step == Step::Correct {
                continue;
            }
            world.take(step);
            world.check_what_was_written();
        }
        world.settle();
        world.check();
        assert_eq!(world.opened().last(), Some(&(newest + 1)));
    }
}

#[test]
fn corrections_that_keep_coming_are_gathered() {
    let mut world = World::new(7);
    let mut corrections = 0;
    while let Some(step) = world.next_step() {
        if matches!(step, Step::FindAgain | Step::Lose | Step::Fail) {
            continue;
        }
        corrections += i64::from(matches!(step, Step::Correct));
        world.take(step);
    }
    assert!(corrections > 3, "{corrections}");
    world.settle();
    world.check();
    assert_eq!(world.refolds(), 1);
}

#[test]
fn looks_and_states_are_kept_for_the_horizon_and_no_longer() {
    let mut world = World::new(3);
    while let Some(step) = world.next_step() {
        world.take(step);
        world.check_what_is_kept();
    }
}

#[test]
fn without_a_horizon_nothing_is_kept_and_nothing_is_corrected() {
    let mut world = World::without_horizon(5);
    while let Some(step) = world.next_step() {
        world.take(step);
    }
    world.settle();
    assert_eq!((world.refolds(), world.count("fleet_states")), (0, 0));
    assert!(world.count("looks") < 100, "those since the last state");
}
