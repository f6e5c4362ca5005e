// A chart over time: what it says of the crosshair's point, the plot, and a table behind it.

import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

import { serverNow } from '../state/clock.ts';
import { place } from '../state/navigation.ts';
import { span } from '../words/times.ts';
import { crosshair } from './crosshair.ts';
import { DataTable, type TableData } from './DataTable.tsx';
import { Plot, type Plotted } from './Plot.tsx';
import { indexAt } from './points.ts';
import { SavePicture } from './SavePicture.tsx';

export interface Reading {
  name: string;
  value: string;
  /** The token of its colour in the chart. */
  token?: string;
  shape?: 'line' | 'block' | 'cross';
}

interface Props extends Plotted {
  /** What the chart says of a point; of the newest where none is looked at. */
  readings: (index: number) => Reading[];
  table: () => TableData;
  tools?: ComponentChildren;
  /** What is to be said of a time without a point. */
  gap?: string;
  /** What the newest point is, where there is none for each time. */
  newest?: string;
}

export function Chart(props: Props) {
  const { title, bounds, start, point_ms, value, floor = 0, readings, table, tools } = props;
  const { gap = 'no measurement', newest = 'newest' } = props;
  const id = useId();
  const figure = useRef<HTMLElement>(null);
  const at = crosshair.value;
  const pointed = indexAt(start, point_ms, at);
  const shown = pointed ?? (at === null && start.length > 0 ? start.length - 1 : null);
  const from = shown === null ? null : (start[shown] as number);
  const said = shown === null ? [] : readings(shown);
  return (
    <figure ref={figure} class="chart" aria-labelledby={id} data-testid="chart">
      <figcaption>
        <h2 id={id}>{title}</h2>
        {tools}
        {floor > 0 && value && <span class="cut-note">axis cut: it starts at {value(floor)}</span>}
        <p class="readings">
          <span class="quiet">
            {from !== null ? span(from, from + point_ms, serverNow()) : gap}
            {pointed === null && from !== null && ` (${newest})`}
          </span>
          {said.map(({ name, value, token, shape = 'block' }) => (
            <span key={name} class="reading">
              {token && <i class={`key ${shape} ${token}`} aria-hidden="true" />}
              {name} <strong>{value}</strong>
            </span>
          ))}
        </p>
      </figcaption>
      <Plot {...props} said={saidText(from, point_ms, said, gap)} />
      {place.value.tables && (
        <DataTable
          caption={title}
          data={table()}
          tools={<SavePicture title={title} bounds={bounds} within={figure} />}
        />
      )}
    </figure>
  );
}

/** What the crosshair's point says, for who hears it. */
function saidText(from: number | null, point_ms: number, said: Reading[], gap: string): string {
  if (from === null) return gap;
  return [span(from, from + point_ms, serverNow()), ...said.map(({ name, value }) => `${name} ${value}`)].join(', ');
}
