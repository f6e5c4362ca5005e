export function TargetView({ target }: { target: string }) {
  return <h1>{target}</h1>;
}
