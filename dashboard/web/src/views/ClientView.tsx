// A client: the targets that it measures, compared.

import { Name } from '../parts/Name.tsx';
import { CompareView } from './compare/CompareView.tsx';

export function ClientView({ client }: { client: string }) {
  return (
    <CompareView one={{ client_id: client }} kind="client">
      <span class="quiet">Client</span> <Name text={client} length={90} />
    </CompareView>
  );
}
