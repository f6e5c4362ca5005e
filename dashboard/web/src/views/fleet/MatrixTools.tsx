// The matrix' legend, which is its filter as well.

import { useMemo } from 'preact/hooks';

import type { Label, MatrixAnswer } from '../../api/types.ts';
import { cellCounts } from '../../matrix/cells.ts';
import { go, place } from '../../state/navigation.ts';
import { count } from '../../words/figures.ts';
import { HURT } from '../../words/labels.ts';
import { taggedText } from '../../words/tags.ts';
import { visible } from '../../words/text.ts';

export function MatrixTools({ answer }: { answer: MatrixAnswer | null }) {
  const counts = useMemo(() => (answer ? cellCounts(answer) : null), [answer]);
  const { label, labelled, only, isp } = place.value;
  const pick = (picked: Label) => go({ label: label === picked ? null : picked });
  return (
    <div class="matrix-tools" role="group" aria-label="Legend and filters">
      {isp !== null && (
        <button type="button" class="chip" aria-pressed="true" onClick={() => go({ isp: null })}>
          provider {isp === '' ? 'unknown' : visible(isp)} <span aria-hidden="true">×</span>
        </button>
      )}
      {labelled.map((tagged) => (
        <button
          key={tagged}
          type="button"
          class="chip"
          aria-pressed="true"
          onClick={() => go({ labelled: labelled.filter((other) => other !== tagged) })}
        >
          {taggedText(tagged)} <span aria-hidden="true">×</span>
        </button>
      ))}
      {HURT.map((words) => (
        <button
          key={words.label}
          type="button"
          class="chip"
          title={words.meaning}
          aria-pressed={label === words.label}
          onClick={() => pick(words.label)}
        >
          <span class="label">
            <span class={`letter ${words.token}`} aria-hidden="true">
              {words.letter}
            </span>
            {words.label}
          </span>
          <span class="quiet">{counts && count(counts.labels.get(words.label) ?? 0)}</span>
        </button>
      ))}
      {counts !== null && counts.unmeasured > 0 && (
        <span class="legend" title="measured regularly, and not lately: who measures it is silent">
          <span class="letter unmeasured" aria-hidden="true" /> unmeasured{' '}
          <span class="quiet">{count(counts.unmeasured)}</span>
        </span>
      )}
      <button type="button" class="chip" aria-pressed={only} onClick={() => go({ only: !only })}>
        only degraded
      </button>
    </div>
  );
}
