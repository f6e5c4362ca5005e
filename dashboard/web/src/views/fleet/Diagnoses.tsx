// What hurts now, grouped by target, client or provider.

import type { Diagnosis, HurtGroup, HurtTarget, Overview } from '../../api/types.ts';
import { LabelMark, SeverityMark } from '../../parts/Label.tsx';
import { useFew } from '../../parts/few.ts';
import { Link } from '../../parts/Link.tsx';
import { Name } from '../../parts/Name.tsx';
import { Tabs } from '../../parts/Tabs.tsx';
import { SinceTime, Time } from '../../parts/Time.tsx';
import { go, place } from '../../state/navigation.ts';
import { showsPast } from '../../state/present.ts';
import { GROUPINGS, type Grouping, type Place } from '../../state/place.ts';
import { evidenceText } from '../../words/evidence.ts';
import { duration } from '../../words/figures.ts';
import { networkText } from '../../words/network.ts';
import { plural, visible } from '../../words/text.ts';

const NAMES: Record<Grouping, string> = { target: 'By target', client: 'By client', isp: 'By provider' };

export function Diagnoses({ overview }: { overview: Overview }) {
  const { by, isp, label } = place.value;
  const wanted = overview.diagnoses.filter(
    (diagnosis) => (isp === null || (diagnosis.isp ?? '') === isp) && (label === null || diagnosis.label === label),
  );
  const groups = groupsOf(overview, by, wanted);
  const { shown, left, showAll } = useFew(groups);
  const counts = { target: overview.by_target.length, client: overview.by_client.length, isp: overview.by_isp.length };
  return (
    <section aria-labelledby="diagnoses-title" data-testid="diagnoses">
      <div class="section-head">
        <h2 id="diagnoses-title">
          {showsPast.value && overview.at !== null ? (
            <>
              Diagnoses at <Time at={overview.at} />
            </>
          ) : (
            'Current diagnoses'
          )}
        </h2>
        <Tabs
          label="Group by"
          controls="diagnoses-list"
          tabs={GROUPINGS.map((grouping) => ({ key: grouping, name: NAMES[grouping], count: counts[grouping] }))}
          chosen={by}
          choose={(grouping) => go({ by: grouping }, 'replace')}
        />
      </div>
      <ul class="diagnoses" id="diagnoses-list" role="list">
        {shown.map((group) => (
          <GroupItem key={group.key} group={group} by={by} window_ms={overview.window_ms} />
        ))}
      </ul>
      {groups.length === 0 && (
        <p class="state">
          {overview.pairs.degraded === 0 ? 'Nothing is degraded.' : 'No diagnosis passes the filters above.'}
        </p>
      )}
      {left > 0 && (
        <button type="button" onClick={showAll}>
          Show all {groups.length}
        </button>
      )}
      {overview.diagnoses_left_off > 0 && (
        <p class="quiet">
          {plural(overview.diagnoses_left_off, 'less severe diagnosis', 'less severe diagnoses')} not listed.
        </p>
      )}
    </section>
  );
}

interface Group {
  key: string;
  name: string | null;
  to: Partial<Place>;
  hurt: HurtGroup;
  about: string;
  diagnoses: Diagnosis[];
}

function groupsOf(overview: Overview, by: Grouping, diagnoses: Diagnosis[]): Group[] {
  const of = (holds: (diagnosis: Diagnosis) => boolean) => diagnoses.filter(holds);
  const pairs = ({ degraded_pairs, pairs }: HurtGroup) =>
    `${degraded_pairs.toLocaleString('en')} of ${plural(pairs, 'pair')}`;
  const groups: Record<Grouping, () => Group[]> = {
    target: () =>
      overview.by_target.map((hurt) => ({
        key: hurt.target,
        name: hurt.target,
        to: { view: 'target', target: hurt.target, client: null },
        hurt,
        about: [pairs(hurt), providersText(hurt)].filter(Boolean).join(', '),
        diagnoses: of((diagnosis) => diagnosis.target === hurt.target),
      })),
    client: () =>
      overview.by_client.map((hurt) => ({
        key: hurt.client_id,
        name: hurt.client_id,
        to: { view: 'client', client: hurt.client_id, target: null },
        hurt,
        about: [pairs(hurt), networkText(hurt)].filter(Boolean).join(', '),
        diagnoses: of((diagnosis) => diagnosis.client_id === hurt.client_id),
      })),
    isp: () =>
      overview.by_isp.map((hurt) => ({
        key: `isp ${hurt.isp}`,
        name: hurt.isp,
        to: { isp: hurt.isp ?? '' },
        hurt,
        about: `${pairs(hurt)}, ${plural(hurt.client_count, 'client')}, ${plural(hurt.target_count, 'target')}`,
        diagnoses: of((diagnosis) => diagnosis.isp === hurt.isp),
      })),
  };
  return groups[by]().filter((group) => group.diagnoses.length > 0);
}

function providersText({ isp_count, all_isps }: HurtTarget): string {
  if (isp_count === 0) return '';
  if (!all_isps) return plural(isp_count, 'provider');
  return isp_count === 1 ? 'its only provider' : `all of its ${plural(isp_count, 'provider')}`;
}

function GroupItem({ group, by, window_ms }: { group: Group; by: Grouping; window_ms: number }) {
  const { hurt, name, to, about, diagnoses } = group;
  const { shown, left, showAll } = useFew(diagnoses);
  return (
    <li data-testid="group">
      <div class="group-head">
        <h3>
          <Link to={to}>{name === null ? 'Provider unknown' : <Name text={name} brief />}</Link>
        </h3>
        <span>
          <LabelMark label={hurt.label} /> <SeverityMark severity={hurt.severity} />
        </span>
        <span class="quiet">
          {hurt.since !== null && (
            <>
              <SinceTime at={hurt.since} />,{' '}
            </>
          )}
          {visible(about)}
        </span>
      </div>
      <ul class="evidence-list" role="list">
        {shown.map((diagnosis) => (
          <EvidenceItem
            key={`${diagnosis.client_id}\n${diagnosis.target}`}
            diagnosis={diagnosis}
            by={by}
            window_ms={window_ms}
          />
        ))}
        {left > 0 && (
          <li>
            <button type="button" class="plain more" onClick={showAll}>
              {plural(left, 'more pair')}
            </button>
          </li>
        )}
      </ul>
    </li>
  );
}

function EvidenceItem({ diagnosis, by, window_ms }: { diagnosis: Diagnosis; by: Grouping; window_ms: number }) {
  const { client_id, target, label, severity, evidence, since, window_start_ts } = diagnosis;
  return (
    <li data-testid="diagnosis">
      <LabelMark label={label} />
      <SeverityMark severity={severity} />
      <Link to={{ view: 'pair', client: client_id, target }}>
        {by !== 'client' && <Name text={client_id} length={28} />}
        {by === 'isp' && ' → '}
        {by !== 'target' && <Name text={target} length={36} brief />}
      </Link>
      <span class="words">{evidenceText(label, evidence)}</span>
      {since !== null && (
        <span class="quiet">
          <SinceTime at={since} />, {duration(window_start_ts + window_ms - since)}
        </span>
      )}
    </li>
  );
}
