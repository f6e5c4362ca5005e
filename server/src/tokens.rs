//! Bearer tokens: who holds one, and for which clients it speaks. They may be replaced while the server runs.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use tokio_util::sync::CancellationToken;

use crate::attempts::Attempts;
use crate::session::{Session, SessionId};
use crate::session_keys::{Key, KeyMaker, SessionKey};

/// What a server without tokens, on loopback, accepts beside no token: the load tests of the guide send it.
const DEMO_TOKEN: &str = "demo-token";
/// Shortest token: below it somebody guesses it in no time, however slow.
const MIN_TOKEN_BYTES: usize = 3;
/// Shorter ones are warned of.
const GOOD_TOKEN_BYTES: usize = 16;
/// The tokens that a server accepts. Only their SHA-256 is kept; none is ever shown or logged. Clones are the same: what replaces one
/// replaces all.
#[derive(Clone)]
pub struct Tokens {
    present: Arc<RwLock<List>>,
    /// Tries from all routes together.
    pub(crate) attempts: Arc<Attempts>,
    key_maker: Arc<KeyMaker>,
}

/// Those of one time.
#[derive(Clone)]
struct List {
    known: Arc<[Arc<Known>]>,
    /// Whether a request may come without a token.
    accepts_none: bool,
    /// The id of the next token that is new: none is given twice.
    next_id: usize,
}

struct Known {
    id: TokenId,
    digest: [u8; 32],
    grant: Grant,
    session_key: Arc<SessionKey>,
    /// Cancelled once the token is accepted no more.
    withdrawn: CancellationToken,
}

/// What has become of the tokens that were replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Tokens that are accepted from now on, and were not.
    pub added: usize,
    /// Tokens that were accepted, and are not any more.
    pub withdrawn: usize,
}

/// Tells a token from others, also from those that it was replaced with; a request without one, where none is needed, has the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenId(pub usize);

/// What the token of a request allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Which token it is.
    pub token: TokenId,
    /// The clients that it speaks for.
    pub grant: Grant,
}

/// The clients that a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// All of them.
    Any,
    /// One.
    Client(Arc<str>),
    /// Those whose `client_id` begins so.
    Prefix(Arc<str>),
}

/// Why tokens can't be used. Lines are counted from 1; no token is ever quoted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokensError {
    /// Nothing but comments.
    #[error("the list of tokens is empty; write one token a line, as `token`, `token=client` or `token=prefix*`")]
    Empty,
    /// Not one of the three forms.
    #[error("line {line} of the tokens {problem}; write `token`, `token=client` or `token=prefix*`")]
    Line {
        /// Which.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two lines with the same token.
    #[error("line {line} of the tokens repeats the token of line {first}; remove one of them")]
    Repeated {
        /// The later line.
        line: usize,
        /// The earlier line.
        first: usize,
    },
    /// Anyone on the network could write.
    #[error("refusing to listen on {address} without tokens; configure tokens, or listen on a loopback address")]
    NeededBeyondLoopback {
        /// Where it was to listen.
        address: SocketAddr,
    },
}

impl Tokens {
    /// Those of a server that has none configured and is reached from this machine only: a request without a token
    /// is accepted, as is the guide's `demo-token`; any other token is wrong.
    pub fn none_on_loopback() -> Self {
        Self::of(vec![(DEMO_TOKEN.to_owned(), Grant::Any)], true)
    }

    /// Reads one token a line: `token` speaks for every client, `token=client` for one, `token=prefix*` for those
    /// whose `client_id` begins so. Blank lines and lines that begin with `#` are passed over.
    ///
    /// # Errors
    /// [`TokensError`], which names the line.
    pub fn parse(text: &str) -> Result<Self, TokensError> {
        let mut known: Vec<(usize, (String, Grant))> = Vec::new();
        let mut short: Vec<usize> = Vec::new();
        for (line, entry) in (1..).zip(text.lines().map(str::trim)) {
            if entry.is_empty() || entry.starts_with('#') {
                continue;
            }
            if entry.split('=').next().is_some_and(|token| token.len() < GOOD_TOKEN_BYTES) {
                short.push(line);
            }
            let entry = parse_entry(entry).map_err(|problem| TokensError::Line { line, problem })?;
            if let Some((first, _)) = known.iter().find(|(_, (earlier, _))| *earlier == entry.0) {
                return Err(TokensError::Repeated { line, first: *first });
            }
            known.push((line, entry));
        }
        if known.is_empty() {
            return Err(TokensError::Empty);
        }
        if let Some(line) = short.first() {
            let count = short.len();
            tracing::warn!(
                "{count} of the tokens have fewer than {GOOD_TOKEN_BYTES} characters (the first in line {line}) and may be guessed; take random ones, as `openssl rand -hex 16` makes"
            );
        }
        Ok(Self::of(known.into_iter().map(|(_, entry)| entry).collect(), false))
    }

