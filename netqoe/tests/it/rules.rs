//! Rules files: shown, changed, checked, and told apart in a store.

use std::path::Path;
use std::process::Output;

use crate::support::netqoe;

fn run(arguments: &[&str]) -> Output {
    netqoe().args(arguments).output().unwrap()
}

fn shown(name: &str) -> String {
    let output = run(&["rules", "show", name]);
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The one line that says what is wrong.
fn refusal(arguments: &[&str]) -> String {
    let output = run(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{message}");
    message
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn rules_that_are_shown_can_be_changed_and_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    for name in ["steady", "classic"] {
        let mine = shown(name).replace(&format!("name = \"{name}\""), "name = \"mine\"");
        std::fs::write(&file, mine).unwrap();
        let output = run(&["rules", "check", text(&file)]);
        assert!(output.status.success());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "the rules `mine` are understood\n");
    }
}

#[test]
fn a_mistake_is_told_with_its_line_and_the_key_that_may_be_meant() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, shown("steady").replace("least_samples", "last_samples")).unwrap();
    for command in [vec!["rules", "check"], vec!["up", "--rules"], vec!["replay", "--store", "sqlite:x.db", "--rules"]]
    {
        let message = refusal(&[command, vec![text(&file)]].concat());
        assert!(message.contains("line ") && message.contains("did you mean `least_samples`?"), "{message}");
    }
    let message = refusal(&["up", "--rules", "stedy"]);
    assert!(message.contains("neither a file nor one of steady, classic"), "{message}");
    let message = refusal(&["rules", "show", "stedy"]);
    assert!(message.contains("there are steady, classic"), "{message}");
}

#[test]
fn a_configuration_file_names_rules_and_is_checked_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, file) = (folder.path().join("mine.toml"), folder.path().join("netqoe.toml"));
    std::fs::write(&rules, shown("steady").replace("share = 0.7 ", "share = 7.0 ")).unwrap();
    std::fs::write(&file, format!("[up]\nrules = {:?}\n", text(&rules))).unwrap();
    let message = refusal(&["--config", text(&file), "config", "check"]);
    assert!(message.contains("evidence.share is 7, and must be from 0 to 1"), "{message}");
}
