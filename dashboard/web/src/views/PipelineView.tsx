export function PipelineView() {
  return <h1>…</h1>;
}
