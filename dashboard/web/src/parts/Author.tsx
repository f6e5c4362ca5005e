// Who writes: the browser remembers it.

import { author, setAuthor } from '../state/author.ts';

export function Author() {
  return (
    <label class="field">
      Your name
      <input
        type="text"
        autocomplete="name"
        maxLength={100}
        value={author.value}
        onInput={(event) => setAuthor(event.currentTarget.value)}
      />
    </label>
  );
}
