// The incidents that go on: since when, for whom, why, and what speaks for them. The gravest first.

import type { Incident } from '../../api/types.ts';
import { useFew } from '../../parts/few.ts';
import { IncidentMarks } from '../../parts/IncidentMarks.tsx';
import { LabelMark, SeverityMark } from '../../parts/Label.tsx';
import { Link } from '../../parts/Link.tsx';
import { Parts } from '../../parts/Parts.tsx';
import { Sentence } from '../../parts/Sentence.tsx';
import { SinceTime } from '../../parts/Time.tsx';
import { now } from '../../state/clock.ts';
import { showsPast } from '../../state/present.ts';
import { duration } from '../../words/figures.ts';
import { causeParts, endOf, sizeText, weightText } from '../../words/incidents.ts';
import { plural } from '../../words/text.ts';

interface Props {
  incidents: Incident[];
  /** Open ones that the answer does not have. */
  leftOff: number;
  /** The moment that is shown: the end of the range where it is past. */
  at: number;
}

export function OpenIncidents({ incidents, leftOff, at }: Props) {
  const { shown, left, showAll } = useFew(incidents);
  const past = showsPast.value;
  if (incidents.length === 0) return null;
  const until = past ? at : now.value;
  return (
    <section aria-labelledby="incidents-title" data-testid="incidents">
      <div class="section-head">
        <h2 id="incidents-title">
          {past ? 'Incidents at that time' : 'Open incidents'}{' '}
          <span class="quiet">{(incidents.length + leftOff).toLocaleString('en')}</span>
        </h2>
      </div>
      <ul class="incidents" role="list">
        {shown.map((incident) => (
          <IncidentItem key={incident.id} incident={incident} now={until} />
        ))}
      </ul>
      {left > 0 && (
        <button type="button" onClick={showAll}>
          {plural(left, 'more incident')}
        </button>
      )}
      {leftOff > 0 && left === 0 && <p class="quiet">{plural(leftOff, 'less grave incident')} not listed.</p>}
    </section>
  );
}

function IncidentItem({ incident, now }: { incident: Incident; now: number }) {
  const { id, label, severity, sentence, opened, cause, evidence, state } = incident;
  // What has ended since then has none of its pairs now.
  return (
    <li data-testid="incident" class={`weighed ${severity}`}>
      <span class="marks">
        <LabelMark label={label} />
        <SeverityMark severity={severity} />
        <IncidentMarks incident={incident} />
      </span>
      <Link to={{ view: 'incident', incident: id }} class="words">
        <Sentence text={sentence} />
      </Link>
      <span class="quiet facts-line">
        <span>
          <SinceTime at={opened} />, {duration(Math.min(now, endOf(incident, now)) - opened)}
        </span>
        <span>
          <Parts parts={causeParts(cause)} />: {weightText(state === 'open' ? evidence.now : evidence.at_first)}
        </span>
        <span>
          {sizeText(incident)} {state === 'open' ? 'so far' : 'in all'}
        </span>
      </span>
    </li>
  );
}
