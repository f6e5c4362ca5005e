// The pair's runs, newest first: what hurt, from when to when. One can be chosen, to see its windows alone.

import type { Run } from '../../api/types.ts';
import { useFew } from '../../parts/few.ts';
import { LabelMark, SeverityMark } from '../../parts/Label.tsx';
import { SinceTime, Time } from '../../parts/Time.tsx';
import { Wide } from '../../parts/Wide.tsx';
import { duration } from '../../words/figures.ts';
import { plural } from '../../words/text.ts';

interface Props {
  runs: Run[];
  /** Whether there are more than these. */
  more: boolean;
  /** Until when a run that goes on has lasted so far. */
  end: number;
  chosen: Run | null;
  choose: (run: Run | null) => void;
}

export function Runs({ runs, more, end, chosen, choose }: Props) {
  const { shown, left, showAll } = useFew(runs);
  if (runs.length === 0) return null;
  return (
    <section aria-labelledby="runs-title">
      <div class="section-head">
        <h2 id="runs-title">Runs</h2>
        <span class="quiet">
          {more ? `the newest ${runs.length}` : plural(runs.length, 'run')} of degraded windows in this range
        </span>
      </div>
      <Wide name="Runs" showAll={showAll}>
        <table data-testid="runs">
          <thead>
            <tr>
              <th scope="col">Label</th>
              <th scope="col">When</th>
              <th scope="col">Duration</th>
              <th scope="col">Severity</th>
              <th scope="col">Windows</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((run) => {
              const { label, severity, since, until, windows } = run;
              const pressed = chosen === run;
              return (
                <tr key={`${label} ${since}`}>
                  <th scope="row">
                    <LabelMark label={label} />
                  </th>
                  <td>
                    {until === null ? (
                      <SinceTime at={since} />
                    ) : (
                      <>
                        <Time at={since} /> to <Time at={until} />
                      </>
                    )}
                  </td>
                  <td>{until === null ? `${duration(end - since)} so far` : duration(until - since)}</td>
                  <td>
                    <SeverityMark severity={severity} />
                  </td>
                  <td>
                    <button
                      type="button"
                      class="chip"
                      aria-pressed={pressed}
                      aria-controls="evidence"
                      onClick={() => choose(pressed ? null : run)}
                    >
                      {plural(windows, 'window')}
                    </button>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Wide>
      {left > 0 && (
        <button type="button" onClick={showAll}>
          Show all {runs.length}
        </button>
      )}
    </section>
  );
}
