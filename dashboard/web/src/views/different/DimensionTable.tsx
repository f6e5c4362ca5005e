// The values of one dimension, with their shares inside and outside: of windows that match, or of measurements.

import type { ComponentChildren } from 'preact';

import type { Different, Dimension, MeasurementDifference } from '../../api/types.ts';
import { useFew } from '../../parts/few.ts';
import { Link } from '../../parts/Link.tsx';
import { Name } from '../../parts/Name.tsx';
import { dimensionTitle, MEASURED, placeOf, pointsText } from '../../words/different.ts';
import { count, percent } from '../../words/figures.ts';
import { plural } from '../../words/text.ts';

export function DimensionTable({ dimension, values }: Different['dimensions'][number]) {
  const rows = values.map((value) => ({
    key: value.value ?? '\u0000',
    name: <ValueName dimension={dimension} value={value.value} />,
    inside: { share: value.inside_share, text: windowsText(value.inside_matching, value.inside_windows) },
    outside: { share: value.outside_share, text: windowsText(value.outside_matching, value.outside_windows) },
    difference: value.difference,
  }));
  return <Compared name={dimensionTitle(dimension)} testid={`dimension-${dimension}`} rows={rows} />;
}

/** Of single measurements: shares of all that were read. */
export function MeasuredTable({ of, all }: { of: MeasurementDifference['dimensions'][number]; all: [number, number] }) {
  const rows = of.values.map((value) => ({
    key: value.value,
    name: <Name text={value.value} length={48} />,
    inside: { share: value.inside_share, text: measurementsText(value.inside, all[0]) },
    outside: { share: value.outside_share, text: measurementsText(value.outside, all[1]) },
    difference: value.difference,
  }));
  return <Compared name={MEASURED[of.dimension]} testid={`measured-${of.dimension}`} rows={rows} />;
}

function windowsText(matching: number, of: number): string {
  return `${count(matching)} of ${plural(of, 'window')}`;
}

function measurementsText(counted: number, of: number): string {
  return `${count(counted)} of ${plural(of, 'measurement')}`;
}

interface Side {
  share: number | null;
  text: string;
}

interface Row {
  key: string;
  name: ComponentChildren;
  inside: Side;
  outside: Side;
  difference: number;
}

function Compared({ name, testid, rows }: { name: string; testid: string; rows: Row[] }) {
  const { shown, left, showAll } = useFew(rows);
  if (rows.length === 0) return null;
  return (
    <section class="dimension" aria-label={name} data-testid={testid}>
      <table>
        <thead>
          <tr>
            <th scope="col">{name}</th>
            <th scope="col" class="bars-head">
              <span>
                <i class="key inside" aria-hidden="true" /> inside,
              </span>{' '}
              <span>
                <i class="key outside" aria-hidden="true" /> outside
              </span>
            </th>
            <th scope="col" class="figure">
              Difference, points
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.key}>
              <th scope="row">{row.name}</th>
              <td class="two-bars">
                <Bar kind="inside" {...row.inside} />
                <Bar kind="outside" {...row.outside} />
              </td>
              <td class="figure">{pointsText(row.difference)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && (
        <button type="button" class="plain more" onClick={showAll}>
          {left} more
        </button>
      )}
    </section>
  );
}

function ValueName({ dimension, value }: { dimension: Dimension; value: string | null }) {
  if (value === null) return <span class="quiet">unknown</span>;
  const to = placeOf(dimension, { value });
  if (to === null) return <Name text={value} />;
  return (
    <Link to={to}>
      <Name text={value} length={36} brief={dimension === 'target'} />
    </Link>
  );
}

function Bar({ kind, share, text }: Side & { kind: 'inside' | 'outside' }) {
  return (
    <span class="bar-row" title={`${kind}: ${text}`}>
      <span class="track" aria-hidden="true">
        <i class={kind} style={{ width: `${100 * (share ?? 0)}%` }} />
      </span>
      <span class="unseen">{kind} </span>
      <span>{share === null ? 'no windows' : percent(share)}</span>
    </span>
  );
}
