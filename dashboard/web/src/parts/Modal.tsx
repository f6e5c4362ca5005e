// A dialog over the page: the browser's own, which keeps the focus inside and gives it back.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface Props {
  label: string;
  close: () => void;
  children: ComponentChildren;
}

export function Modal({ label, close, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  const outside = (event: MouseEvent) => {
    if (event.target === dialog.current) close();
  };
  return (
    <dialog ref={dialog} aria-label={label} onClose={close} onClick={outside}>
      {children}
    </dialog>
  );
}
