import { Link } from 'react-router';
import { EmptyState } from '../parts/basics.tsx';

export default function Missing() {
  return (
    <EmptyState title="There is no such page">
      <Link to="/" className="text-accent underline">
        Go to what happens now
      </Link>
    </EmptyState>
  );
}