    fn of(entries: Vec<(String, Grant)>, accepts_none: bool) -> Self {
        let next_id = entries.len();
        let known = entries.into_iter().enumerate();
        let known = known.map(|(id, (token, grant))| Arc::new(Known::new(TokenId(id), digest(&token), grant)));
        let present = List { known: known.collect(), accepts_none, next_id };
        Self { present: Arc::new(RwLock::new(present)), attempts: Arc::default(), key_maker: Arc::default() }
    }

    /// Accepts these from now on, and no others: new ones hold at once, and those that are not among them are refused at once, with the
    /// sessions that they have opened. A token that stays is the same as before.
    pub fn replace(&self, others: &Self) -> Replaced {
        let others = others.list();
        let mut present = self.present.write();
        let mut next_id = present.next_id;
        let mut added = 0;
        let known = others.known.iter().map(|other| {
            let same = present.known.iter().find(|known| known.digest == other.digest && known.grant == other.grant);
            same.cloned().unwrap_or_else(|| {
                let id = TokenId(next_id);
                next_id += 1;
                added += 1;
                Arc::new(Known::new(id, other.digest, other.grant.clone()))
            })
        });
        let known: Arc<[Arc<Known>]> = known.collect();
        let stays = |before: &Known| known.iter().any(|known| known.id == before.id);
        let gone: Vec<_> = present.known.iter().filter(|before| !stays(before)).cloned().collect();
        *present = List { known: Arc::clone(&known), accepts_none: others.accepts_none, next_id };
        drop(present);
        gone.iter().for_each(|known| known.withdrawn.cancel());
        Replaced { added, withdrawn: gone.len() }
    }

    fn list(&self) -> List {
        self.present.read().clone()
    }

    /// What each allows.
    pub fn grants(&self) -> Vec<Grant> {
        self.list().known.iter().map(|known| known.grant.clone()).collect()
    }

    /// All tokens, in an order that is the same for every process with the same list, and tells nothing of them. Ids depend on what a
    /// process has replaced.
    pub fn in_common_order(&self) -> Vec<TokenId> {
        let mut known: Vec<_> = self.list().known.iter().cloned().collect();
        known.sort_unstable_by_key(|known| known.digest);
        known.into_iter().map(|known| known.id).collect()
    }

    /// Whether this token is accepted.
    pub(crate) fn has(&self, token: TokenId) -> bool {
        self.list().by_id(token).is_some()
    }

    /// Cancelled once this token is accepted no more.
    pub(crate) fn withdrawal_of(&self, token: TokenId) -> CancellationToken {
        if let Some(known) = self.list().by_id(token) {
            return known.withdrawn.clone();
        }
        let withdrawn = CancellationToken::new();
        withdrawn.cancel();
        withdrawn
    }

    /// Whether a server with these tokens may listen there.
    ///
    /// # Errors
    /// [`TokensError::NeededBeyondLoopback`] where others than this machine could write without a token.
    pub fn check_address(&self, address: SocketAddr) -> Result<(), TokensError> {
        if self.accept_none() && !address.ip().to_canonical().is_loopback() {
            return Err(TokensError::NeededBeyondLoopback { address });
        }
        Ok(())
    }

    /// What a request may do that came with this token, or without one. `None` where it may do nothing.
    pub fn grant(&self, token: Option<&str>) -> Option<Grant> {
        self.find(token).map(|bearer| bearer.grant)
    }

    /// The same, and which token it is.
    ///
    /// The time that this takes tells nothing of the tokens: hashes are compared, each in full, and always all.
    pub(crate) fn find(&self, token: Option<&str>) -> Option<Bearer> {
        let list = self.list();
        let known = match token {
            Some(token) => list.by_digest(&digest(token)),
            None => list.known.first().filter(|_| list.accepts_none),
        };
        known.map(|known| Bearer { token: known.id, grant: known.grant.clone() })
    }

    /// Whether a request may come without a token.
    pub(crate) fn accept_none(&self) -> bool {
        self.present.read().accepts_none
    }

    /// Those that may open sessions. Waits where their keys are still to be made.
    pub(crate) async fn signers(&self) -> Signers {
        let list = self.list();
        let may_read: Vec<_> = list.known.iter().filter(|known| known.grant == Grant::Any).cloned().collect();
        self.key_maker.make(may_read.iter().map(|known| Arc::clone(&known.session_key)).collect()).await;
        Signers(may_read.iter().filter_map(|known| Some((known.id, *known.session_key.get()?))).collect())
    }
}

