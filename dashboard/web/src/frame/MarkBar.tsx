// What can be done with the marked region.

import type { Bounds } from '../api/client.ts';
import { serverNow } from '../state/clock.ts';
import { go, place } from '../state/navigation.ts';
import type { Measure } from '../state/place.ts';
import { showDifference } from './mark.ts';
import { duration } from '../words/figures.ts';
import { measureText } from '../words/measures.ts';
import { span } from '../words/times.ts';

export function MarkBar() {
  const { inside, measure, view } = place.value;
  const shown = inside !== null && view !== 'different';
  const marked = shown ? markText(inside, measure) : '';
  return (
    <>
      {/* Always there, or what comes into it would not be announced. */}
      <p class="unseen" role="status">
        {marked}
      </p>
      {shown && (
        <section class="mark-bar" aria-label="Marked region" data-testid="mark-bar">
          <span>{marked}</span>
          <button type="button" class="primary" onClick={showDifference}>
            What is different
          </button>
          {measure && (
            <button type="button" onClick={() => go({ measure: null }, 'replace')}>
              Any value
            </button>
          )}
          {view !== 'incident' && (
            <button type="button" onClick={() => go({ range: inside, inside: null, measure: null })}>
              Show only this
            </button>
          )}
          <button type="button" onClick={() => go({ inside: null, measure: null }, 'replace')}>
            Clear
          </button>
        </section>
      )}
    </>
  );
}

function markText({ from, to }: Bounds, measure: Measure | null): string {
  const values = measure ? `, ${measureText(measure)}` : '';
  return `Marked: ${span(from, to, serverNow())} (${duration(to - from)})${values}`;
}
