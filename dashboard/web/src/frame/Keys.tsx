// The list of keys.

import { signal } from '@preact/signals';

import { Modal } from '../parts/Modal.tsx';
import { KEYS } from './keyboard.ts';

export const keysOpen = signal(false);

export function Keys() {
  if (!keysOpen.value) return null;
  const close = () => (keysOpen.value = false);
  return (
    <Modal label="Keys" close={close}>
      <div class="section-head">
        <h2>Keys</h2>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
      {KEYS.map(({ where, keys }) => (
        <table key={where} class="keys">
          <caption>{where}</caption>
          <tbody>
            {keys.map(([key, does]) => (
              <tr key={key}>
                <th scope="row">
                  <kbd>{key}</kbd>
                </th>
                <td>{does}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
    </Modal>
  );
}
