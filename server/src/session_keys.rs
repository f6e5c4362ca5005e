//! The keys that sign sessions, one for each token that may read. They are made when a session is opened or shown for the first time.
//!
//! Making one is slow on purpose, and a request with a session needs all of them: with many tokens that takes seconds. So they are made
//! on a thread apart from those that serve requests. A connection whose first request keeps its thread for as long as the head of a
//! request may take is dropped without an answer.

use std::sync::{Arc, OnceLock};

use sha2::Sha256;
use tokio::sync::Mutex;

/// What a key costs to make, so that who has a cookie can't find its token by trying: some hundredths of a second for each try.
const KEY_ROUNDS: u32 = 200_000;
const KEY_SALT: &[u8] = b"netqoe session key";

/// A key that signs sessions.
pub(crate) type Key = [u8; 32];

/// The key of one token, once it is made.
pub(crate) struct SessionKey {
    digest: [u8; 32],
    key: OnceLock<Key>,
}

impl SessionKey {
    /// That of the token with this SHA-256.
    pub(crate) fn new(digest: [u8; 32]) -> Self {
        Self { digest, key: OnceLock::new() }
    }

    pub(crate) fn get(&self) -> Option<&Key> {
        self.key.get()
    }
}

/// From a token's SHA-256 to its key.
type Make = dyn Fn(&[u8; 32]) -> Key + Send + Sync;

/// Makes keys, those of one request after those of another: however many wait, one thread works for all of them.
pub(crate) struct KeyMaker {
    make: Arc<Make>,
    turn: Arc<Mutex<()>>,
}

impl KeyMaker {
    /// With this function from a token's SHA-256 to its key.
    pub(crate) fn new(make: impl Fn(&[u8; 32]) -> Key + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(make), turn: Arc::default() }
    }

    /// Returns once these keys are made.
    pub(crate) async fn make(&self, keys: Vec<Arc<SessionKey>>) {
        if keys.iter().all(|key| key.get().is_some()) {
            return;
        }
        let make = Arc::clone(&self.make);
        // The turn is the thread's, so that it ends with the work also where nobody waits for it any more.
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let work = move || {
            let _turn = turn;
            keys.iter().for_each(|key| _ = key.key.get_or_init(|| make(&key.digest)));
        };
        if let Err(error) = tokio::task::spawn_blocking(work).await {
            tracing::error!("making the keys of sessions broke off: {error}");
        }
    }
}

impl Default for KeyMaker {
    fn default() -> Self {
        Self::new(|digest| {
            let mut key = [0; 32];
            pbkdf2::pbkdf2_hmac::<Sha256>(digest, KEY_SALT, KEY_ROUNDS, &mut key);
            key
        })
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{self, ThreadId};
    use std::time::Duration;

    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn each_key_is_made_once_and_not_by_the_thread_that_asks() {
        let made_on: Arc<parking_lot::Mutex<Vec<ThreadId>>> = Arc::default();
        let noted = Arc::clone(&made_on);
        let maker = KeyMaker::new(move |digest| {
            noted.lock().push(thread::current().id());
            *digest
        });
        let keys: Vec<_> = [[1; 32], [2; 32]].map(|digest| Arc::new(SessionKey::new(digest))).to_vec();
        join_all((0..20).map(|_| maker.make(keys.clone()))).await;
        assert_eq!(keys[1].get(), Some(&[2; 32]));
        let made_on = made_on.lock();
        assert_eq!(made_on.len(), keys.len());
        assert!(!made_on.contains(&thread::current().id()), "who serves requests makes no key");
    }

    #[tokio::test]
    async fn who_leaves_while_keys_are_made_leaves_no_second_thread_behind() {
        let (release, released) = std::sync::mpsc::channel();
        let released = parking_lot::Mutex::new(released);
        let maker = KeyMaker::new(move |digest| {
            released.lock().recv().unwrap();
            *digest
        });
        let key = Arc::new(SessionKey::new([1; 32]));
        for _ in 0..3 {
            let making = maker.make(vec![Arc::clone(&key)]);
            assert!(tokio::time::timeout(Duration::ZERO, making).await.is_err(), "it is not made yet");
        }
        assert!(maker.turn.try_lock().is_err(), "the first thread is still at work");
        release.send(()).unwrap();
        maker.make(vec![Arc::clone(&key)]).await;
        assert!(key.get().is_some());
    }
}
