//! Which spans a batch stems from.

use netqoe_model::TraceContext;

/// Links of a span, at most: enough to find some of the requests that a batch stems from, and little next to the batch.
pub const MAX_LINKS: usize = 32;

/// The recorded spans that a batch stems from: the first is the parent of the batch's span, the others become its links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contexts {
    parent: Option<TraceContext>,
    links: Vec<TraceContext>,
    left_off: u64,
}

impl Contexts {
    /// Takes one in, unless its trace is not recorded or it is there already. What comes after the bound is counted alone.
    pub fn add(&mut self, context: TraceContext) {
        if !context.sampled || self.parent == Some(context) || self.links.contains(&context) {
            return;
        }
        match self.parent {
            None => self.parent = Some(context),
            Some(_) if self.links.len() < MAX_LINKS => self.links.push(context),
            Some(_) => self.left_off += 1,
        }
    }

    /// Whether none is recorded.
    pub fn is_empty(&self) -> bool {
        self.parent.is_none()
    }

    /// The first one.
    pub fn parent(&self) -> Option<TraceContext> {
        self.parent
    }

    /// The others that are kept.
    pub fn links(&self) -> &[TraceContext] {
        &self.links
    }

    /// How many others came after them. One that comes again is counted again.
    pub fn left_off(&self) -> u64 {
        self.left_off
    }
}

impl Extend<TraceContext> for Contexts {
    fn extend<I: IntoIterator<Item = TraceContext>>(&mut self, contexts: I) {
        contexts.into_iter().for_each(|context| self.add(context));
    }
}

impl FromIterator<TraceContext> for Contexts {
    fn from_iter<I: IntoIterator<Item = TraceContext>>(contexts: I) -> Self {
        let mut all = Self::default();
        all.extend(contexts);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(number: u8, sampled: bool) -> TraceContext {
        TraceContext { trace_id: [number; 16], span_id: [1; 8], sampled }
    }

    #[test]
    fn the_first_is_the_parent_and_each_is_there_once() {
        let contexts: Contexts = [context(7, false), context(1, true), context(2, true), context(1, true)]
            .into_iter()
            .chain([context(2, true), context(3, true)])
            .collect();
        assert_eq!(contexts.parent(), Some(context(1, true)));
        assert_eq!(contexts.links(), [context(2, true), context(3, true)]);
        assert!(Contexts::from_iter([context(7, false)]).is_empty());
    }

    #[test]
    fn links_are_bounded_and_the_rest_is_counted() {
        let contexts: Contexts = (1..=40).map(|number| context(number, true)).collect();
        assert_eq!((contexts.links().len(), contexts.left_off()), (MAX_LINKS, 40 - 1 - MAX_LINKS as u64));
    }
}
