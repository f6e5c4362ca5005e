// Whether a token is needed and this browser has given one.

import { computed, signal } from '@preact/signals';

import { ask, AskError, tell } from '../api/client.ts';
import type { Session } from '../api/types.ts';
import { link, urge } from './live.ts';

export const session = signal<Session | null>(null);
/** Whether questions will be answered. */
export const mayRead = computed(
  () => session.value !== null && (session.value.signed_in || !session.value.token_needed),
);
export const sessionError = signal<AskError | null>(null);
/** The version of netqoe that this page came from. */
export const pageVersion = signal<string | null>(null);

const RETRY_MS = 2_000;

let retry: ReturnType<typeof setTimeout> | undefined;

/** Asks who we are; tries again until somebody answers. */
async function lookAtSession(): Promise<void> {
  clearTimeout(retry);
  try {
    const answer = await ask.session();
    session.value = answer;
    sessionError.value = null;
    pageVersion.value ??= answer.version;
  } catch (error) {
    sessionError.value = error instanceof AskError ? error : new AskError(0, String(error));
    if (session.value === null) retry = setTimeout(() => void lookAtSession(), RETRY_MS);
  }
}

export function startSession(): void {
  let was = link.value;
  link.subscribe((is) => {
    if (is === 'open' && was === 'lost') void lookAtSession();
    was = is;
  });
  // The first time now, and later where a viewer does not want to wait for it.
  urge.subscribe(() => {
    if (session.value === null) void lookAtSession();
  });
}

/** A question was refused for want of a token. */
export function signedOut(): void {
  const known = session.value;
  if (known?.signed_in !== false) void lookAtSession();
}

export async function signIn(token: string): Promise<void> {
  await tell.signIn(token);
  await lookAtSession();
}

export async function signOut(): Promise<void> {
  await tell.signOut();
  await lookAtSession();
}
