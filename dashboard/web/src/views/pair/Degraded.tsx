// When the pair was degraded, and why: its runs, and the evidence of their windows.

import { useState } from 'preact/hooks';

import type { Items, Run, Series } from '../../api/types.ts';
import { EvidenceTable } from './EvidenceTable.tsx';
import { Runs } from './Runs.tsx';

interface Props {
  series: Series;
  runs: Items<Run>;
  end: number;
}

export function Degraded({ series, runs, end }: Props) {
  // By its name and not by itself: the next answer has it again, longer perhaps.
  const [key, setKey] = useState<string | null>(null);
  const chosen = runs.items.find((run) => keyOf(run) === key) ?? null;
  return (
    <>
      <Runs
        runs={runs.items}
        more={runs.next_cursor !== null}
        end={end}
        chosen={chosen}
        choose={(run) => setKey(run && keyOf(run))}
      />
      <EvidenceTable series={series} run={chosen} showAllRuns={() => setKey(null)} />
    </>
  );
}

function keyOf({ label, since }: Run): string {
  return `${label} ${since}`;
}
