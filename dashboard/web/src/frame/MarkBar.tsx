// What can be done with the marked region.

import { serverNow } from '../state/clock.ts';
import { go, place } from '../state/navigation.ts';
import { showDifference } from './mark.ts';
import { duration } from '../words/figures.ts';
import { measureText } from '../words/measures.ts';
import { span } from '../words/times.ts';

export function MarkBar() {
  const { inside, measure, view } = place.value;
  if (!inside || view === 'different') return null;
  return (
    <section class="mark-bar" aria-label="Marked region" data-testid="mark-bar">
      <span>
        Marked: {span(inside.from, inside.to, serverNow())} ({duration(inside.to - inside.from)})
        {measure && `, ${measureText(measure)}`}
      </span>
      <button type="button" class="primary" onClick={showDifference}>
        What is different
      </button>
      {measure && (
        <button type="button" onClick={() => go({ measure: null }, 'replace')}>
          Any value
        </button>
      )}
      <button type="button" onClick={() => go({ range: inside, inside: null, measure: null })}>
        Show only this
      </button>
      <button type="button" onClick={() => go({ inside: null, measure: null }, 'replace')}>
        Clear
      </button>
    </section>
  );
}
