// Degraded pairs over time, by label: so that also what is over is seen.

import type { Bounds } from '../../api/client.ts';
import type { Timeline } from '../../api/types.ts';
import { Chart } from '../../charts/Chart.tsx';
import { palette } from '../../charts/palette.ts';
import { stackBlocks } from '../../charts/points.ts';
import { letteredBlocks, letterFont } from '../../charts/series.ts';
import { Time } from '../../parts/Time.tsx';
import { go } from '../../state/navigation.ts';
import { endingAt } from '../../state/range.ts';
import { count } from '../../words/figures.ts';
import { HURT } from '../../words/labels.ts';

const HEIGHT = 84;

export function TimelineChart({ timeline, bounds }: { timeline: Timeline; bounds: Bounds }) {
  const { start, point_ms, window_ms, degraded, pairs } = timeline;
  const colors = palette.value;
  const present = HURT.filter(({ label }) => degraded[label] !== undefined);
  // Labels have their most pairs in different windows of a point: the stack is as high as the most of all together.
  const shrink = (index: number) => {
    const sum = present.reduce((sum, { label }) => sum + (degraded[label]?.[index] ?? 0), 0);
    return sum === 0 ? 0 : (pairs[index] ?? 0) / sum;
  };
  const stacked = stackBlocks(
    start,
    point_ms,
    present.map(({ label }) => (degraded[label] ?? []).map((value, index) => value * shrink(index) || null)),
  );
  /** The whole screen then shows how it was at the end of the point that holds this time. */
  const lookAt = (at: number) => {
    const end = Math.min(bounds.to, (Math.floor(at / point_ms) + 1) * point_ms);
    go({ range: endingAt(bounds, end) });
  };
  return (
    <Chart
      title={`Degraded pairs over time${point_ms > window_ms ? ' (most of each point’s windows)' : ''}`}
      height={HEIGHT}
      bounds={bounds}
      start={start}
      point_ms={point_ms}
      value={count}
      top={Math.max(1, ...stacked.flat().map(([, , , high]) => high))}
      gap={start.length === 0 ? 'no pair was degraded in this range' : 'no pair degraded'}
      newest="last degraded"
      pick={lookAt}
      series={present.map(({ label, letter }, index) =>
        letteredBlocks(stacked[index] ?? [], colors.label(label), 1, {
          letter,
          ink: colors.onLabel(label),
          font: letterFont(colors),
        }),
      )}
      readings={(index) => [
        { name: 'degraded', value: count(pairs[index]) },
        ...present
          .filter(({ label }) => (degraded[label]?.[index] ?? 0) > 0)
          .map(({ label, token }) => ({
            name: label,
            value: count(degraded[label]?.[index]),
            token: `label-${token}`,
          })),
      ]}
      table={() => ({
        head: ['From', 'Degraded', ...present.map(({ label }) => label)],
        rows: start.map((from, index) => [
          <Time key={from} at={from} />,
          count(pairs[index]),
          ...present.map(({ label }) => count(degraded[label]?.[index])),
        ]),
      })}
      tools={<span class="quiet hint">click: how it was then; drag: mark a region</span>}
    />
  );
}
