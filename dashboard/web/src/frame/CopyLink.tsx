// A link to what is shown, for somebody else: with the times of now, so that it shows the same tomorrow.

import { useEffect, useState } from 'preact/hooks';

import { hrefOf, place } from '../state/navigation.ts';
import { bounds } from '../state/present.ts';

/** How long the button says what came of it. */
const SAID_MS = 2_000;

export function CopyLink() {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return;
    const over = setTimeout(() => setSaid(null), SAID_MS);
    return () => clearTimeout(over);
  }, [said]);
  const press = async () => setSaid((await copy(link())) ? 'Copied' : 'Not copied');
  return (
    <>
      <button type="button" title="Copy a link to what is shown, with its times" onClick={() => void press()}>
        {said ?? 'Copy link'}
      </button>
      <span class="unseen" role="status">
        {said}
      </span>
    </>
  );
}

function link(): string {
  const { view } = place.value;
  const { from, to } = bounds();
  return location.origin + hrefOf({ view, range: { from: Math.round(from), to: Math.round(to) } });
}

async function copy(text: string): Promise<boolean> {
  // Browsers have it for pages over TLS and on this machine.
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  return done;
}
