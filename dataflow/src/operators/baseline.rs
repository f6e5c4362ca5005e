//! Windows to windows with their baselines: one differential reduction over the windows of each pair.

use std::rc::Rc;
use std::sync::Arc;

use differential_dataflow::VecCollection;
use differential_dataflow::operators::arrange::arrangement::arrange_core;
use differential_dataflow::trace::implementations::{ValBatcher, ValBuilder, ValSpine};
use netqoe_model::{Rules, WindowRow, WindowStart};
use timely::dataflow::channels::pact::Pipeline;

use crate::baseline::{Baseline, PairWindow, Shared, baselines};
use crate::window::PairId;

/// A window's row with its pair's baseline before it. The start is there so that most comparisons need not look further.
type WithBaseline = (WindowStart, Shared<WindowRow>, Option<Rc<Baseline>>);

type Spine<V> = ValSpine<PairId, V, u64, isize>;

/// The current windows of each pair with their baselines. A correction of a window takes back what followed from it.
///
/// A pair's windows stay on the worker that owns its partition, so nothing is exchanged. They are few: those that can
/// still change, and as many closed ones as a baseline takes.
pub(crate) fn with_baselines<'s>(
    windows: VecCollection<'s, u64, (PairId, PairWindow)>,
    rules: Arc<Rules>,
) -> VecCollection<'s, u64, (PairId, WithBaseline)> {
    arrange_core::<_, _, ValBatcher<PairId, PairWindow, u64, isize>, Spine<PairWindow>>(
        windows.inner,
        Pipeline,
        "WindowsByPair",
        ValBatcher::new,
    )
    .reduce_abelian::<_, ValBuilder<_, _, _, _>, Spine<WithBaseline>, _, _>(
        "Baselines",
        move |_pair, windows, output| {
            let windows = windows.iter().map(|(window, _)| *window);
            baselines(windows, &rules.diagnosis, |row, baseline| {
                output.push(((row.start, row.clone(), baseline.map(Rc::new)), 1));
            });
        },
        |batch, pair, updates| {
            batch.clear();
            batch.extend(updates.drain(..).map(|(row, time, diff)| ((*pair, row), time, diff)));
        },
    )
    .as_collection(|pair, row| (*pair, row.clone()))
}
