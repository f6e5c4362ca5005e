// Whether an incident is being looked after, was planned, or was none.

import type { Incident } from '../api/types.ts';
import { Name } from './Name.tsx';
import { Time } from './Time.tsx';

export function IncidentMarks({ incident }: { incident: Incident }) {
  const { acknowledged, planned, state } = incident;
  return (
    <>
      {state === 'withdrawn' && <span class="badge">withdrawn</span>}
      {planned && <span class="badge">planned</span>}
      {acknowledged !== null && (
        <span class="badge">
          acknowledged by <Name text={acknowledged.by} length={20} /> <Time at={acknowledged.at} />
        </span>
      )}
    </>
  );
}
