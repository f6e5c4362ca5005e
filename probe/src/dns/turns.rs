//! Questions under way: a turn of one server is one name in all families, each with a question of its own.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{timeout, timeout_at};

use super::answer::{DnsAnswer, DnsOutcome, Family, Verdict, judge};
use super::message::QuestionOptions;
use super::name::DnsName;
use super::question::{Question, ask};
use super::resolv_conf::ResolvConf;
use crate::clock::Clock;

/// One server's turn.
pub(super) struct Turn {
    pub(super) server: SocketAddr,
    /// The name, if it is not the one that is looked up.
    pub(super) other_name: Option<String>,
    pub(super) began: Duration,
    /// Since when its answers decide what follows; until then, and where it never came to that, they are evidence.
    pub(super) decides_since: Option<Duration>,
    pub(super) answers: Vec<DnsAnswer>,
}

/// All turns of a lookup, by their index. What is still under way ends with it.
pub(super) struct Turns {
    pub(super) clock: Clock,
    families: Vec<Family>,
    options: QuestionOptions,
    over_tcp: bool,
    /// How long each of the families is waited for, if they are asked for one after the other.
    in_a_row: Option<Duration>,
    turns: Vec<Turn>,
    questions: JoinSet<(usize, Vec<DnsAnswer>)>,
}

impl Turns {
    pub(super) fn new(families: &[Family], conf: &ResolvConf, clock: Clock) -> Self {
        Self {
            clock,
            families: families.to_vec(),
            options: QuestionOptions { with_edns: conf.edns, with_ad: conf.trust_ad },
            over_tcp: conf.use_tcp,
            in_a_row: conf.single_request.then_some(conf.timeout),
            turns: Vec::new(),
            questions: JoinSet::new(),
        }
    }

    /// Asks `server` for `name`, and returns the turn.
    pub(super) fn begin(&mut self, server: SocketAddr, name: &DnsName, is_itself: bool, is_decisive: bool) -> usize {
        let (index, clock, in_a_row) = (self.turns.len(), self.clock, self.in_a_row);
        let other_name = (!is_itself).then(|| name.to_string());
        let asking = |family| {
            let (name, options, over_tcp) = (name.clone(), self.options, self.over_tcp);
            let (question, other_name) = (Question { server, name, family, options, over_tcp }, other_name.clone());
            async move {
                let start = clock.now();
                let (outcome, alias) = match in_a_row {
                    None => ask(&question).await,
                    Some(patience) => timeout(patience, ask(&question)).await.unwrap_or((DnsOutcome::Unanswered, None)),
                };
                let span = (outcome != DnsOutcome::Unanswered).then(|| clock.since(start));
                DnsAnswer { server, name: other_name, family, span, outcome, alias }
            }
        };
        let questions: Vec<_> = self.families.iter().copied().map(asking).collect();
        if in_a_row.is_some() {
            self.questions.spawn(async move {
                let mut answers = Vec::new();
                // A comes first, as with the C library.
                for question in questions.into_iter().rev() {
                    answers.push(question.await);
                }
                (index, answers)
            });
        } else {
            for question in questions {
                self.questions.spawn(async move { (index, vec![question.await]) });
            }
        }
        let began = clock.now();
        let decides_since = is_decisive.then_some(began);
        self.turns.push(Turn { server, other_name, began, decides_since, answers: Vec::new() });
        index
    }

    /// Waits for the next answer, and until `until` at most.
    pub(super) async fn take_next(&mut self, until: Duration) {
        let answered = async {
            match self.questions.join_next().await {
                Some(Ok(answered)) => answered,
                // A question never panics and nobody cancels it; without one under way there is nothing but the time.
                Some(Err(_)) | None => std::future::pending().await,
            }
        };
        if let Ok((turn, answers)) = timeout_at(self.clock.instant(until), answered).await {
            self.turns[turn].answers.extend(answers);
        }
    }

    /// Waits for all answers.
    pub(super) async fn take_all(&mut self) {
        while let Some(answered) = self.questions.join_next().await {
            if let Ok((turn, answers)) = answered {
                self.turns[turn].answers.extend(answers);
            }
        }
    }

    /// What follows from a turn's answers now.
    pub(super) fn verdict(&self, turn: usize) -> Verdict {
        let answers: Vec<_> = self.turns[turn].answers.iter().collect();
        judge(&answers, &self.families, self.in_a_row.is_some(), self.clock.now())
    }

    pub(super) fn turn(&self, index: usize) -> &Turn {
        &self.turns[index]
    }

    /// What its server calls the name an alias of.
    pub(super) fn alias(&self, turn: usize) -> Option<String> {
        self.turns[turn].answers.iter().find_map(|answer| answer.alias.clone())
    }

    /// Whether its server has said anything, be it that it has failed.
    pub(super) fn has_said_anything(&self, turn: usize) -> bool {
        self.turns[turn].answers.iter().any(|answer| answer.outcome.is_answer())
    }

    /// When the last of them began.
    pub(super) fn began_last_at(&self) -> Duration {
        self.turns.iter().map(|turn| turn.began).max().unwrap_or_default()
    }

    pub(super) fn all(&self) -> &[Turn] {
        &self.turns
    }

    /// A turn that was evidence, and has been answered in full, decides from now on.
    pub(super) fn promote(&mut self, server: SocketAddr, other_name: Option<&str>) -> Option<usize> {
        let families = self.families.len();
        let index = self.turns.iter().position(|turn| {
            let is_same = turn.server == server && turn.other_name.as_deref() == other_name;
            is_same && turn.decides_since.is_none() && turn.answers.len() == families
        })?;
        self.turns[index].decides_since = Some(self.clock.now());
        Some(index)
    }

    /// What went wrong at each server, once.
    pub(super) fn failures(&self) -> Vec<(SocketAddr, String)> {
        let mut failures: Vec<(SocketAddr, String)> = Vec::new();
        for turn in self.turns.iter().filter(|turn| turn.decides_since.is_some()) {
            let told = turn.answers.iter().find_map(|answer| answer.outcome.failure());
            let is_known = failures.iter().any(|(server, _)| *server == turn.server);
            let cause = told.or_else(|| (turn.answers.len() < self.families.len()).then(|| "no answer".to_owned()));
            if let Some(cause) = cause.filter(|_| !is_known) {
                failures.push((turn.server, cause));
            }
        }
        failures
    }

    /// Each server's answers, in the order in which they came within each turn; those that did not come are last.
    pub(super) fn into_answers(self) -> Vec<DnsAnswer> {
        let mut missing = Vec::new();
        for turn in &self.turns {
            let is_missing = |family: &&Family| !turn.answers.iter().any(|answer| answer.family == **family);
            missing.extend(self.families.iter().filter(is_missing).map(|family| DnsAnswer {
                server: turn.server,
                name: turn.other_name.clone(),
                family: *family,
                span: None,
                outcome: DnsOutcome::Unanswered,
                alias: None,
            }));
        }
        let mut answers: Vec<_> = self.turns.into_iter().flat_map(|turn| turn.answers).collect();
        answers.extend(missing);
        answers
    }
}
