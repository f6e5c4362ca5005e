//! Dead letters, where nobody could do anything with them.

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use netqoe_query::{DeadLetters, DeadLettersError, LetterPage};

use super::ONLY_READS;

/// They are the business of the process that writes the store.
pub(super) struct NoLetters;

impl DeadLetters for NoLetters {
    fn count(&self) -> BoxFuture<'_, Result<u64, DeadLettersError>> {
        not_here()
    }

    fn page(&self, _: Option<String>, _: usize) -> BoxFuture<'_, Result<Option<LetterPage>, DeadLettersError>> {
        not_here()
    }

    fn replay(&self, _: String) -> BoxFuture<'_, Result<bool, DeadLettersError>> {
        not_here()
    }

    fn how_to_replay(&self) -> String {
        "netqoe dlq".to_owned()
    }
}

fn not_here<T: Send + 'static>() -> BoxFuture<'static, Result<T, DeadLettersError>> {
    ready(Err(DeadLettersError::NotHere(ONLY_READS))).boxed()
}
