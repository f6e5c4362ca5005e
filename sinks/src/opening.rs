/// How a generation is opened, as the store keeps it for later messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The rules by which its rows are made, as JSON.
    pub rules: Option<String>,
    /// The process that opens it, as messages name it.
    pub opened_by: Option<String>,
}
