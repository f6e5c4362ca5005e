//! `icmp://` without any privilege, in a network of the test's own, where the system's setting for it is the test's own as well.

use std::process::{Command, Output};

use crate::support::netqoe;

/// `nobody` and `nogroup` of Debian; any other user would do.
const USER: &str = "65534";
/// Groups from the first to the last may open an unprivileged ICMP socket.
const SETTING: &str = "/proc/sys/net/ipv4/ping_group_range";
const ONLY_OURS: &str = "65534 65534";
const NONE: &str = "1 0";

/// Runs netqoe as an ordinary user without capabilities, where these groups may send echoes.
fn as_nobody(groups: &str, arguments: &[&str]) -> Output {
    let program = netqoe().get_program().to_owned();
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-ec", &format!("ip link set lo up; echo \"{groups}\" > {SETTING}; exec \"$@\"")]);
    command.args(["sh", "setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"]);
    command.args(["--inh-caps=-all", "--bounding-set=-all", "--"]).arg(program).args(arguments);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn echoes_take_no_privilege_where_the_group_may_send_them() {
    let tried = as_nobody(NONE, &["--version"]);
    if !tried.status.success() {
        eprintln!("skipped: no network with a setting of its own, or no other user: {}", text(&tried.stderr).trim());
        return;
    }
    for target in ["icmp://127.0.0.1", "icmp://[::1]"] {
        let output = as_nobody(ONLY_OURS, &["probe", "--once", target]);
        let (shown, message) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{shown}{message}");
        assert!(shown.contains("10 of 10 echoes"), "{shown}");

        // No raw socket has helped: without the setting there is none.
        let output = as_nobody(NONE, &["probe", "--once", target]);
        let shown = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{shown}");
        assert!(shown.contains("no ICMP socket") && shown.contains("net.ipv4.ping_group_range"), "{shown}");
    }
}
