// Signing in with a token, which the browser then keeps in a cookie that scripts can't read.

import { useEffect, useRef, useState } from 'preact/hooks';

import { AskError } from '../api/client.ts';
import { signIn } from '../state/session.ts';
import { visible } from '../words/text.ts';

export function Login() {
  const [token, setToken] = useState('');
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await signIn(token.trim());
    } catch (error) {
      setFailure(error instanceof AskError ? visible(error.message) : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="login" onSubmit={(event) => void submit(event)} aria-labelledby="login-title">
      <h1 id="login-title">Sign in</h1>
      <p class="quiet">
        netqoe asks for a token here. This browser stays signed in until it has not been used for a day, and for 30 days
        at most.
      </p>
      <label class="field">
        Token
        <input
          ref={input}
          type="password"
          autocomplete="current-password"
          required
          value={token}
          aria-invalid={failure !== null}
          aria-describedby="login-failure"
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      <p id="login-failure" class="failure" role="alert">
        {failure}
      </p>
      <button type="submit" class="primary" disabled={busy || token.trim() === ''}>
        Sign in
      </button>
    </form>
  );
}
