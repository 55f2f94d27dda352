import { Button, EmptyState } from '../parts/basics.tsx';
import { useTabTitle } from '../parts/page-title.tsx';

/** A page that failed by itself, such as after the gateway was replaced by another version. */
export function Broken() {
  useTabTitle('Not shown');
  return (
    <div className="mx-auto max-w-2xl p-6" role="alert">
      <EmptyState title="This page could not be shown">
        <p>The gateway may have been replaced by another version since the page was opened.</p>
        <Button className="mt-3" onClick={() => location.reload()}>
          Load it again
        </Button>
      </EmptyState>
    </div>
  );
}
