//! What clients were let through since the other instances were last told.

use std::collections::HashMap;

use netqoe_server::TokenId;
use parking_lot::Mutex;

use super::Taken;

/// A client is told of once it has taken this part of a burst, of requests or of events: those that stay well below their rates
/// cost nothing, and all others are known to a few per cent.
const PARTS_OF_BURST: u32 = 20;
/// Clients of one token that are noted at once, about 10 MB: as many as have a rate of their own.
const MAX_CLIENTS: usize = 100_000;

/// What a client takes in a message beside its id.
const ENTRY_BYTES: usize = 32;

/// Clients of each token, with what they took.
pub(crate) struct Untold {
    of_token: Mutex<HashMap<TokenId, HashMap<String, Taken>>>,
    worth_telling: Taken,
}

/// What a client took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) token: TokenId,
    pub(super) client_id: String,
    pub(super) taken: Taken,
}

impl Untold {
    pub(super) fn new(burst: Taken) -> Self {
        let part = |burst: u32| (burst / PARTS_OF_BURST).max(1);
        let worth_telling = Taken { requests: part(burst.requests), events: part(burst.events) };
        Self { of_token: Mutex::default(), worth_telling }
    }

    /// Notes what a client took.
    pub(super) fn add(&self, token: TokenId, client_id: &str, taken: Taken) {
        let mut of_token = self.of_token.lock();
        let clients = of_token.entry(token).or_default();
        if let Some(before) = clients.get_mut(client_id) {
            *before = before.and(taken);
        } else if clients.len() < MAX_CLIENTS {
            clients.insert(client_id.to_owned(), taken);
        }
        // Others have their rate at each instance alone, as all clients have that have no place of their own.
    }

    /// Takes out what is worth telling, up to so many bytes. The rest stays for the next time.
    pub(super) fn take(&self, max_bytes: usize) -> Vec<Share> {
        let mut bytes = 0;
        let mut told = Vec::new();
        for (token, clients) in self.of_token.lock().iter_mut() {
            let is_told = |client_id: &String, taken: &mut Taken| {
                let with_it = bytes + client_id.len() + ENTRY_BYTES;
                let is_told = with_it <= max_bytes && taken.reaches(self.worth_telling);
                bytes = if is_told { with_it } else { bytes };
                is_told
            };
            let share = |(client_id, taken)| Share { token: *token, client_id, taken };
            told.extend(clients.extract_if(is_told).map(share));
        }
        told
    }

    /// Forgets what was not worth telling for long.
    pub(super) fn forget(&self) {
        self.of_token.lock().clear();
    }
}
