// The pairs that have had an incident, the gravest first, each with when.

import { useMemo } from 'preact/hooks';

import type { IncidentPair } from '../../api/types.ts';
import { useFew } from '../../parts/few.ts';
import { SeverityMark } from '../../parts/Label.tsx';
import { Link } from '../../parts/Link.tsx';
import { Name } from '../../parts/Name.tsx';
import { Time } from '../../parts/Time.tsx';
import { Wide } from '../../parts/Wide.tsx';
import { count } from '../../words/figures.ts';
import { plural } from '../../words/text.ts';
import { typicalOf } from './typical.ts';

export function PairsOfIncident({ pairs, total }: { pairs: IncidentPair[]; total: number }) {
  const sorted = useMemo(() => typicalOf(pairs), [pairs]);
  const { shown, left, showAll } = useFew(sorted);
  return (
    <section aria-labelledby="incident-pairs-title">
      <div class="section-head">
        <h2 id="incident-pairs-title">Its pairs</h2>
        <span class="quiet">
          {plural(total, 'pair')}
          {total > pairs.length && `, of which ${count(pairs.length)} are listed`}
        </span>
      </div>
      <Wide name="Pairs of the incident" showAll={showAll}>
        <table data-testid="incident-pairs">
          <thead>
            <tr>
              <th scope="col">Client</th>
              <th scope="col">Target</th>
              <th scope="col">First and newest window</th>
              <th scope="col">Worst</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ client_id, target, since, until, severity }) => (
              <tr key={`${client_id}\n${target}`}>
                <th scope="row">
                  <Link to={{ view: 'pair', client: client_id, target }}>
                    <Name text={client_id} length={40} />
                  </Link>
                </th>
                <td>
                  <Link to={{ view: 'target', target, client: null }}>
                    <Name text={target} length={60} brief />
                  </Link>
                </td>
                <td>
                  <Time at={since} /> to <Time at={until} />
                </td>
                <td>
                  <SeverityMark severity={severity} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      {left > 0 && (
        <button type="button" onClick={showAll}>
          Show all {count(sorted.length)}
        </button>
      )}
    </section>
  );
}
