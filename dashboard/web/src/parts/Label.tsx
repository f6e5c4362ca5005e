// A diagnosis' label and severity, told by letter, marks and words; colour only helps.

import type { Label, Severity } from '../api/types.ts';
import { weight, wordsOf } from '../words/labels.ts';
import { explain } from './LabelHelp.tsx';

interface Props {
  label: Label | null;
  /** Whether it is only seen: within what is itself a button, or hidden from those who hear. */
  inert?: boolean;
}

/** Its name leads to what it means. */
export function LabelMark({ label, inert = false }: Props) {
  const content = (
    <>
      <LabelLetter label={label} />
      {label ?? 'not judged'}
    </>
  );
  if (inert) return <span class="label">{content}</span>;
  return (
    <button
      type="button"
      class="plain label"
      aria-haspopup="dialog"
      title={`${meaningOf(label)} – click: what it means`}
      onClick={() => explain(label)}
    >
      {content}
    </button>
  );
}

function meaningOf(label: Label | null): string {
  return label === null ? 'no baseline yet, or no success' : wordsOf(label).meaning;
}

export function LabelLetter({ label }: { label: Label | null }) {
  const { letter, token } = label === null ? { letter: '', token: 'unknown' } : wordsOf(label);
  return (
    <span class={`letter ${token}`} aria-hidden="true">
      {letter}
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
