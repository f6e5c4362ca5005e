//! The share that other instances have of each client's rate, to go on with where they are not heard.

use std::collections::HashMap;

use netqoe_server::TokenId;

use super::Taken;
use super::untold::Share;

/// A turn counts as this part of the mean, so that the mean is that of about a second.
const WEIGHT: u64 = 5;
/// Shares are counted in thousandths of a request.
const PARTS: u64 = 1_000;
/// A share below this is none: one request in four seconds.
const LEAST: u64 = 50;
/// Clients whose shares are kept, about 15 MB. Others have their whole rate at each instance while these don't hear each other.
const MAX_CLIENTS: usize = 100_000;

/// What other instances take of the rates of clients, in a turn.
#[derive(Default)]
pub(super) struct Shares {
    of_client: HashMap<(TokenId, String), Means>,
}

#[derive(Default)]
struct Means {
    heard: Taken,
    requests: Mean,
    events: Mean,
}

#[derive(Default)]
struct Mean {
    parts: u64,
    owed: u64,
}

impl Shares {
    /// Another instance has told of this.
    pub(super) fn hear(&mut self, share: &Share) {
        let key = (share.token, share.client_id.clone());
        if self.of_client.len() < MAX_CLIENTS || self.of_client.contains_key(&key) {
            let means = self.of_client.entry(key).or_default();
            means.heard = means.heard.and(share.taken);
        }
    }

    /// A turn is over in which the others were heard.
    pub(super) fn settle(&mut self) {
        self.of_client.retain(|_, means| {
            let heard = std::mem::take(&mut means.heard);
            means.requests.settle(heard.requests);
            means.events.settle(heard.events);
            means.requests.parts >= LEAST || means.events.parts >= LEAST
        });
    }

    /// What the others will have taken in a turn in which they were not heard.
    pub(super) fn assume(&mut self) -> Vec<Share> {
        let assumed = self.of_client.iter_mut().map(|((token, client_id), means)| Share {
            token: *token,
            client_id: client_id.clone(),
            taken: Taken { requests: means.requests.assume(), events: means.events.assume() },
        });
        assumed.collect()
    }
}

impl Mean {
    fn settle(&mut self, heard: u32) {
        self.parts = (self.parts * (WEIGHT - 1) + u64::from(heard) * PARTS) / WEIGHT;
        self.owed = 0;
    }

    fn assume(&mut self) -> u32 {
        let owed = self.owed + self.parts;
        self.owed = owed % PARTS;
        u32::try_from(owed / PARTS).unwrap_or(u32::MAX)
    }
}
