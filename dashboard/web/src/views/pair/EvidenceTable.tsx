// The pair's diagnoses, newest first, with their evidence: all, or those of one run.

import type { Run, Series } from '../../api/types.ts';
import { crosshair } from '../../charts/crosshair.ts';
import { useFew } from '../../parts/few.ts';
import { LabelMark, SeverityMark } from '../../parts/Label.tsx';
import { SinceTime, Time } from '../../parts/Time.tsx';
import { Wide } from '../../parts/Wide.tsx';
import { today } from '../../state/clock.ts';
import { correctedWindows, stateText } from '../../words/corrections.ts';
import { evidenceText } from '../../words/evidence.ts';
import { percent } from '../../words/figures.ts';
import { plural } from '../../words/text.ts';
import { fullTime } from '../../words/times.ts';

interface Props {
  series: Series;
  run: Run | null;
  showAllRuns: () => void;
  showMeasurements: (window_start_ts: number) => void;
}

export function EvidenceTable({ series, run, showAllRuns, showMeasurements }: Props) {
  const { window_ms } = series;
  const corrected = correctedWindows(series);
  const diagnoses = run === null ? series.diagnoses : series.diagnoses.filter(isOf(run));
  const { shown, left, showAll } = useFew(diagnoses);
  return (
    <section aria-labelledby="evidence-title" id="evidence">
      <div class="section-head">
        <h2 id="evidence-title">Evidence</h2>
        <span class="quiet">
          {plural(diagnoses.length, 'degraded window')}
          {run === null ? (
            ' in this range'
          ) : (
            <>
              {' '}
              of {run.label} <SinceTime at={run.since} />, in this range
            </>
          )}
        </span>
        {run !== null && (
          <button type="button" class="plain more" onClick={showAllRuns}>
            Show those of all runs
          </button>
        )}
      </div>
      {diagnoses.length === 0 ? (
        <p class="state">No window of this range is degraded.</p>
      ) : (
        <Wide name="Evidence" showAll={showAll}>
          <table data-testid="evidence">
            <thead>
              <tr>
                <th scope="col">Window</th>
                <th scope="col">Label</th>
                <th scope="col">Severity</th>
                <th scope="col">Evidence</th>
                <th scope="col">Since</th>
                <th scope="col" class="figure">
                  Share of total
                </th>
                <th scope="col">State</th>
                <th scope="col">Measurements</th>
              </tr>
            </thead>
            <tbody>
              {shown.map(({ window_start_ts, label, severity, evidence, is_final }) => (
                <tr
                  key={window_start_ts}
                  onMouseEnter={() => (crosshair.value = window_start_ts + window_ms / 2)}
                  onMouseLeave={() => (crosshair.value = null)}
                >
                  <th scope="row">
                    <Time at={window_start_ts} />
                  </th>
                  <td>
                    <LabelMark label={label} />
                  </td>
                  <td>
                    <SeverityMark severity={severity} />
                  </td>
                  <td>{evidenceText(label, evidence)}</td>
                  <td>{evidence.since !== null && <Time at={evidence.since} />}</td>
                  <td class="figure">{percent(evidence.share_of_total)}</td>
                  <td class="quiet">{stateText(is_final, corrected.get(window_start_ts) ?? null, today.value)}</td>
                  <td>
                    <button
                      type="button"
                      class="plain more"
                      aria-label={`Show the measurements of ${fullTime(window_start_ts)}`}
                      onClick={() => showMeasurements(window_start_ts)}
                    >
                      Show
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
      {left > 0 && (
        <button type="button" onClick={showAll}>
          Show all {diagnoses.length}
        </button>
      )}
    </section>
  );
}

/** Runs of one label do not overlap. */
function isOf({ label, since, until }: Run): (diagnosis: Series['diagnoses'][number]) => boolean {
  return (diagnosis) =>
    diagnosis.label === label &&
    since <= diagnosis.window_start_ts &&
    (until === null || diagnosis.window_start_ts < until);
}
