// A dialog over the page: the browser's own, which keeps the focus inside and gives it back.

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

interface Props {
  label: string;
  close: () => void;
  children: ComponentChildren;
}

export function Modal({ label, close, children }: Props) {
  // Before the next key is handled: who types on at once must reach the dialog.
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  const outside = (event: MouseEvent) => {
    if (event.target === dialog.current) close();
  };
  // The browser tells of a closed dialog later, when a key may have opened the next one; of Escape it tells at once.
  const cancelled = (event: Event) => {
    event.preventDefault();
    close();
  };
  const closed = () => {
    if (dialog.current) close();
  };
  return (
    <dialog ref={dialog} aria-label={label} onCancel={cancelled} onClose={closed} onClick={outside}>
      {children}
    </dialog>
  );
}
