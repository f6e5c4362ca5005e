// A diagnosis' label and severity, told by letter, marks and words; colour only helps.

import type { Label, Severity } from '../api/types.ts';
import { weight, wordsOf } from '../words/labels.ts';

export function LabelMark({ label }: { label: Label | null }) {
  if (label === null) {
    return (
      <span class="label" title="no baseline yet, or no success">
        <span class="letter unknown" aria-hidden="true" />
        not judged
      </span>
    );
  }
  const { letter, token, meaning } = wordsOf(label);
  return (
    <span class="label" title={meaning}>
      <span class={`letter ${token}`} aria-hidden="true">
        {letter}
      </span>
      {label}
    </span>
  );
}

export function SeverityMark({ severity }: { severity: Severity | null }) {
  if (severity === null) return null;
  const full = weight(severity);
  return (
    <span class="severity">
      <span class="bars" aria-hidden="true">
        {[1, 2, 3].map((bar) => (
          <i key={bar} class={bar <= full ? 'full' : ''} />
        ))}
      </span>
      {severity}
    </span>
  );
}
