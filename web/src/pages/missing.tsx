import { Link } from 'react-router';
import { EmptyState, link } from '../parts/basics.tsx';
import { PageTitle } from '../parts/page-title.tsx';

export default function Missing() {
  return (
    <>
      <PageTitle title="No such page">Not found</PageTitle>
      <EmptyState title="There is no such page">
        Look at{' '}
        <Link to="/" className={link}>
          what happens now
        </Link>
        , or find a session under{' '}
        <Link to="/sessions" className={link}>
          Sessions
        </Link>
        .
      </EmptyState>
    </>
  );
}
