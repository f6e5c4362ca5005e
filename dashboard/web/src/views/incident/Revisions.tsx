// What has changed of an incident, in the order of time.

import type { IncidentDetail } from '../../api/types.ts';
import { Parts } from '../../parts/Parts.tsx';
import { Time } from '../../parts/Time.tsx';
import { revisionParts } from '../../words/incidents.ts';

export function Revisions({ incident }: { incident: IncidentDetail }) {
  const revisions = [...incident.revisions].sort((a, b) => a.revision - b.revision);
  return (
    <section aria-labelledby="revisions-title">
      <h2 id="revisions-title">What was told of it</h2>
      <ol class="log" role="list" data-testid="revisions">
        {revisions.map((revision, index) => (
          <li key={revision.revision}>
            <Time at={revision.at} />
            <span>
              <Parts parts={revisionParts(revision, revisions[index - 1] ?? null, incident)} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
