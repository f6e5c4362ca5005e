//! Answers that many viewers ask for at the same time: computed once, for a moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use moka::Expiry;
use moka::future::Cache;
use netqoe_model::TagName;

use super::asked::Scope;
use super::current::Current;
use crate::answer::Refusal;

/// How old an answer may be, from when the reading that it is made of began: a page asks once a second at most, and shows what
/// is new within one.
const MAX_AGE: Duration = Duration::from_millis(500);

/// Memory for answers. A heatmap of 2,000 × 200 takes a megabyte.
const MAX_BYTES: u64 = 32 << 20;

/// What many ask.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// How the fleet is, grouped by this label.
    Overview(Scope, Option<TagName>),
    /// The cells of the heatmap.
    Matrix(Scope),
    /// Degraded pairs over time, in so many points at most.
    Timeline(Scope, u32),
}

/// Memory for readings. A larger one serves those who wait for it, and is not kept.
const MAX_READING_BYTES: u64 = 32 << 20;

/// What several questions are answered from, and when it began to be read.
pub(crate) struct Reading {
    began: Instant,
    pub(crate) current: Current,
}

/// An answer, as JSON, and when its reading began.
#[derive(Clone)]
struct Answer {
    began: Instant,
    json: Bytes,
}

/// The answers, and the readings that they were made from.
#[derive(Clone)]
pub(crate) struct SharedAnswers {
    readings: Cache<Scope, Arc<Reading>>,
    answers: Cache<Question, Answer>,
}

impl SharedAnswers {
    pub(crate) fn new() -> Self {
        let reading_bytes = |_: &Scope, reading: &Arc<Reading>| as_weight(reading.current.bytes());
        let readings = Cache::builder().expire_after(SinceRead).weigher(reading_bytes).max_capacity(MAX_READING_BYTES);
        let answer_bytes = |_: &Question, answer: &Answer| as_weight(answer.json.len());
        let answers = Cache::builder().expire_after(SinceRead).weigher(answer_bytes).max_capacity(MAX_BYTES);
        Self { readings: readings.build(), answers: answers.build() }
    }

    /// The answer that others got just now, or are waiting for, or else this one.
    pub(crate) async fn get(
        &self,
        question: Question,
        answer: impl Future<Output = Result<Bytes, Refusal>>,
    ) -> Result<Bytes, Refusal> {
        let answer = async {
            let began = Instant::now();
            Ok(Answer { began, json: answer.await? })
        };
        self.get_or(question, answer).await
    }

    /// The answer that others got just now, or are waiting for, or else what `answer` makes of the current rows of a scope that
    /// others got just now, or are waiting for, or else of what `read` finds.
    pub(crate) async fn get_of_current<A: Future<Output = Result<Bytes, Refusal>>>(
        &self,
        question: Question,
        (scope, read): (Scope, impl Future<Output = Result<Current, Refusal>>),
        answer: impl FnOnce(Arc<Reading>) -> A,
    ) -> Result<Bytes, Refusal> {
        let answer = async {
            let reading = self.readings.try_get_with(scope, async {
                let began = Instant::now();
                Ok(Arc::new(Reading { began, current: read.await? }))
            });
            let reading = reading.await.map_err(|refusal: Arc<Refusal>| Refusal::clone(&refusal))?;
            Ok(Answer { began: reading.began, json: answer(reading).await? })
        };
        self.get_or(question, answer).await
    }

    async fn get_or(
        &self,
        question: Question,
        answer: impl Future<Output = Result<Answer, Refusal>>,
    ) -> Result<Bytes, Refusal> {
        let answered = self.answers.try_get_with(question, answer).await;
        answered.map(|answer| answer.json).map_err(|refusal| Refusal::clone(&refusal))
    }
}

