// The values of one dimension, with the shares of their windows that match inside and outside.

import type { Different, Dimension } from '../../api/types.ts';
import { useFew } from '../../parts/few.ts';
import { Link } from '../../parts/Link.tsx';
import { Name } from '../../parts/Name.tsx';
import { DIMENSIONS, placeOf, pointsText } from '../../words/different.ts';
import { count, percent } from '../../words/figures.ts';

export function DimensionTable({ dimension, values }: Different['dimensions'][number]) {
  const { shown, left, showAll } = useFew(values);
  return (
    <section class="dimension" aria-label={DIMENSIONS[dimension]} data-testid={`dimension-${dimension}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">{DIMENSIONS[dimension]}</th>
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
          {shown.map((value) => (
            <tr key={value.value ?? '\u0000'}>
              <th scope="row">
                <ValueName dimension={dimension} value={value.value} />
              </th>
              <td class="two-bars">
                <Bar
                  kind="inside"
                  share={value.inside_share}
                  of={value.inside_windows}
                  matching={value.inside_matching}
                />
                <Bar
                  kind="outside"
                  share={value.outside_share}
                  of={value.outside_windows}
                  matching={value.outside_matching}
                />
              </td>
              <td class="figure">{pointsText(value.difference)}</td>
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

interface BarProps {
  kind: 'inside' | 'outside';
  share: number | null;
  of: number;
  matching: number;
}

function Bar({ kind, share, of, matching }: BarProps) {
  return (
    <span class="bar-row" title={`${kind}: ${count(matching)} of ${count(of)} windows`}>
      <span class="track" aria-hidden="true">
        <i class={kind} style={{ width: `${100 * (share ?? 0)}%` }} />
      </span>
      <span class="unseen">{kind} </span>
      <span>{share === null ? 'no windows' : percent(share)}</span>
    </span>
  );
}
