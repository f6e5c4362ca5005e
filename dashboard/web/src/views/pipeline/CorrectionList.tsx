// What came late and was counted all the same: how much in each hour of the range, and what waits.

import type { Corrections } from '../../api/types.ts';
import { useFew } from '../../parts/few.ts';
import { Time } from '../../parts/Time.tsx';
import { Wide } from '../../parts/Wide.tsx';
import { totalText, waitingText } from '../../words/corrections.ts';
import { count } from '../../words/figures.ts';

export function CorrectionList({ corrections }: { corrections: Corrections }) {
  const newestFirst = [...corrections.items].reverse();
  const { shown, left, showAll } = useFew(newestFirst);
  const waits = waitingText(corrections);
  const most = Math.max(1, ...newestFirst.map(({ accepted }) => accepted));
  return (
    <>
      {newestFirst.length === 0 ? (
        <p class="state">None in this range: {waits ?? 'nothing came late that counts.'}</p>
      ) : (
        <p>
          {totalText(corrections)}. {waits}
        </p>
      )}
      {newestFirst.length > 0 && (
        <Wide name="Corrections" showAll={showAll}>
          <table data-testid="corrections-by-hour">
            <thead>
              <tr>
                <th scope="col">Hour from</th>
                <th scope="col">Events counted</th>
                <th scope="col" class="figure">
                  Copies
                </th>
                <th scope="col" class="figure">
                  Rows written
                </th>
                <th scope="col" class="figure">
                  Pairs
                </th>
                <th scope="col" class="figure">
                  Corrections
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((item) => (
                <tr key={item.hour}>
                  <th scope="row">
                    <Time at={item.hour} />
                  </th>
                  <td>
                    <span class="bar-row">
                      <span class="track" aria-hidden="true">
                        <i class="inside" style={{ width: `${(100 * item.accepted) / most}%` }} />
                      </span>
                      <span>{count(item.accepted)}</span>
                    </span>
                  </td>
                  <td class="figure">{count(item.duplicate)}</td>
                  <td class="figure">{count(item.rows_written)}</td>
                  <td class="figure">{count(item.pairs)}</td>
                  <td class="figure">{count(item.corrections)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
      {left > 0 && (
        <button type="button" onClick={showAll}>
          Show all {newestFirst.length}
        </button>
      )}
    </>
  );
}
