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
      <table>
        <tbody>
          {KEYS.map(([keys, does]) => (
            <tr key={keys + does}>
              <th scope="row">
                <kbd>{keys}</kbd>
              </th>
              <td>{does}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Modal>
  );
}
