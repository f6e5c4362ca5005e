//! Open windows to judged windows: one differential reduction over the windows of each pair.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use differential_dataflow::operators::arrange::arrangement::arrange_core;
use differential_dataflow::trace::implementations::{ValBatcher, ValBuilder, ValSpine};
use netqoe_model::{Rules, WindowRow, WindowStart};
use timely::dataflow::channels::pact::Pipeline;

use crate::judge::{Judged, PairState};
use crate::pair_window::{PairWindow, Shared};
use crate::window::PairId;

/// A window's row with what it comes to. The start is there so that most comparisons need not look further.
type JudgedWindow = (WindowStart, Shared<WindowRow>, Judged);

type Spine<V> = ValSpine<PairId, V, u64, isize>;

/// The open windows of each pair, judged. A correction of one takes back what followed from it. Closed windows can't be
/// corrected, and are judged where they are closed.
///
/// A pair's windows stay on the worker that owns its partition, so nothing is exchanged. They are few: those that can
/// still change, and one value for all that is past.
pub(crate) fn judged<'s>(
    windows: VecCollection<'s, u64, (PairId, PairWindow)>,
    rules: Arc<Rules>,
) -> VecCollection<'s, u64, (PairId, JudgedWindow)> {
    // Made once: it holds what tells the rules apart, which takes longer to compute than most windows to judge.
    let new = PairState::new(&rules.diagnosis);
    arrange_core::<_, _, ValBatcher<PairId, PairWindow, u64, isize>, Spine<PairWindow>>(
        windows.inner,
        Pipeline,
        "WindowsByPair",
        ValBatcher::new,
    )
    .reduce_abelian::<_, ValBuilder<_, _, _, _>, Spine<JudgedWindow>, _, _>(
        "Judged",
        move |_pair, windows, output| {
            let (mut past, mut state) = (None, None);
            for (window, _) in windows {
                match window {
                    PairWindow::Past(_, shared) => past = Some(shared),
                    PairWindow::Open(start, row) => {
                        let state = state.get_or_insert_with(|| match past {
                            Some(past) => PairState::clone(past),
                            None => new.clone(),
                        });
                        output.push(((*start, row.clone(), state.judge(row, &rules)), 1));
                    }
                }
            }
        },
        |batch, pair, updates| {
            batch.clear();
            batch.extend(updates.drain(..).map(|(row, time, diff)| ((*pair, row), time, diff)));
        },
    )
    .as_collection(|pair, row| (*pair, row.clone()))
}
