// The pairs of one target or client: when they were degraded, and each beside the others.

import type { ComponentChildren } from 'preact';

import { ask } from '../../api/client.ts';
import type { ComparedPair } from '../../api/types.ts';
import { Empty, Shown } from '../../parts/States.tsx';
import { useAnswer } from '../../state/answer.ts';
import { bounds, rangeKey, showsPast } from '../../state/present.ts';
import { compareText } from '../../words/compare.ts';
import { networkText } from '../../words/network.ts';
import { tagsText } from '../../words/tags.ts';
import { ScoreLine } from '../ScoreLine.tsx';
import { DegradedChart } from './DegradedChart.tsx';
import { PairsTable } from './PairsTable.tsx';

interface Props {
  one: { client_id: string } | { target: string };
  /** What the pairs have in common. */
  kind: 'client' | 'target';
  children: ComponentChildren;
}

export function CompareView({ one, kind, children }: Props) {
  const answer = useAnswer(`compare ${rangeKey()}`, (signal) => {
    const range = bounds();
    return ask.compare(one, range, signal).then((compare) => ({ compare, range }));
  });
  const about = aboutText(kind, answer.value?.compare.pairs ?? []);
  return (
    <>
      <div class="title">
        <h1 data-testid={`${kind}-title`}>{children}</h1>
        {about !== '' && <span class="quiet">{about}</span>}
      </div>
      <ScoreLine of={{ by: kind, ...one }} what={`the ${kind} in this range`} />
      <Shown answer={answer} what={`the ${kind}`}>
        {({ compare, range }) =>
          compare.pairs.length === 0 ? (
            <Empty>
              <strong>There are no measurements of this {kind} in this range.</strong>
              <span>Choose a longer range above, or look for another name with “/”.</span>
            </Empty>
          ) : (
            <>
              <p data-testid="compare-sentence">{compareText(compare, kind, showsPast.value)}</p>
              <DegradedChart compare={compare} bounds={range} kind={kind} />
              <PairsTable compare={compare} bounds={range} kind={kind} />
            </>
          )
        }
      </Shown>
    </>
  );
}

/** The network and the labels of a client, or the labels of a target, as the first of the pairs says that has any. */
function aboutText(kind: Props['kind'], pairs: ComparedPair[]): string {
  const network = kind === 'client' && pairs[0] ? networkText(pairs[0]) : '';
  const labels = pairs.map((pair) => (kind === 'client' ? pair.client_labels : pair.target_labels));
  const first = labels.find((found) => Object.keys(found).length > 0);
  return [network, tagsText(first)].filter((text) => text !== '').join(', ');
}
