// Something that is sent to the server: whether it is under way, and why it was refused.

import { useState } from 'preact/hooks';

import { AskError } from '../api/client.ts';
import { visible } from '../words/text.ts';
import { urge } from './live.ts';

export interface Sending {
  busy: boolean;
  failure: string | null;
  send: (what: () => Promise<void>) => Promise<void>;
}

/** Once it is sent, the page asks again at once: it shows what was sent as the server has it. */
export function useSending(): Sending {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const send = async (what: () => Promise<void>) => {
    setBusy(true);
    try {
      await what();
      setFailure(null);
      urge.value += 1;
    } catch (error) {
      setFailure(error instanceof AskError ? visible(error.message) : String(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, failure, send };
}
