//! Answers that many viewers ask for at the same time: computed once, for a moment.

use std::time::Duration;

use axum::body::Bytes;
use moka::future::Cache;

use super::asked::Scope;
use crate::answer::Refusal;

/// How old an answer may be: a page asks once a second at most, and shows what is new within one.
const MAX_AGE: Duration = Duration::from_millis(500);

/// Memory for answers. A heatmap of 2,000 × 200 takes a megabyte.
const MAX_BYTES: u64 = 32 << 20;

/// What many ask.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// How the fleet is.
    Overview(Scope),
    /// The cells of the heatmap.
    Matrix(Scope),
    /// Degraded pairs over time, in so many points at most.
    Timeline(Scope, u32),
}

/// The answers, as JSON.
#[derive(Clone)]
pub(crate) struct SharedAnswers(Cache<Question, Bytes>);

impl SharedAnswers {
    pub(crate) fn new() -> Self {
        let bytes = |_: &Question, answer: &Bytes| u32::try_from(answer.len()).unwrap_or(u32::MAX);
        Self(Cache::builder().time_to_live(MAX_AGE).weigher(bytes).max_capacity(MAX_BYTES).build())
    }

    /// The answer that others got just now, or are waiting for, or else this one.
    pub(crate) async fn get(
        &self,
        question: Question,
        answer: impl Future<Output = Result<Bytes, Refusal>>,
    ) -> Result<Bytes, Refusal> {
        self.0.try_get_with(question, answer).await.map_err(|refusal| Refusal::clone(&refusal))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn question(client_id: &str) -> Question {
        let scope = r#"{"client_id": "NAME"}"#.replace("NAME", client_id);
        let parameters: super::super::asked::FleetParameters = serde_json::from_str(&scope).unwrap();
        Question::Overview(parameters.scope().unwrap())
    }

    #[tokio::test]
    async fn who_asks_the_same_at_the_same_time_shares_an_answer() {
        let (answers, computed) = (SharedAnswers::new(), AtomicUsize::new(0));
        let ask = |client_id: &'static str| {
            answers.get(question(client_id), async {
                computed.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(Bytes::from_static(client_id.as_bytes()))
            })
        };
        let (first, second, other) = tokio::join!(ask("a"), ask("a"), ask("b"));
        assert_eq!((first.unwrap(), second.unwrap(), other.unwrap()), ("a".into(), "a".into(), "b".into()));
        assert_eq!(computed.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn an_answer_is_not_kept_for_long_and_a_refusal_not_at_all() {
        let answers = SharedAnswers::new();
        let refused = answers.get(question("a"), async { Err(Refusal::invalid("no")) }).await;
        assert!(refused.is_err());
        assert_eq!(answers.get(question("a"), async { Ok("1".into()) }).await.unwrap(), "1");
        tokio::time::sleep(MAX_AGE * 2).await;
        assert_eq!(answers.get(question("a"), async { Ok("2".into()) }).await.unwrap(), "2");
    }
}
