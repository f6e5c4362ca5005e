//! The names of clients, targets and networks, and the labels of pairs, which many rows share.

use std::collections::HashSet;
use std::sync::Arc;

use netqoe_model::{Network, PairTags, Tags};

use super::Pair;

/// Names, each kept once.
#[derive(Debug, Default)]
pub struct Names {
    names: HashSet<Arc<str>>,
    networks: HashSet<Arc<Network>>,
    tags: HashSet<Arc<PairTags>>,
    /// The network that was asked for last: rows that follow each other mostly have the same.
    last: Option<Arc<Network>>,
    /// The same of labels.
    last_tags: Option<Arc<PairTags>>,
}

impl Names {
    /// The pair of these names: two that are equal share their texts.
    pub fn pair(&mut self, client_id: &str, target: &str) -> Pair {
        Pair { client_id: self.shared(client_id), target: self.shared(target) }
    }

    /// The network with these names; `None` where no name is known.
    pub fn network(
        &mut self,
        network_type: Option<&str>,
        isp: Option<&str>,
        site: Option<&str>,
    ) -> Option<Arc<Network>> {
        let names = [network_type, isp, site];
        if self.last.as_deref().is_none_or(|last| last.names() != names) {
            let network = Network::named(network_type, isp, site)?;
            self.last = Some(self.shared_network(&network));
        }
        self.last.clone()
    }

    /// The network that is equal to this one: two that are equal share their texts.
    pub fn shared_network(&mut self, network: &Network) -> Arc<Network> {
        if let Some(known) = self.networks.get(network) {
            return Arc::clone(known);
        }
        let new = Arc::new(network.clone());
        self.networks.insert(Arc::clone(&new));
        new
    }

    /// The labels whose JSON a store has for the client and for the target; `None` where neither has any.
    ///
    /// # Errors
    /// With the text that is no labels.
    pub fn tags<'a>(
        &mut self,
        client: Option<&'a str>,
        target: Option<&'a str>,
    ) -> Result<Option<Arc<PairTags>>, &'a str> {
        let json = [client, target];
        if json == [None; 2] {
            return Ok(None);
        }
        if self.last_tags.as_deref().is_none_or(|last| last.json() != json) {
            let side = |json: Option<&'a str>| json.map_or(Ok(Tags::default()), |json| Tags::parse(json).ok_or(json));
            let Some(tags) = PairTags::of(side(client)?, side(target)?) else { return Ok(None) };
            self.last_tags = Some(self.shared_tags(&tags));
        }
        Ok(self.last_tags.clone())
    }

    /// The labels that are equal to these: two that are equal share their texts.
    pub fn shared_tags(&mut self, tags: &PairTags) -> Arc<PairTags> {
        if let Some(known) = self.tags.get(tags) {
            return Arc::clone(known);
        }
        let new = Arc::new(tags.clone());
        self.tags.insert(Arc::clone(&new));
        new
    }

    /// The name that is equal to this one: two that are equal share their text.
    pub fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        self.names.insert(Arc::clone(&new));
        new
    }

    /// Forgets those that nobody else has any more.
    pub fn forget_unused(&mut self) {
        (self.last, self.last_tags) = (None, None);
        self.names.retain(|name| Arc::strong_count(name) > 1);
        self.networks.retain(|network| Arc::strong_count(network) > 1);
        self.tags.retain(|tags| Arc::strong_count(tags) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_shared_and_told_apart() {
        let mut names = Names::default();
        let [a, b] = ["A", "B"].map(|isp| names.network(None, Some(isp), None).unwrap());
        assert_eq!(names.network(None, None, None), None);
        assert!(Arc::ptr_eq(&a, &names.network(None, Some("A"), None).unwrap()));
        assert!(Arc::ptr_eq(&b, &names.network(None, Some("B"), None).unwrap()));
        assert_ne!(names.network(Some("A"), None, None).as_ref(), Some(&a));
        drop(a);
        names.forget_unused();
        assert_eq!(names.networks.len(), 1);
    }

    #[test]
    fn labels_are_shared_and_told_apart() {
        let mut names = Names::default();
        let mut tags = |client, target| names.tags(client, target);
        let [a, b] = [Some(r#"{"k":"a"}"#), Some(r#"{"k":"b"}"#)];
        let of_client = tags(a, None).unwrap().unwrap();
        assert_eq!(tags(None, None), Ok(None));
        assert_ne!(tags(None, a).unwrap().as_ref(), Some(&of_client));
        assert_ne!(tags(b, None).unwrap().as_ref(), Some(&of_client));
        assert!(Arc::ptr_eq(&of_client, &tags(a, None).unwrap().unwrap()));
        assert_eq!(tags(a, Some("[]")), Err("[]"));
        names.forget_unused();
        assert_eq!(names.tags.len(), 1);
    }
}
