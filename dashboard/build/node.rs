//! Which Node.js builds the page, by what `package.json` says of it.

use std::process::{Command, Stdio};

use semver::{Version, VersionReq};

/// The versions that `package.json` names under `engines`.
pub(crate) struct Engines {
    text: String,
    /// A version may be of any of these.
    ranges: Vec<VersionReq>,
}

impl Engines {
    /// # Errors
    /// Where it names none, or not as `^20.19.0 || >=24.0.0`.
    pub(crate) fn of(package_json: &str) -> Result<Self, String> {
        let unreadable = |reason: String| format!("can't read engines.node of package.json: {reason}");
        let package: serde_json::Value = serde_json::from_str(package_json).map_err(|e| unreadable(e.to_string()))?;
        let text = package["engines"]["node"].as_str().ok_or_else(|| unreadable("it is no text".to_owned()))?;
        let ranges: Result<_, _> = text.split("||").map(|range| VersionReq::parse(range.trim())).collect();
        Ok(Self { text: text.to_owned(), ranges: ranges.map_err(|e| unreadable(e.to_string()))? })
    }

    /// Why the Node.js on `PATH` does not build the page, and what to do; none where it does.
    pub(crate) fn refuse_this_machines(&self) -> Option<String> {
        let asked = Command::new("node").arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
        let said = asked.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        self.refuse(said.as_deref())
    }

    /// The same, where `node --version` says this; none where there is no such program.
    fn refuse(&self, node_says: Option<&str>) -> Option<String> {
        let why = match node_says.map(|says| (says, Version::parse(says.trim_start_matches('v')))) {
            None => "there is no Node.js".to_owned(),
            Some((_, Ok(version))) if self.ranges.iter().any(|range| range.matches(&version)) => return None,
            Some((_, Ok(version))) => format!("Node.js {version} is too old"),
            Some((says, Err(_))) => format!("`node --version` says {says:?}"),
        };
        Some(format!("{why}; install Node.js {} (https://nodejs.org)", self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engines(node: &str) -> Result<Engines, String> {
        Engines::of(&serde_json::json!({ "engines": { "node": node } }).to_string())
    }

    #[test]
    fn a_version_is_of_one_of_the_ranges() {
        let engines = engines("^20.19.0 || ^22.12.0 || >=24.0.0").unwrap();
        for builds in ["v20.19.0", "v20.20.2", "20.19.1", "v22.12.0", "v22.99.0", "v24.0.0", "v31.1.2"] {
            assert_eq!(engines.refuse(Some(builds)), None, "{builds}");
        }
        for old in ["v4.9.1", "v18.20.4", "v20.18.3", "v21.7.0", "v22.9.0", "v23.11.1"] {
            let why = format!("Node.js {} is too old", &old[1..]);
            let refused = format!("{why}; install Node.js ^20.19.0 || ^22.12.0 || >=24.0.0 (https://nodejs.org)");
            assert_eq!(engines.refuse(Some(old)), Some(refused));
        }
    }

    #[test]
    fn what_is_no_version_is_no_node() {
        let engines = engines(">=20.19").unwrap();
        let what_to_do = "install Node.js >=20.19 (https://nodejs.org)";
        assert_eq!(engines.refuse(None), Some(format!("there is no Node.js; {what_to_do}")));
        for says in ["", "v20", "nodejs v20.19.0", "error\n"] {
            assert_eq!(engines.refuse(Some(says)), Some(format!("`node --version` says {says:?}; {what_to_do}")));
        }
    }

    #[test]
    fn the_pages_own_package_says_which() {
        let engines = Engines::of(include_str!("../web/package.json")).unwrap();
        // Debian 12's and Debian 13's.
        assert!(engines.refuse(Some("v18.20.4")).is_some() && engines.refuse(Some("v20.19.2")).is_none());
        for package in ["", "{}", r#"{"engines": {"node": 20}}"#, r#"{"engines": {"node": "twenty"}}"#] {
            assert!(Engines::of(package).is_err(), "{package}");
        }
    }
}
