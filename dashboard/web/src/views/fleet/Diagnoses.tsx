// What hurts now, grouped by target, client, provider or a label.

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
import { isTagDimension, tagOf, taggedWith, tagWords, type TagDimension } from '../../words/tags.ts';
import { plural, visible } from '../../words/text.ts';

const NAMES: Record<(typeof GROUPINGS)[number], string> = {
  target: 'By target',
  client: 'By client',
  isp: 'By provider',
};

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
        <Tabs<Grouping>
          label="Group by"
          controls="diagnoses-list"
          tabs={GROUPINGS.map((grouping) => ({ key: grouping, name: NAMES[grouping], count: counts[grouping] }))}
          chosen={by}
          choose={(grouping) => go({ by: grouping }, 'replace')}
        />
        <LabelChoice dimensions={overview.label_dimensions} by={by} />
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

/** The labels that occur; and the one that is chosen, though it may occur no more. */
function LabelChoice({ dimensions, by }: { dimensions: string[]; by: Grouping }) {
  const chosen = isTagDimension(by) ? by : '';
  const all = chosen === '' || dimensions.includes(chosen) ? dimensions : [chosen, ...dimensions];
  if (all.length === 0) return null;
  return (
    <select
      aria-label="Group by a label"
      data-testid="group-by-label"
      value={chosen}
      onChange={({ currentTarget: { value } }) => go({ by: isTagDimension(value) ? value : 'target' }, 'replace')}
    >
      <option value="">By label …</option>
      {all.map((dimension) => (
        <option key={dimension} value={dimension}>
          By {tagWords(dimension)}
        </option>
      ))}
    </select>
  );
}

interface Group {
  key: string;
  name: string | null;
  /** What is said where there is no name. */
  nameless: string;
  /** Null where the group has no view. */
  to: Partial<Place> | null;
  hurt: HurtGroup;
  about: string;
  diagnoses: Diagnosis[];
}

function groupsOf(overview: Overview, by: Grouping, diagnoses: Diagnosis[]): Group[] {
  const of = (holds: (diagnosis: Diagnosis) => boolean) => diagnoses.filter(holds);
  const pairs = ({ degraded_pairs, pairs }: HurtGroup) =>
    `${degraded_pairs.toLocaleString('en')} of ${plural(pairs, 'pair')}`;
  const groups: Record<(typeof GROUPINGS)[number], () => Group[]> = {
    target: () =>
      overview.by_target.map((hurt) => ({
        key: hurt.target,
        name: hurt.target,
        nameless: '',
        to: { view: 'target', target: hurt.target, client: null },
        hurt,
        about: [pairs(hurt), providersText(hurt)].filter(Boolean).join(', '),
        diagnoses: of((diagnosis) => diagnosis.target === hurt.target),
      })),
    client: () =>
      overview.by_client.map((hurt) => ({
        key: hurt.client_id,
        name: hurt.client_id,
        nameless: '',
        to: { view: 'client', client: hurt.client_id, target: null },
        hurt,
        about: [pairs(hurt), networkText(hurt)].filter(Boolean).join(', '),
        diagnoses: of((diagnosis) => diagnosis.client_id === hurt.client_id),
      })),
    isp: () =>
      overview.by_isp.map((hurt) => ({
        key: `isp ${hurt.isp}`,
        name: hurt.isp,
        nameless: 'Provider unknown',
        to: { isp: hurt.isp ?? '' },
        hurt,
        about: `${pairs(hurt)}, ${plural(hurt.client_count, 'client')}, ${plural(hurt.target_count, 'target')}`,
        diagnoses: of((diagnosis) => diagnosis.isp === hurt.isp),
      })),
  };
  const all = isTagDimension(by) ? groupsByLabel(overview, by, pairs, of) : groups[by]();
  return all.filter((group) => group.diagnoses.length > 0);
}

function groupsByLabel(
  overview: Overview,
  by: TagDimension,
  pairs: (hurt: HurtGroup) => string,
  of: (holds: (diagnosis: Diagnosis) => boolean) => Diagnosis[],
): Group[] {
  return overview.by_label.map((hurt) => ({
    key: `${by} ${hurt.value === null ? '' : `=${hurt.value}`}`,
    name: hurt.value,
    nameless: `Without ${tagWords(by) ?? by}`,
    // Pairs without a label can't be asked for.
    to: hurt.value === null ? null : { labelled: taggedWith(place.value.labelled, by, hurt.value) },
    hurt,
    about: `${pairs(hurt)}, ${plural(hurt.client_count, 'client')}, ${plural(hurt.target_count, 'target')}`,
    diagnoses: of((diagnosis) => tagOf(diagnosis, by) === hurt.value),
  }));
}

function providersText({ isp_count, all_isps }: HurtTarget): string {
  if (isp_count === 0) return '';
  if (!all_isps) return plural(isp_count, 'provider');
  return isp_count === 1 ? 'its only provider' : `all of its ${plural(isp_count, 'provider')}`;
}

function GroupItem({ group, by, window_ms }: { group: Group; by: Grouping; window_ms: number }) {
  const { hurt, name, nameless, to, about, diagnoses } = group;
  const title = name === null ? nameless : <Name text={name} brief />;
  const { shown, left, showAll } = useFew(diagnoses);
  return (
    <li data-testid="group">
      <div class="group-head">
        <h3>{to === null ? title : <Link to={to}>{title}</Link>}</h3>
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
        {by !== 'client' && by !== 'target' && ' → '}
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
