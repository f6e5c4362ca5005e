// A small chart in a row of a table: a line of steps, with bars below it where windows were degraded.

import type { Bounds } from '../api/client.ts';
import type { Values } from '../api/types.ts';
import { place } from '../state/navigation.ts';
import { crosshair } from './crosshair.ts';
import { useDrag } from './drag.ts';
import { markOf } from './mark.ts';
import { stepPath, steps } from './points.ts';

interface Props {
  start: number[];
  point_ms: number;
  bounds: Bounds;
  values: Values;
  /** The same for all sparks that stand together, so that they can be compared. */
  most: number;
  degraded: number[];
  label: string;
}

const WIDTH = 220;
const HEIGHT = 30;
const FOOT = 5;

export function Spark({ start, point_ms, bounds, values, most, degraded, label }: Props) {
  const share = (at: number) => Math.min(1, Math.max(0, (at - bounds.from) / (bounds.to - bounds.from)));
  const x = (at: number) => WIDTH * share(at);
  const y = (value: number) => (HEIGHT - FOOT - 1) * (1 - value / Math.max(1, most)) + 1;
  const path = stepPath(steps(start, point_ms, values), x, y);
  const { dragged, listeners } = useDrag({
    cornerAt: (pixel, y, width) => ({ time: bounds.from + (pixel / width) * (bounds.to - bounds.from), y }),
    // Too low for values to be told apart.
    markOf: (a, b) => markOf(a, b, point_ms, null),
  });
  const inside = dragged?.inside ?? place.value.inside;
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
      {...listeners}
    >
      {inside && <rect class="mark" x={x(inside.from)} width={x(inside.to) - x(inside.from)} y={0} height={HEIGHT} />}
      <path d={path} class="line" />
      {start.map((from, index) =>
        (degraded[index] ?? 0) > 0 ? (
          <rect
            key={from}
            class="degraded"
            x={x(from)}
            y={HEIGHT - FOOT + 1}
            width={Math.max(1, x(from + point_ms) - x(from))}
            height={FOOT - 1}
          />
        ) : null,
      )}
      <SparkCrosshair x={x} />
    </svg>
  );
}

function SparkCrosshair({ x }: { x: (at: number) => number }) {
  const at = crosshair.value;
  return at === null ? null : <line class="at" x1={x(at)} x2={x(at)} y1={0} y2={HEIGHT} />;
}
