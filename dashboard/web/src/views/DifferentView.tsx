export function DifferentView() {
  return <h1>…</h1>;
}
