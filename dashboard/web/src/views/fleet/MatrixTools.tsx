// The matrix' legend, which is its filter as well.

import type { Label, Overview } from '../../api/types.ts';
import { go, place } from '../../state/navigation.ts';
import { HURT } from '../../words/labels.ts';
import { visible } from '../../words/text.ts';

export function MatrixTools({ overview }: { overview: Overview }) {
  const { label, only, isp } = place.value;
  const pick = (picked: Label) => go({ label: label === picked ? null : picked });
  return (
    <div class="matrix-tools" role="group" aria-label="Legend and filters">
      {isp !== null && (
        <button type="button" class="chip" aria-pressed="true" onClick={() => go({ isp: null })}>
          provider {isp === '' ? 'unknown' : visible(isp)} <span aria-hidden="true">×</span>
        </button>
      )}
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
          <span class="quiet">{countOf(overview, words.label)}</span>
        </button>
      ))}
      <button type="button" class="chip" aria-pressed={only} onClick={() => go({ only: !only })}>
        only degraded
      </button>
    </div>
  );
}

function countOf({ diagnoses, diagnoses_left_off }: Overview, label: Label): string {
  const count = diagnoses.reduce((sum, diagnosis) => sum + (diagnosis.label === label ? 1 : 0), 0);
  return diagnoses_left_off > 0 ? `≥ ${count}` : String(count);
}
