//! What each token has of its own, such as its share of memory: made when it is needed first, gone some time after its token was
//! withdrawn.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::tokens::{TokenId, Tokens};

/// One `T` for each token.
pub struct PerToken<T> {
    tokens: Tokens,
    make: Box<dyn Fn(&Tokens) -> T + Send + Sync>,
    made: RwLock<HashMap<TokenId, Arc<T>>>,
}

impl<T> PerToken<T> {
    /// Of these tokens; `make` makes that of a token that has none yet.
    pub fn new(tokens: Tokens, make: impl Fn(&Tokens) -> T + Send + Sync + 'static) -> Self {
        Self { tokens, make: Box::new(make), made: RwLock::default() }
    }

    /// That of this token.
    pub fn of(&self, token: TokenId) -> Arc<T> {
        if let Some(made) = self.made.read().get(&token) {
            return Arc::clone(made);
        }
        let mut made = self.made.write();
        // Only a new token brings one more, so this is the time to give up those of tokens that were withdrawn: they stay bounded.
        made.retain(|token, _| self.tokens.has(*token));
        Arc::clone(made.entry(token).or_insert_with(|| Arc::new((self.make)(&self.tokens))))
    }

    /// All that there are.
    pub fn all(&self) -> Vec<Arc<T>> {
        self.made.read().values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_keeps_its_own_and_a_withdrawn_one_leaves_nothing() {
        let tokens = Tokens::parse("one-token\ntwo-token").unwrap();
        let own = PerToken::new(tokens.clone(), |_| ());
        let id = |token: &str| tokens.find(Some(token)).map(|bearer| bearer.token);
        let (one, two) = (id("one-token").unwrap(), id("two-token").unwrap());
        let (of_one, of_two) = (own.of(one), own.of(two));
        assert!(!Arc::ptr_eq(&of_one, &of_two) && Arc::ptr_eq(&of_one, &own.of(one)));

        for number in 0..100 {
            tokens.replace(&Tokens::parse(&format!("two-token\nnew-token-{number}")).unwrap());
            let new = id(&format!("new-token-{number}")).unwrap();
            own.of(new);
            assert_eq!(id("two-token"), Some(two));
        }
        assert!(Arc::ptr_eq(&of_two, &own.of(two)), "what it has used counts on");
        assert_eq!(own.all().len(), 2);
    }
}
