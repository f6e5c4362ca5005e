//! Lists of targets in files: one a line, what Prometheus's file-based service discovery reads, or tables that say how each target is measured.
//!
//! They are read as Prometheus reads them, and as editors and other systems write them. Errors name the line.

mod groups;
mod lines;
mod tables;
mod text;

use std::path::Path;

use crate::module::{HTTPS, InvalidModule, Module, target_of};
use crate::target_settings::Fields;
use crate::{InvalidWord, Labels, ListedTarget};

/// Bytes of the largest list that is read: a hundred thousand long URLs. A larger file is not a list.
pub const MAX_LIST_BYTES: usize = 16 << 20;

/// Why a file is not a list of targets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidList {
    /// More than anybody measures.
    #[error("it is larger than {MAX_LIST_BYTES} bytes, and not a list of targets")]
    TooLarge,
    /// Not text.
    #[error("line {line}: this is neither UTF-8 text nor UTF-16 text with a byte order mark")]
    Encoding {
        /// The first is 1.
        line: usize,
    },
    /// What stands on a line can't be measured.
    #[error("line {line}: {cause}")]
    Target {
        /// The first is 1.
        line: usize,
        /// What is wrong with it.
        cause: InvalidModule,
    },
    /// Not what service discovery reads.
    #[error("line {line}: not a list for service discovery, [{{\"targets\": [\"https://example.com\"]}}]: {cause}")]
    Groups {
        /// The first is 1.
        line: usize,
        /// What is wrong with it.
        cause: String,
    },
    /// Not what a list can hold.
    #[error("line {line}: {cause}")]
    Key {
        /// The first is 1.
        line: usize,
        /// What is wrong with it.
        cause: String,
    },
    /// What is said of a target can't be.
    #[error("line {line}: target {target}: {word}")]
    Word {
        /// The first is 1.
        line: usize,
        /// Of which target.
        target: String,
        /// What is wrong.
        word: InvalidWord,
    },
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A target a line.
    Lines,
    /// `file_sd` of Prometheus.
    Json,
    /// The same in YAML.
    Yaml,
    /// Tables.
    Toml,
}

/// A target as it is written.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    text: String,
    line: usize,
    /// What the label `__param_module` of its group says.
    module: Option<String>,
    labels: Labels,
}

/// The targets that a file holds, in their order: tables where its name ends in `.toml`; the same, or `file_sd` of Prometheus, where it ends in
/// `.json`, `.yaml` or `.yml`; or else one a line, with comments after `#`. Files that it names are not read.
///
/// A target without a scheme is what its group's label `__param_module` makes of it, and `https://` where there is none.
///
/// # Errors
/// [`InvalidList`], with the first thing that is wrong.
pub fn parse_target_list(path: &Path, bytes: &[u8]) -> Result<Vec<ListedTarget>, InvalidList> {
    if bytes.len() > MAX_LIST_BYTES {
        return Err(InvalidList::TooLarge);
    }
    let text = text::decode(bytes)?;
    let tables = match Form::of(path) {
        Form::Lines => None,
        Form::Json => tables::parse_json(&text),
        Form::Yaml => tables::parse_yaml(&text),
        Form::Toml => Some(tables::parse_toml(&text)),
    };
    if let Some(tables) = tables {
        return tables?.into_iter().map(Fields::target).collect();
    }
    let written = match Form::of(path) {
        Form::Json => groups::parse_json(&text)?,
        Form::Yaml => groups::parse_yaml(&text)?,
        Form::Lines | Form::Toml => lines::parse(&text),
    };
    written.into_iter().map(Written::target).collect()
}

/// The line in which a byte of the text stands.
fn line_at(text: &str, byte: usize) -> usize {
    1 + text.as_bytes().iter().take(byte).filter(|byte| **byte == b'\n').count()
}

impl Form {
    /// By the end of the file's name, as Prometheus tells them.
    fn of(path: &Path) -> Self {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "json" => Self::Json,
            "yaml" | "yml" => Self::Yaml,
            "toml" => Self::Toml,
            _ => Self::Lines,
        }
    }
}

