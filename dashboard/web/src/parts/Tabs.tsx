// Tabs, as the ARIA practices have them: one stop for Tab, arrows between them.

interface Props<K extends string> {
  label: string;
  /** The id of what the tabs change. */
  controls: string;
  tabs: { key: K; name: string; count?: number }[];
  chosen: K;
  choose: (key: K) => void;
}

export function Tabs<K extends string>({ label, controls, tabs, chosen, choose }: Props<K>) {
  const press = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const at = tabs.findIndex(({ key }) => key === chosen);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (step === 0 || !next) return;
    event.preventDefault();
    choose(next.key);
    const list = event.currentTarget as HTMLElement;
    (list.querySelector(`[data-key="${next.key}"]`) as HTMLElement | null)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={press}>
      {tabs.map(({ key, name, count }) => (
        <button
          key={key}
          type="button"
          role="tab"
          data-key={key}
          aria-selected={key === chosen}
          aria-controls={controls}
          tabIndex={key === chosen ? 0 : -1}
          onClick={() => choose(key)}
        >
          {name}
          {count !== undefined && <span class="count"> {count}</span>}
        </button>
      ))}
    </div>
  );
}
