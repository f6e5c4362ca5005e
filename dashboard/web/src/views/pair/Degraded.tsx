// When the pair was degraded, and why: its runs, and the evidence of their windows.

import { useState } from 'preact/hooks';

import type { Run, Runs as RunsAnswer, Series } from '../../api/types.ts';
import { serverNow } from '../../state/clock.ts';
import { EvidenceTable } from './EvidenceTable.tsx';
import { Runs } from './Runs.tsx';

interface Props {
  series: Series;
  runs: RunsAnswer;
  showMeasurements: (window_start_ts: number) => void;
}

export function Degraded({ series, runs, showMeasurements }: Props) {
  // A pair that is measured no more is not known to be hurt until now.
  const last = (series.start.at(-1) as number) + series.point_ms;
  // By its name and not by itself: the next answer has it again, longer perhaps.
  const [key, setKey] = useState<string | null>(null);
  const chosen = runs.items.find((run) => keyOf(run) === key) ?? null;
  return (
    <>
      <Runs
        runs={runs.items}
        more={runs.has_more}
        end={Math.min(last, serverNow())}
        chosen={chosen}
        choose={(run) => setKey(run && keyOf(run))}
      />
      <EvidenceTable
        series={series}
        run={chosen}
        showAllRuns={() => setKey(null)}
        showMeasurements={showMeasurements}
      />
    </>
  );
}

function keyOf({ label, since }: Run): string {
  return `${label} ${since}`;
}
