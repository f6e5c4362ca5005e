// Serves made-up answers from Vite's development server. No part of what is built.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { json as jsonOf } from 'node:stream/consumers';
import type { Plugin } from 'vite';

import {
  compare,
  deadLetters,
  different,
  matrix,
  measurements,
  overview,
  pipeline,
  runs,
  score,
  series,
  timeline,
  uncounted,
} from './answers.ts';
import { addNote, cancel, incident, incidentPairs, incidents, maintenanceWindows, plan } from './incidents.ts';
import { Network } from './network.ts';

const COMMIT_EVERY_MS = 1_000;

/** `size` is clients × targets, as `2000x200`; anything else is 20 × 6. */
export function mockApi(size: string): Plugin {
  const [, clients = '20', targets = '6'] = /^(\d+)x(\d+)$/.exec(size) ?? [];
  const network = new Network(Number(clients), Number(targets));
  return {
    name: 'netqoe-mock',
    configureServer(server) {
      server.middlewares.use('/api/v1', (request, response) => {
        const url = new URL(request.url ?? '/', 'http://mock');
        const text = (name: string) => url.searchParams.get(name);
        const number = (name: string) => Number(text(name));
        const json = (body: unknown) => {
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify(body));
        };
        switch (url.pathname) {
          case '/session':
            return json({ token_needed: false, signed_in: false, version: 'mock' });
          case '/overview':
            return json(overview(network, number('to')));
          case '/timeline':
            return json(timeline(network, number('from'), number('to')));
          case '/incidents':
            return json({ items: incidents(network, number('from'), number('to')), next_cursor: null });
          case '/score':
            return json(score(network, number('from'), number('to')));
          case '/matrix':
            return json(matrix(network, number('to')));
          case '/series':
            return json(series(network, text('client_id') ?? '', text('target') ?? '', number('from'), number('to')));
          case '/runs':
            return json(runs(network, text('client_id') ?? '', text('target') ?? '', number('from'), number('to')));
          case '/events':
            return json(measurements(text('client_id') ?? '', text('target') ?? '', number('from'), number('to')));
          case '/compare':
            return json(
              compare(network, { client: text('client_id'), target: text('target') }, number('from'), number('to')),
            );
          case '/different':
            return json(different(network));
          case '/pipeline':
            return json(pipeline());
          case '/uncounted':
            return json(uncounted());
          case '/dead-letters':
            return json(deadLetters());
          case '/clients':
            return json({ items: network.clients, next_cursor: null });
          case '/targets':
            return json({ items: network.targets.map((target) => ({ target, client_count: 20 })), next_cursor: null });
          case '/live':
            return live(response);
          default:
            if (ofIncidents(network, url.pathname, request, json)) return;
            response.statusCode = 404;
            return json({ error: 'not_found', message: 'The mock does not know this.' });
        }
      });
    },
  };
}

/** Of one incident, and of maintenance windows; false where the path is of neither. */
function ofIncidents(network: Network, path: string, request: IncomingMessage, json: (body: unknown) => void): boolean {
  const [, list, id = '', what] = path.split('/');
  if (list !== 'incidents' && list !== 'maintenance') return false;
  const posted = (answer: (body: never) => unknown) => void bodyOf(request).then((body) => json(answer(body as never)));
  if (what === 'pairs') json({ items: incidentPairs(network, id), next_cursor: null });
  else if (what === 'notes') posted((body) => addNote(id, body));
  else if (list === 'incidents') json(incident(network, id));
  else if (request.method === 'POST') posted(plan);
  else if (request.method === 'DELETE') json(cancel(Number(id)));
  else json({ items: maintenanceWindows(), next_cursor: null });
  return true;
}

function bodyOf(request: IncomingMessage): Promise<unknown> {
  return jsonOf(request);
}

function live(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let id = 0;
  const timer = setInterval(() => {
    id += 1;
    response.write(`id: ${id}\nevent: commit\ndata: {"rows":5,"as_of":${Date.now()},"events":10}\n\n`);
  }, COMMIT_EVERY_MS);
  response.on('close', () => clearInterval(timer));
}
