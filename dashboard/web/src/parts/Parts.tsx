// A sentence with its names, which are links where they lead somewhere.

import type { Part } from '../words/parts.ts';
import { visible } from '../words/text.ts';
import { Link } from './Link.tsx';
import { Name } from './Name.tsx';

export function Parts({ parts }: { parts: Part[] }) {
  return (
    <>
      {parts.map((part, index) =>
        typeof part === 'string' ? (
          <bdi key={index}>{visible(part)}</bdi>
        ) : part.place === null ? (
          <Name key={index} text={part.name} length={48} brief />
        ) : (
          <Link key={index} to={part.place}>
            <Name text={part.name} length={48} brief />
          </Link>
        ),
      )}
    </>
  );
}
