//! A network that parts one server of a cluster from the others, and leaves its clients connected.

use std::process::Command;

use anyhow::{Context, ensure};

use crate::needs::IPTABLES;

/// For as long as it lives, nothing that one server sends reaches the others, and nobody connects to it.
pub struct Part {
    rules: Vec<Vec<String>>,
}

impl Part {
    /// Parts the server that runs as this user and listens for the others at `port` from those at `others`.
    pub(crate) fn new(user: &str, port: u16, others: &[u16]) -> anyhow::Result<Self> {
        let mut part = Self { rules: Vec::new() };
        for other in others {
            part.add(&["-m", "owner", "--uid-owner", user, "--dport", &other.to_string()])?;
        }
        for direction in ["--sport", "--dport"] {
            part.add(&[direction, &port.to_string()])?;
        }
        Ok(part)
    }

    fn add(&mut self, matches: &[&str]) -> anyhow::Result<()> {
        let rule = [&["OUTPUT", "-p", "tcp"], matches, &["-j", "DROP"]].concat();
        let rule: Vec<String> = rule.into_iter().map(str::to_owned).collect();
        iptables("-I", &rule)?;
        self.rules.push(rule);
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        for rule in &self.rules {
            if let Err(error) = iptables("-D", rule) {
                eprintln!("testbed: {error:#}");
            }
        }
    }
}

fn iptables(what: &str, rule: &[String]) -> anyhow::Result<()> {
    let status = Command::new(IPTABLES.find()?).arg(what).args(rule).status().context("can't run iptables")?;
    ensure!(status.success(), "iptables {what} {} failed; it wants root", rule.join(" "));
    Ok(())
}
