// The log's partitions: how far each has come, and what waits in it.

import type { Pipeline } from '../../api/types.ts';
import { Time } from '../../parts/Time.tsx';
import { Wide } from '../../parts/Wide.tsx';
import { now } from '../../state/clock.ts';
import { ago, count } from '../../words/figures.ts';

export function Partitions({ pipeline: { partitions, processes } }: { pipeline: Pipeline }) {
  if (partitions.length === 0) return null;
  const most = Math.max(1, ...partitions.map(({ waiting_records }) => waiting_records ?? 0));
  return (
    <section aria-labelledby="partitions-title">
      <div class="section-head">
        <h2 id="partitions-title">Partitions</h2>
        {(processes ?? 1) > 1 && <span class="quiet">of this process only</span>}
      </div>
      <Wide name="Partitions">
        <table data-testid="partitions">
          <thead>
            <tr>
              <th scope="col">Partition</th>
              <th scope="col">Worker</th>
              <th scope="col">Waiting records</th>
              <th scope="col" class="figure">
                Processed to
              </th>
              <th scope="col" class="figure">
                Resumes from
              </th>
              <th scope="col">Log time</th>
            </tr>
          </thead>
          <tbody>
            {partitions.map((partition) => (
              <tr key={partition.partition}>
                <th scope="row">{partition.partition}</th>
                <td>{count(partition.worker)}</td>
                <td>
                  <span class="bar-row">
                    <span class="track" aria-hidden="true">
                      <i class="inside" style={{ width: `${(100 * (partition.waiting_records ?? 0)) / most}%` }} />
                    </span>
                    <span>{count(partition.waiting_records)}</span>
                  </span>
                </td>
                <td class="figure">{count(partition.processed)}</td>
                <td class="figure">{count(partition.resume_from)}</td>
                <td>
                  {partition.log_time === null ? (
                    '–'
                  ) : (
                    <>
                      <Time at={partition.log_time} /> <span class="quiet">{ago(now.value - partition.log_time)}</span>
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
    </section>
  );
}
