// The first sentence, who is silent, whose certificate expires soon, and when it last was not well; announced to screen readers when the sentence changes.

import type { MatrixAnswer, Overview } from '../../api/types.ts';
import { reportingOf } from '../../matrix/cells.ts';
import { Link } from '../../parts/Link.tsx';
import { Parts } from '../../parts/Parts.tsx';
import { Sentence } from '../../parts/Sentence.tsx';
import { Time } from '../../parts/Time.tsx';
import { now, today } from '../../state/clock.ts';
import { go } from '../../state/navigation.ts';
import { bounds, showsPast } from '../../state/present.ts';
import { following } from '../../state/range.ts';
import { certificateParts } from '../../words/certificates.ts';
import { silenceParts } from '../../words/incidents.ts';
import { adviceOf, toneOf, type Telling } from '../../words/summary.ts';
import { plural, visible } from '../../words/text.ts';
import { time } from '../../words/times.ts';

/** Silent clients that are named, and certificates that are told; the others are counted. */
const NAMED = 3;

interface Props {
  overview: Overview;
  matrix: MatrixAnswer | null;
}

export function SentenceLine({ overview, matrix }: Props) {
  const past = showsPast.value;
  const minute = Math.floor(now.value / 60_000) * 60_000;
  const telling: Telling = { past, now: minute };
  const tone = toneOf(overview, telling);
  const advice = adviceOf(overview, telling);
  const { text, incident, since } = overview.sentence;
  return (
    <section class={`sentence ${tone}`} aria-label="Summary">
      <h1 data-testid="sentence">
        <span class="mark" aria-hidden="true" />
        <span>
          {incident === null ? (
            <Sentence text={text} />
          ) : (
            <Link to={{ view: 'incident', incident }}>
              <Sentence text={text} />
            </Link>
          )}
          {tone !== 'good' && since !== null && (
            <span class="since">
              {' '}
              {past ? 'from' : 'since'} <Time at={since} />
            </span>
          )}
        </span>
      </h1>
      {advice !== null && <p class="advice">{advice}</p>}
      {overview.demo && (
        <p class="advice" data-testid="demo">
          <strong>Demo</strong>: this data is generated, nobody has measured it.
        </p>
      )}
      <Silent overview={overview} matrix={matrix} />
      <Certificates overview={overview} now={minute} />
      {past && (
        <p class="advice">
          This is how it was.{' '}
          <button type="button" onClick={() => go({ range: following(bounds()) })}>
            Back to now
          </button>
        </p>
      )}
      {tone === 'good' && overview.last_incident_closed !== null && (
        <p class="last-closed" data-testid="last-closed">
          The last incident ended at <Time at={overview.last_incident_closed} />.
        </p>
      )}
      <p class="unseen" role="status" aria-live="polite">
        {visible(text)}
      </p>
    </section>
  );
}

/** Clients that miss their rhythm: whom they are and since when. */
function Silent({ overview: { sentence, unmeasured, window_ms }, matrix }: Props) {
  const { clients, clients_left_off } = unmeasured;
  // Where nothing is degraded, the sentence itself names the only one.
  const isTold = sentence.severity === null && clients.length === 1;
  if (clients.length === 0 || isTold) return null;
  const reporting = matrix === null ? null : reportingOf(matrix);
  const more = clients.length + clients_left_off - NAMED;
  return (
    <ul class="silent" role="list" data-testid="silent">
      {clients.slice(0, NAMED).map((client) => (
        <li key={client.client_id}>
          <Parts
            parts={silenceParts(
              client,
              time(client.last + window_ms, today.value),
              reporting?.has(client.client_id) ?? false,
            )}
          />
        </li>
      ))}
      {more > 0 && (
        <li>
          {plural(more, 'more client')} {more === 1 ? 'has' : 'have'} unmeasured pairs:{' '}
          {plural(unmeasured.pairs, 'pair')} in all
        </li>
      )}
    </ul>
  );
}

/** Certificates of targets that expire within 14 days, or have expired. */
function Certificates({ overview: { certificates, certificates_left_off }, now }: { overview: Overview; now: number }) {
  if (certificates.length === 0) return null;
  const more = certificates.length + certificates_left_off - NAMED;
  return (
    <ul class="silent" role="list" data-testid="certificates">
      {certificates.slice(0, NAMED).map((certificate) => (
        <li key={certificate.target}>
          <Parts parts={certificateParts(certificate, now)} />
        </li>
      ))}
      {more > 0 && (
        <li>
          {plural(more, 'more certificate')} {more === 1 ? 'expires' : 'expire'} within 14 days
        </li>
      )}
    </ul>
  );
}
