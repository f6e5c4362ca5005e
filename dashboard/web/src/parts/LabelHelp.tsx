// What a label and its severities mean, with the thresholds of the server's rules: one box for all labels, filled when it is opened.

import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { ask } from '../api/client.ts';
import type { Label, LabelMeaning, LabelMeanings } from '../api/types.ts';
import { useAnswer } from '../state/answer.ts';
import { visible } from '../words/text.ts';
import { LabelLetter, SeverityMark } from './Label.tsx';
import { Shown } from './States.tsx';

/** The label that is explained; null while none is. `null` within: a window that is not judged. */
const explained = signal<{ label: Label | null } | null>(null);

/** Opens the box. */
export function explain(label: Label | null): void {
  explained.value = { label };
}

export function LabelHelp() {
  const box = useRef<HTMLDivElement>(null);
  const about = explained.value;
  // Rules stay as they are while a server runs.
  const answer = useAnswer(about === null ? null : 'labels', (signal) => ask.labels(signal));
  useEffect(() => {
    if (about !== null) box.current?.showPopover?.();
  }, [about]);
  return (
    <div
      ref={box}
      popover="auto"
      class="formula"
      data-testid="label-help"
      onToggle={(event) => {
        if (event.newState === 'closed') explained.value = null;
      }}
    >
      {about !== null && (
        <Shown answer={answer} what="what labels mean">
          {(labels) => <Explained labels={labels} label={about.label} />}
        </Shown>
      )}
    </div>
  );
}

function Explained({ labels, label }: { labels: LabelMeanings; label: Label | null }) {
  const found = labels.labels.find((of) => of.label === label);
  return (
    <>
      {found ? (
        <Meaning found={found} evidence={labels.evidence} />
      ) : (
        <>
          <h2>Not judged</h2>
          <p>Too little was measured to say what is usual, or nothing that can be compared.</p>
          <p class="quiet">{visible(labels.evidence)}</p>
        </>
      )}
      <p class="quiet">
        By the rules “{visible(labels.rules)}”. A window gets the first label that applies:{' '}
        {labels.labels.map((of) => of.label).join(', ')}. All of it is in docs/diagnoses.md.
      </p>
    </>
  );
}

function Meaning({ found, evidence }: { found: LabelMeaning; evidence: string }) {
  const { label, meaning, when, severities } = found;
  return (
    <>
      <h2>
        <LabelLetter label={label} /> {label}: {visible(meaning)}
      </h2>
      {when.length > 0 && <p>It is given when {when.map(visible).join('; or when ')}.</p>}
      {severities.length > 0 && (
        <dl class="severities">
          {severities.map(({ severity, when }) => (
            <div key={severity}>
              <dt>
                <SeverityMark severity={severity} />
              </dt>
              <dd>{visible(when)}</dd>
            </div>
          ))}
        </dl>
      )}
      {when.length > 0 && label !== 'error-bound' && <p class="quiet">{visible(evidence)}</p>}
    </>
  );
}
