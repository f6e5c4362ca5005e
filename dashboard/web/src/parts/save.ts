// What is shown, as a file of the viewer's.

/** `netqoe-degraded-pairs-2026-11-24T13-05.csv`, in UTC. */
export function fileName(title: string, at: number, extension: string): string {
  const words = title.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const minute = new Date(at).toISOString().slice(0, 16).replace(':', '-');
  return `${['netqoe', ...words, minute].join('-')}.${extension}`;
}

export function save(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