fn as_weight(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// What was read is old from when its reading began, however often something is made of it.
struct SinceRead;

impl SinceRead {
    fn left(began: Instant, now: Instant) -> Option<Duration> {
        Some(MAX_AGE.saturating_sub(now.saturating_duration_since(began)))
    }
}

impl Expiry<Scope, Arc<Reading>> for SinceRead {
    fn expire_after_create(&self, _: &Scope, reading: &Arc<Reading>, now: Instant) -> Option<Duration> {
        Self::left(reading.began, now)
    }
}

impl Expiry<Question, Answer> for SinceRead {
    fn expire_after_create(&self, _: &Question, answer: &Answer, now: Instant) -> Option<Duration> {
        Self::left(answer.began, now)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn overview(scope: Scope) -> Question {
        Question::Overview(scope, None)
    }

    fn scope(client_id: &str) -> Scope {
        let scope = r#"{"client_id": "NAME"}"#.replace("NAME", client_id);
        let parameters: super::super::asked::FleetParameters = serde_json::from_str(&scope).unwrap();
        parameters.scope().unwrap()
    }

    /// How often something was read, and answered.
    #[derive(Default)]
    struct Done {
        read: AtomicUsize,
        answered: AtomicUsize,
    }

    impl Done {
        async fn ask(
            &self,
            answers: &SharedAnswers,
            question: fn(Scope) -> Question,
            client_id: &str,
            json: &'static str,
        ) -> Bytes {
            let scope = scope(client_id);
            let read = async {
                self.read.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(Current::default())
            };
            let answer = |_| async {
                self.answered.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(Bytes::from_static(json.as_bytes()))
            };
            answers.get_of_current(question(scope.clone()), (scope, read), answer).await.unwrap()
        }

        fn counts(&self) -> (usize, usize) {
            (self.read.load(Ordering::SeqCst), self.answered.load(Ordering::SeqCst))
        }
    }

    #[tokio::test]
    async fn who_asks_the_same_at_the_same_time_shares_an_answer_and_all_a_reading() {
        let (answers, done) = (SharedAnswers::new(), Done::default());
        let got = tokio::join!(
            done.ask(&answers, overview, "a", "overview of a"),
            done.ask(&answers, overview, "a", "overview of a"),
            done.ask(&answers, Question::Matrix, "a", "matrix of a"),
            done.ask(&answers, overview, "b", "overview of b"),
        );
        let expected = ["overview of a", "overview of a", "matrix of a", "overview of b"];
        assert_eq!([got.0, got.1, got.2, got.3], expected);
        assert_eq!(done.counts(), (2, 3));
    }

    #[tokio::test]
    async fn an_answer_is_not_kept_for_long_and_a_refusal_not_at_all() {
        let (answers, done, scope) = (SharedAnswers::new(), Done::default(), scope("a"));
        let (question, no) = (overview(scope.clone()), || async { Err(Refusal::invalid("no")) });
        assert!(answers.get(question.clone(), no()).await.is_err());
        let read = async { Err(Refusal::invalid("no")) };
        let answered =
            answers.get_of_current(question.clone(), (scope.clone(), read), |_| async { Ok("never".into()) });
        assert!(answered.await.is_err());
        let read = async { Ok(Current::default()) };
        assert!(answers.get_of_current(question, (scope, read), |_| no()).await.is_err());

        assert_eq!(done.ask(&answers, overview, "a", "1").await, "1");
        tokio::time::sleep(MAX_AGE * 2).await;
        assert_eq!(done.ask(&answers, overview, "a", "2").await, "2");
        assert_eq!(answers.get(Question::Matrix(self::scope("a")), async { Ok("3".into()) }).await.unwrap(), "3");
        assert_eq!(answers.get(Question::Matrix(self::scope("a")), async { Ok("4".into()) }).await.unwrap(), "3");
    }

    #[test]
    fn an_answer_is_as_old_as_its_reading() {
        let began = Instant::now();
        let answer = Answer { began, json: Bytes::new() };
        for (later, left) in [(Duration::ZERO, MAX_AGE), (MAX_AGE / 5 * 4, MAX_AGE / 5), (MAX_AGE * 2, Duration::ZERO)]
        {
            let question = Question::Matrix(scope("a"));
            assert_eq!(SinceRead.expire_after_create(&question, &answer, began + later), Some(left));
        }
    }
}
