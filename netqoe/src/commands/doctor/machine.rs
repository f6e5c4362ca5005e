//! What this process may use of its machine, as a process of netqoe may that is started in the same way.

use netqoe_server::limits::DEFAULT_MAX_CONNECTIONS;

use super::finding::Finding;

/// Files beside the connections of clients: those to servers, the store, the log, and what programs hold anyway.
const BESIDE_CONNECTIONS: u64 = 200;

/// From how many files may be open; none where that is not limited, or can't be told.
pub(super) fn judge(open_files: Option<u64>) -> Option<Finding> {
    let needed = DEFAULT_MAX_CONNECTIONS as u64 + BESIDE_CONNECTIONS;
    let open_files = open_files.filter(|limit| *limit < needed)?;
    let advice = format!(
        "raise LimitNOFILE of the service (`ulimit -n`) to {needed} or more, or lower --max-connections ({DEFAULT_MAX_CONNECTIONS}): \
         each connection is a file, and without files none is taken"
    );
    Some(Finding::problem("open files of a process started here", format!("{open_files} at most"), advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_connections_need_a_file() {
        assert_eq!(judge(None), None);
        assert_eq!(judge(Some(10_200)), None);
        assert_eq!(judge(Some(1_024)).unwrap().present, "1024 at most");
    }
}