#[cfg(test)]
impl Tokens {
    /// The same, whose keys for sessions are made by this function of a token's SHA-256.
    pub(crate) fn with_keys_by(self, make: impl Fn(&[u8; 32]) -> Key + Send + Sync + 'static) -> Self {
        Self { key_maker: Arc::new(KeyMaker::new(make)), ..self }
    }
}

/// The tokens that might open sessions at one time, each with its key.
pub(crate) struct Signers(Vec<(TokenId, Key)>);

impl Signers {
    /// A session for who holds this token, where that is one of them.
    pub(crate) fn open(&self, token: TokenId, id: SessionId, now_s: i64) -> Option<Session> {
        let (_, key) = self.0.iter().find(|(signer, _)| *signer == token)?;
        Some(Session::open(key, id, now_s))
    }

    /// Which of them has opened it.
    pub(crate) fn signer_of(&self, session: &Session) -> Option<TokenId> {
        self.key_of(session).map(|(token, _)| *token)
    }

    /// The same session, as used now; none where none of them has opened it.
    pub(crate) fn renew(&self, session: &Session, now_s: i64) -> Option<Session> {
        self.key_of(session).map(|(_, key)| session.renew(key, now_s))
    }

    /// All keys are tried, whichever fits.
    fn key_of(&self, session: &Session) -> Option<&(TokenId, Key)> {
        self.0.iter().fold(None, |found, signer| session.is_signed_with(&signer.1).then_some(signer).or(found))
    }
}

impl List {
    fn by_id(&self, token: TokenId) -> Option<&Arc<Known>> {
        self.known.iter().find(|known| known.id == token)
    }

    fn by_digest(&self, digest: &[u8; 32]) -> Option<&Arc<Known>> {
        let mut found = u64::MAX;
        for (index, known) in (0_u64..).zip(self.known.iter()) {
            found.conditional_assign(&index, known.digest.ct_eq(digest));
        }
        self.known.get(usize::try_from(found).ok()?)
    }
}

impl Known {
    fn new(id: TokenId, digest: [u8; 32], grant: Grant) -> Self {
        let session_key = Arc::new(SessionKey::new(digest));
        Self { id, digest, grant, session_key, withdrawn: CancellationToken::new() }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = self.list();
        f.debug_struct("Tokens").field("count", &list.known.len()).field("accepts_none", &list.accepts_none).finish()
    }
}

impl Grant {
    /// Whether events of this client may be sent.
    pub fn allows(&self, client_id: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Client(client) => **client == *client_id,
            Self::Prefix(prefix) => client_id.starts_with(&**prefix),
        }
    }
}

