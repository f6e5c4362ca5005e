// When an incident began and ended, and what speaks for it and against it.

import type { IncidentDetail, Weight } from '../../api/types.ts';
import { Parts } from '../../parts/Parts.tsx';
import { Time } from '../../parts/Time.tsx';
import { duration, percent } from '../../words/figures.ts';
import { causeParts, endOf, sizeText, weightText } from '../../words/incidents.ts';

export function IncidentFacts({ incident, now }: { incident: IncidentDetail; now: number }) {
  const { state, opened, closed, detected, named, last, severity, peak_severity, cause, evidence } = incident;
  return (
    <dl class="facts incident-facts" data-testid="incident-facts">
      <div>
        <dt>{state === 'open' ? 'Open since' : 'Began'}</dt>
        <dd class="large">
          <Time at={opened} />
        </dd>
        <dd>
          <small>
            told at <Time at={detected} />
            {named !== detected && (
              <>
                , under this cause at <Time at={named} />
              </>
            )}
          </small>
        </dd>
      </div>
      <div>
        <dt>{state === 'open' ? 'Has lasted' : 'Lasted'}</dt>
        <dd class="large">{duration(endOf(incident, now) - opened)}</dd>
        <dd>
          <small>
            {closed === null ? (
              <>
                newest evidence at <Time at={last} />
              </>
            ) : (
              <>
                ended at <Time at={closed} />
              </>
            )}
          </small>
        </dd>
      </div>
      <div>
        <dt>Severity</dt>
        <dd class="large">{severity}</dd>
        <dd>
          <small>at worst {peak_severity}</small>
        </dd>
      </div>
      <div>
        <dt>Has hit</dt>
        <dd class="large">{incident.pairs.toLocaleString('en')}</dd>
        <dd>
          <small>{sizeText(incident)}</small>
        </dd>
      </div>
      <div class="share">
        <dt>
          Evidence: pairs of <Parts parts={causeParts(cause)} />
        </dt>
        <For name="when it was told" weight={evidence.at_first} />
        <For name={state === 'open' ? 'now' : 'at the end'} weight={evidence.now} />
      </div>
    </dl>
  );
}

/** Degraded pairs speak for it, healthy ones against it. */
function For({ name, weight }: { name: string; weight: Weight }) {
  const { degraded, healthy } = weight;
  const observed = degraded + healthy;
  return (
    <dd>
      <span class="share-bar" aria-hidden="true">
        <i class="degraded" style={{ width: `${observed === 0 ? 0 : (100 * degraded) / observed}%` }} />
        <i class="healthy" style={{ width: `${observed === 0 ? 0 : (100 * healthy) / observed}%` }} />
      </span>
      <small>
        {name}: {weightText(weight)} degraded{observed > 0 && `, ${percent(degraded / observed)}`};{' '}
        {healthy.toLocaleString('en')} healthy
      </small>
    </dd>
  );
}
