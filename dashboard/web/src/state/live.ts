// Commits as the server announces them, and whether it can be heard.

import { signal } from '@preact/signals';

import { liveUrl } from '../api/client.ts';

export type Link = 'connecting' | 'open' | 'lost';

export const link = signal<Link>('connecting');
/** Changes when there may be something new to ask for. */
export const news = signal(0);
/** Changes when the viewer wants to ask now, whatever the page waits for. */
export const urge = signal(0);

/** First and longest wait before a lost stream is opened again. */
const RETRY_MS = 500;
const LONGEST_RETRY_MS = 2_000;

/** How long the server keeps an answer that viewers share, with some room. */
export const SHARED_ANSWER_MS = 550;

/** Incidents change with the minutes of the log: who asks for many of them need not do so at each commit. */
export const INCIDENTS_KEPT_MS = 5_000;

/** Without news for so long, the page asks all the same: a connection can be dead and not know it. */
const BEAT_MS = 30_000;
/** A timer that comes so late was held up by a machine that slept; its connections are dead. */
const SLEPT_MS = 60_000;

let source: EventSource | null = null;
let lastEventId = '';
let retry_ms = RETRY_MS;
let timer: ReturnType<typeof setTimeout> | undefined;
let echo: ReturnType<typeof setTimeout> | undefined;
let heart: ReturnType<typeof setInterval> | undefined;
let wanted = false;
/** When there were last news, or this machine slept. */
let beat = Date.now();

/** Listens, or no longer; only while the page is seen: a browser has few connections to a server, and hidden pages must not hold them. */
export function listen(wish: boolean): void {
  wanted = wish;
  document.removeEventListener('visibilitychange', listenIfSeen);
  if (wish) document.addEventListener('visibilitychange', listenIfSeen);
  clearInterval(heart);
  if (wish) heart = setInterval(lookForLife, BEAT_MS);
  listenIfSeen();
}

function lookForLife(): void {
  const silent_ms = Date.now() - beat;
  beat = Date.now();
  if (document.hidden) return;
  if (silent_ms > SLEPT_MS) open();
  else if (silent_ms >= BEAT_MS) news.value += 1;
}

/** A question found no server: the stream will not hear it either. */
export function doubt(): void {
  if (source !== null && link.value === 'open') open();
}

function listenIfSeen(): void {
  if (wanted && !document.hidden) open();
  else close();
}

function open(): void {
  close();
  const stream = new EventSource(liveUrl(lastEventId));
  source = stream;
  stream.onopen = () => {
    link.value = 'open';
    retry_ms = RETRY_MS;
    tellNews();
  };
  const changed = (event: MessageEvent) => {
    if (event.lastEventId) lastEventId = event.lastEventId;
    tellNews();
  };
  for (const name of ['commit', 'incidents', 'reset', 'lagged']) stream.addEventListener(name, changed);
  stream.onerror = () => {
    stream.close();
    if (source !== stream) return;
    link.value = 'lost';
    timer = setTimeout(again, retry_ms);
    retry_ms = Math.min(retry_ms * 2, LONGEST_RETRY_MS);
  };
}

/** Opens once more; and asks, since answers may come where no stream does. */
function again(): void {
  news.value += 1;
  open();
}

/** There are news; and again when the answers that viewers share have grown too old to lack them. */
function tellNews(): void {
  news.value += 1;
  beat = Date.now();
  clearTimeout(echo);
  echo = setTimeout(() => (news.value += 1), SHARED_ANSWER_MS);
}

function close(): void {
  clearTimeout(timer);
  source?.close();
  source = null;
}
