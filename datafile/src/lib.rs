//! The SQLite files of netqoe, whatever they hold: why one can't be used at the moment, and who may read it.
//!
//! Log, store and spool keep their tables in such files. This crate must not know what is in them.

mod access;
mod real_path;
mod trouble;

pub use access::{FILE_MODE, FOLDER_MODE, OPEN_TO_OTHERS, is_open_to_others, make_folder, make_private, open_mode};
pub use real_path::real_path;
pub use trouble::{Trouble, described};