pub(crate) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn parse_entry(entry: &str) -> Result<(String, Grant), &'static str> {
    let (token, client) = entry.split_once('=').map_or((entry, None), |(token, client)| (token, Some(client)));
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has no token of visible ASCII characters");
    }
    if token.len() < MIN_TOKEN_BYTES {
        return Err("has a token of fewer than 3 characters, which anybody guesses; take 16 random ones or more");
    }
    let grant = match client {
        None => Grant::Any,
        Some("") => return Err("names no client after `=`"),
        // Base64 with its padding left on would else bind the token to a client that is called `=`.
        Some(client) if client.starts_with('=') => return Err("has more than one `=`, which a token can't hold"),
        Some(client) => match client.strip_suffix('*') {
            Some(prefix) => Grant::Prefix(prefix.into()),
            None => Grant::Client(client.into()),
        },
    };
    Ok((token.to_owned(), grant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_speaks_for_its_clients() {
        let tokens = Tokens::parse("# probes\n\nall\r\none=probe-1\n  many=lab-*  \n").unwrap();
        assert_eq!(tokens.grant(Some("all")), Some(Grant::Any));
        for (token, client_id, allowed) in [
            ("all", "anyone", true),
            ("one", "probe-1", true),
            ("one", "probe-11", false),
            ("many", "lab-7", true),
            ("many", "xlab-7", false),
        ] {
            assert_eq!(tokens.grant(Some(token)).unwrap().allows(client_id), allowed, "{token} {client_id}");
        }
        for wrong in
            [None, Some(""), Some("al"), Some("alll"), Some("# probes"), Some("demo-token"), Some("one=probe-1")]
        {
            assert_eq!(tokens.grant(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn without_tokens_only_this_machine_may_write() {
        let tokens = Tokens::none_on_loopback();
        assert_eq!(tokens.grant(None), Some(Grant::Any));
        assert_eq!(tokens.grant(Some("demo-token")), Some(Grant::Any));
        assert_eq!(tokens.grant(Some("other")), None);
        for (address, allowed) in [
            ("127.0.0.1:8081", true),
            ("127.9.9.9:8081", true),
            ("[::1]:8081", true),
            ("[::ffff:127.0.0.1]:8081", true),
            ("0.0.0.0:8081", false),
            ("[::]:8081", false),
            ("192.0.2.1:8081", false),
        ] {
            assert_eq!(tokens.check_address(address.parse().unwrap()).is_ok(), allowed, "{address}");
            assert!(Tokens::parse("secret").unwrap().check_address(address.parse().unwrap()).is_ok());
        }
    }

    #[test]
    fn a_bad_line_is_named_and_never_quoted() {
        assert!(Tokens::parse("lab=lab-*").is_ok(), "a short one is warned of");
        for (text, message) in [
            ("", "the list of tokens is empty"),
            ("# only a comment", "the list of tokens is empty"),
            ("okay\n=client", "line 2 of the tokens has no token"),
            ("two words", "line 1 of the tokens has no token"),
            ("x", "line 1 of the tokens has a token of fewer than 3 characters"),
            ("secret\nxy=client", "line 2 of the tokens has a token of fewer than 3 characters"),
            ("secret=", "line 1 of the tokens names no client"),
            ("secret==", "line 1 of the tokens has more than one"),
            ("secret\n\nsecret=client", "line 3 of the tokens repeats the token of line 1"),
        ] {
            let error = Tokens::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{text:?}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[tokio::test]
    async fn tokens_that_stay_are_the_same_and_others_end_at_once() {
        let tokens = Tokens::parse("stays\nbound=client\ngoes").unwrap().with_keys_by(|digest| *digest);
        let clone = tokens.clone();
        let id = |token| clone.find(Some(token)).map(|bearer| bearer.token);
        let [stays, bound, goes] = ["stays", "bound", "goes"].map(|token| id(token).unwrap());
        let signers = clone.signers().await;
        let session = |token| signers.open(token, SessionId([1; 16]), 0).unwrap();
        let (of_stays, of_goes) = (session(stays), session(goes));
        let (kept, withdrawn) = (clone.withdrawal_of(stays), clone.withdrawal_of(goes));

        let replaced = tokens.replace(&Tokens::parse("new\nstays\nbound=other").unwrap());
        assert_eq!(replaced, Replaced { added: 2, withdrawn: 2 }, "another client is another grant");
        assert_eq!((id("stays"), id("goes")), (Some(stays), None));
        assert!([stays, bound, goes].iter().all(|before| Some(*before) != id("new") && Some(*before) != id("bound")));
        assert!(!kept.is_cancelled() && withdrawn.is_cancelled() && clone.withdrawal_of(goes).is_cancelled());
        let signers = clone.signers().await;
        assert_eq!((signers.signer_of(&of_stays), signers.signer_of(&of_goes)), (Some(stays), None));
        assert!(tokens.has(stays) && !tokens.has(goes));

        assert_eq!(tokens.replace(&Tokens::parse("goes").unwrap()), Replaced { added: 1, withdrawn: 3 });
        assert_ne!(id("goes"), Some(goes), "what was withdrawn does not come back");
        assert_eq!(clone.signers().await.signer_of(&of_goes), id("goes"), "a session holds wherever its token does");
    }

    #[test]
    fn a_server_that_needed_no_token_may_need_one() {
        let tokens = Tokens::none_on_loopback();
        let clone = tokens.clone();
        tokens.replace(&Tokens::parse("a-new-token").unwrap());
        assert!(clone.grant(None).is_none() && clone.grant(Some("demo-token")).is_none() && !clone.accept_none());
        assert_eq!(clone.grant(Some("a-new-token")), Some(Grant::Any));
        tokens.replace(&Tokens::none_on_loopback());
        assert_eq!(clone.find(None).map(|bearer| bearer.token), clone.find(Some("demo-token")).map(|b| b.token));
        assert!(clone.find(None).is_some_and(|bearer| clone.has(bearer.token)));
    }

    #[test]
    fn all_processes_with_the_same_list_have_the_same_order() {
        let (one, other) = (Tokens::parse("first\nsecond\nthird").unwrap(), Tokens::parse("fourth\nsecond").unwrap());
        let list = Tokens::parse("third\nfourth\nsecond").unwrap();
        let order = |tokens: &Tokens| {
            tokens.replace(&list);
            let place =
                |token| tokens.in_common_order().iter().position(|id| tokens.find(Some(token)).unwrap().token == *id);
            ["second", "third", "fourth"].map(|token| place(token).unwrap())
        };
        assert_eq!(order(&one), order(&other));
    }

    #[test]
    fn debug_output_holds_no_token() {
        let shown = format!("{:?}", Tokens::parse("secret=client").unwrap());
        assert_eq!(shown, "Tokens { count: 1, accepts_none: false }");
    }
}
