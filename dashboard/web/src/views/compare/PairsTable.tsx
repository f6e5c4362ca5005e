// Pairs beside each other, ranked, each with a small chart on the same scale.

import { useMemo } from 'preact/hooks';

import type { Bounds } from '../../api/client.ts';
import type { Compare, ComparedPair } from '../../api/types.ts';
import { Spark } from '../../charts/Spark.tsx';
import { useFew } from '../../parts/few.ts';
import { LabelMark, SeverityMark } from '../../parts/Label.tsx';
import { Link } from '../../parts/Link.tsx';
import { Name } from '../../parts/Name.tsx';
import { SinceTime } from '../../parts/Time.tsx';
import { Wide } from '../../parts/Wide.tsx';
import { go, place } from '../../state/navigation.ts';
import { showsPast } from '../../state/present.ts';
import type { Sort } from '../../state/place.ts';
import { isHurt } from '../../words/compare.ts';
import { count, mbits, ms, percent } from '../../words/figures.ts';
import { networkText } from '../../words/network.ts';
import { plural } from '../../words/text.ts';
import { ranked } from './ranking.ts';

/** The pairs are what the view is about: as many as a screen has room for. */
const FEW = 20;

/** What the small charts show: what hurts most of the pairs, as the server says. */
const SPARKS: Record<Compare['phase'], { name: string; value: (value: number | null) => string }> = {
  total: { name: 'Total p95', value: ms },
  dns: { name: 'DNS p95', value: ms },
  handshake: { name: 'TCP + TLS p95', value: ms },
  ttfb: { name: 'TTFB p95', value: ms },
  throughput: { name: 'Throughput p50', value: mbits },
};

interface Props {
  compare: Compare;
  bounds: Bounds;
  kind: 'client' | 'target';
}

export function PairsTable({ compare, bounds, kind }: Props) {
  const { sort } = place.value;
  const nameOf = kind === 'client' ? (pair: ComparedPair) => pair.target : (pair: ComparedPair) => pair.client_id;
  const pairs = useMemo(() => ranked(compare.pairs, sort, nameOf), [compare, sort, kind]);
  const { shown, left, showAll } = useFew(pairs, FEW);
  const { name, value } = SPARKS[compare.phase];
  const most = Math.max(1, ...pairs.flatMap(({ values }) => values.map((value) => value ?? 0)));
  return (
    <section aria-labelledby="pairs-title">
      <div class="section-head">
        <h2 id="pairs-title">{kind === 'client' ? 'Its targets' : 'Its clients'}, ranked</h2>
        <span class="quiet">
          small charts: {name} from 0 to {value(most)}; bars below: degraded
        </span>
      </div>
      <Wide name="Pairs" showAll={showAll}>
        <table class="pairs" data-testid="pairs">
          <thead>
            <tr>
              <Head sort="name">{kind === 'client' ? 'Target' : 'Client'}</Head>
              <Head sort="worst">{showsPast.value ? 'At the end' : 'Now'}</Head>
              <th scope="col">{name}</th>
              <Head sort="degraded" figure>
                Degraded windows
              </Head>
              <Head sort="failed" figure>
                Failed
              </Head>
              <Head sort="ttfb" figure>
                TTFB p95 max
              </Head>
              <Head sort="total" figure>
                Total p95 max
              </Head>
              <Head sort="throughput" figure>
                Throughput p50 min
              </Head>
            </tr>
          </thead>
          <tbody>
            {shown.map((pair) => (
              <Row key={nameOf(pair)} pair={pair} kind={kind} compare={compare} bounds={bounds} most={most} />
            ))}
          </tbody>
        </table>
      </Wide>
      {left > 0 && (
        <button type="button" onClick={showAll}>
          Show all {count(pairs.length)}
        </button>
      )}
      {(compare.pairs_left_off ?? 0) > 0 && (
        <p class="quiet">{plural(compare.pairs_left_off ?? 0, 'less hurt pair')} not listed.</p>
      )}
    </section>
  );
}

interface RowProps extends Props {
  pair: ComparedPair;
  most: number;
}

function Row({ pair, kind, compare, bounds, most }: RowProps) {
  const { client_id, target, label, severity, degraded_windows, windows, count_error, count_total } = pair;
  const { name } = SPARKS[compare.phase];
  const ttfb = ms(pair.ttfb_p95_max);
  return (
    <tr>
      <th scope="row">
        <Link to={{ view: 'pair', client: client_id, target }}>
          <Name text={kind === 'client' ? target : client_id} length={44} brief={kind === 'client'} />
        </Link>
        {kind === 'target' && <div class="quiet network">{networkText(pair)}</div>}
      </th>
      <td class="now">
        <LabelMark label={label} />
        {isHurt(pair) && (
          <div class="quiet">
            <SeverityMark severity={severity} /> <SinceTime at={pair.since} />
          </div>
        )}
      </td>
      <td>
        <Spark
          start={compare.start}
          point_ms={compare.point_ms}
          bounds={bounds}
          values={pair.values}
          most={most}
          degraded={pair.degraded}
          label={`${name}, ${extremeOf(pair.values, compare.phase)}; ${plural(degraded_windows, 'degraded window')}`}
        />
      </td>
      <td class="figure">
        {count(degraded_windows)} of {count(windows)}
      </td>
      <td class="figure">{percent(count_total === 0 ? null : count_error / count_total)}</td>
      <td class="figure">{ttfb}</td>
      <td class="figure">{ms(pair.total_p95_max)}</td>
      <td class="figure">{mbits(pair.throughput_p50_min)}</td>
    </tr>
  );
}

function Head({ sort, figure = false, children }: { sort: Sort; figure?: boolean; children: string }) {
  const chosen = place.value.sort === sort;
  return (
    <th
      scope="col"
      class={figure ? 'figure' : ''}
      aria-sort={chosen ? (sort === 'name' ? 'ascending' : 'other') : undefined}
    >
      <button
        type="button"
        class="plain sort"
        title={sort === 'name' ? 'By name' : 'Worst first'}
        onClick={() => go({ sort }, 'replace')}
      >
        {children}
        <span aria-hidden="true">{chosen ? ' ▾' : ''}</span>
      </button>
    </th>
  );
}

/** As `at most 412 ms`; of throughput, `at least 9.1 Mbit/s`. */
function extremeOf(values: ComparedPair['values'], phase: Compare['phase']): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return 'not measured';
  const { value } = SPARKS[phase];
  return phase === 'throughput' ? `at least ${value(Math.min(...known))}` : `at most ${value(Math.max(...known))}`;
}
