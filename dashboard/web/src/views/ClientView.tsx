export function ClientView({ client }: { client: string }) {
  return <h1>{client}</h1>;
}
