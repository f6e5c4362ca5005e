// A target: the clients that measure it, compared.

import { Name } from '../parts/Name.tsx';
import { CompareView } from './compare/CompareView.tsx';

export function TargetView({ target }: { target: string }) {
  return (
    <CompareView one={{ target }} kind="target">
      <span class="quiet">Target</span> <Name text={target} length={90} />
    </CompareView>
  );
}
