use netqoe_model::LogTime;

/// What a partition holds in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionState {
    /// Windows that can still change.
    pub open_windows: usize,
    /// Pairs of which something may be due since the log has passed a minute: windows to close, and a look. While there are any,
    /// rows are further than the checkpoint.
    pub due_pairs: usize,
    /// Pairs of client and target.
    pub tracked_pairs: usize,
    /// Pairs that were forgotten since the start, since no later window can reach their past.
    pub forgotten_pairs: u64,
    /// The log must pass this time for the next window to close; none while no window is open.
    pub closes_after: Option<LogTime>,
}