impl Written {
    fn target(self) -> Result<ListedTarget, InvalidList> {
        let Self { text, line, module, labels } = self;
        let module = module.as_deref().map(Module::named).transpose();
        let target = module.and_then(|module| target_of(&text, module, HTTPS));
        let target = target.map_err(|cause| InvalidList::Target { line, cause })?;
        Ok(ListedTarget::bare(target, line, labels))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(name: &str, text: impl AsRef<[u8]>) -> Result<Vec<String>, String> {
        let listed = parse_target_list(Path::new(name), text.as_ref()).map_err(|error| error.to_string())?;
        Ok(listed.iter().map(|listed| listed.target.to_string()).collect())
    }

    #[track_caller]
    fn check(name: &str, text: impl AsRef<[u8]>, expected: &[&str]) {
        assert_eq!(parse(name, text).unwrap(), expected);
    }

    #[track_caller]
    fn check_refused(name: &str, text: impl AsRef<[u8]>, line: usize, says: &str) {
        let error = parse(name, text).unwrap_err();
        assert!(error.starts_with(&format!("line {line}: ")) && error.contains(says), "{error}");
        assert!(!error.contains(char::is_control), "{error:?}");
    }

    #[test]
    fn a_line_is_a_target() {
        let text = "# ours\nhttps://a.test/x#part\n\n  tcp://b.test:22  # the gateway\r\n\t#x\nc.test\t# bare\n::1";
        check("targets", text, &["https://a.test/x#part", "tcp://b.test:22", "https://c.test/", "https://[::1]/"]);
        check("targets", "", &[]);
        check("targets.txt", "\u{feff}# nothing yet\r\n", &[]);
        check_refused("targets", "https://a.test\nftp://b.test\n", 2, "must begin with");
        check_refused("targets", "a.test b.test", 1, "is not a URL");
    }

    #[test]
    fn line_ends_and_marks_of_other_systems_are_none_of_the_target() {
        for text in ["a.test\nb.test\n", "a.test\r\nb.test\r\n", "a.test\rb.test\r", "\u{feff}a.test\n\u{feff}b.test"] {
            check("targets", text, &["https://a.test/", "https://b.test/"]);
        }
        let utf16 =
            |bytes: fn(u16) -> [u8; 2]| "\u{feff}a.test\r\nb.test".encode_utf16().flat_map(bytes).collect::<Vec<_>>();
        check("targets", utf16(u16::to_le_bytes), &["https://a.test/", "https://b.test/"]);
        check("targets", utf16(u16::to_be_bytes), &["https://a.test/", "https://b.test/"]);
        check_refused("targets", "a.test\r\nftp://b.test\r", 2, "must begin with");
        check_refused("targets", "a.test\rftp://b.test\r", 2, "must begin with");
        check_refused("targets", b"a.test\nb\xff.test", 2, "neither UTF-8");
        check_refused("targets", b"\xff\xfea\0\n\0b", 2, "neither UTF-8");
    }

    #[test]
    fn service_discovery_is_read_as_prometheus_reads_it() {
        let json = r#"[{"targets": ["https://a.test", "b.test:8080"], "labels": {"site": "x"}}, {"targets": []}, {}, {"targets": null}]"#;
        check("list.json", json, &["https://a.test/", "https://b.test:8080/"]);
        check("LIST.JSON", format!("\u{feff}{json}"), &["https://a.test/", "https://b.test:8080/"]);
        check("list.json", "[]", &[]);
        check("list.json", "null", &[]);
        let yaml = "# ours\n- targets:\n  - https://a.test\n  - b.test:8080 # the other\n  labels:\n    site: x\n    rack: 7\n- labels: {}\n";
        check("list.yml", yaml, &["https://a.test/", "https://b.test:8080/"]);
        check(
            "list.YAML",
            format!("\u{feff}{}", yaml.replace('\n', "\r\n")),
            &["https://a.test/", "https://b.test:8080/"],
        );
        check("list.yaml", yaml.replace('\n', "\r"), &["https://a.test/", "https://b.test:8080/"]);
        check("list.yaml", json, &["https://a.test/", "https://b.test:8080/"]);
        check("list.yaml", "", &[]);
        check("list.yaml", "\u{feff}# nothing yet\r\n", &[]);
        check("list.yaml", "---\n- targets: [\"::1\", a.test]\n", &["https://[::1]/", "https://a.test/"]);
    }

    #[test]
    fn the_module_of_a_group_says_what_bare_hosts_are() {
        let json = r#"[{"targets": ["::1", "a.test"], "labels": {"__param_module": "icmp"}}, {"targets": ["a.test"]}]"#;
        check("list.json", json, &["icmp://[::1]", "icmp://a.test", "https://a.test/"]);
        let yaml = "- labels: {__param_module: tcp_connect}\n  targets: ['a.test:22']\n";
        check("list.yml", yaml, &["tcp://a.test:22"]);
        check_refused("list.yml", yaml.replace("tcp_connect", "dns"), 2, "\"dns\" is not known");
        check_refused("list.json", json.replace("a.test\"],", "tcp://a.test:1\"],"), 1, "does not measure");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let wrong = "[\n {\"targets\": [\"a.test\",\n  \"ftp://b.test\"]}]";
        check_refused("list.json", wrong, 3, "must begin with");
        check_refused("list.json", wrong.replace('\n', "\r"), 3, "must begin with");
        check_refused("list.yaml", wrong, 3, "must begin with");
        check_refused("list.yml", "- targets:\n  - a.test\n  - \"\"\n", 3, "not a URL");
        check_refused("list.json", "https://a.test", 1, "service discovery");
        check_refused("list.json", "", 1, "the file is empty");
        check_refused("list.json", "\u{feff} \r\n", 1, "the file is empty");
        check_refused("list.json", "[\n{\"targets\": [\"a.test\"]", 2, "service discovery");
        check_refused("list.json", "[\n{\"target\": [\"a.test\"]}]", 2, "unknown field");
        check_refused("list.json", "[\nnull]", 2, "service discovery");
        check_refused("list.json", "[{\n\"targets\": [7]}]", 2, "invalid type");
        check_refused("list.json", "[{\n\"targets\": [null]}]", 2, "invalid type");
        check_refused("list.json", "[{\"targets\": [],\n\"labels\": {\"rack\": 7}}]", 2, "invalid type");
        check_refused("list.yaml", "- targets: []\n- target: []\n", 2, "unknown field");
        check_refused("list.yaml", "- targets: []\n-\n", 2, "service discovery");
        check_refused("list.yaml", "- targets: [a.test\n", 1, "service discovery");
        check_refused("list.yaml", "https://a.test\n", 1, "service discovery");
    }

    #[test]
    fn a_list_is_bounded() {
        let error = parse_target_list(Path::new("targets"), &vec![b'#'; MAX_LIST_BYTES + 1]).unwrap_err();
        assert_eq!(error, InvalidList::TooLarge);
        // Aliases of aliases: a few lines that would become millions of targets.
        let bomb: String =
            (1..12).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","))).collect();
        assert!(parse("list.yaml", format!("a0: &a0 [a]\n{bomb}")).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_list_or_said_to_be_none_in_one_line(bytes in proptest::collection::vec(any::<u8>(), 0..80), name in "x(\\.json|\\.yml|\\.toml)?") {
            if let Err(error) = parse(&name, bytes) {
                prop_assert!(!error.contains(char::is_control), "{:?}", error);
            }
        }

        #[test]
        fn so_is_any_text(text in "([\\[\\]{}:,\"'#&*!|>%@`\r\n\t -]|targets|labels|url|a\\.test|\\PC){0,40}", name in "x(\\.json|\\.yml|\\.toml)?") {
            if let Err(error) = parse(&name, text) {
                prop_assert!(!error.contains(char::is_control), "{:?}", error);
            }
        }

        #[test]
        fn all_forms_hold_the_same(hosts in proptest::collection::vec("[a-z]{1,8}\\.test(:[1-9][0-9]{0,3})?", 0..9), end in "\n|\r|\r\n") {
            let lines = hosts.join(&end);
            let expected: Vec<_> = hosts.iter().map(|host| netqoe_model::normalised(&format!("https://{host}")).into_owned()).collect();
            let json = serde_json::json!([{"targets": hosts}]).to_string();
            prop_assert_eq!(&parse("x", lines).unwrap(), &expected);
            prop_assert_eq!(&parse("x.json", &json).unwrap(), &expected);
            prop_assert_eq!(&parse("x.yaml", json).unwrap(), &expected);
        }
    }
}
