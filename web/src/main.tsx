import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { createBrowserRouter, RouterProvider } from 'react-router';
import { ApiError } from './api.ts';
import { Console } from './console.tsx';
import { Broken } from './pages/broken.tsx';
import { Loading } from './parts/basics.tsx';
import './theme.css';

const Now = lazy(() => import('./pages/now.tsx'));
const Sessions = lazy(() => import('./pages/sessions.tsx'));
const Session = lazy(() => import('./pages/session.tsx'));
const Approvals = lazy(() => import('./pages/approvals.tsx'));
const Approval = lazy(() => import('./pages/approval.tsx'));
const Keys = lazy(() => import('./pages/keys.tsx'));
const Ledger = lazy(() => import('./pages/ledger.tsx'));
const Policies = lazy(() => import('./pages/policies.tsx'));
const Missing = lazy(() => import('./pages/missing.tsx'));

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    // Signed out elsewhere, or too long ago: whoever notices first asks who is signed in.
    onError(error, { queryKey }) {
      if (error instanceof ApiError && error.status === 401 && queryKey[0] !== 'me')
        void queries.invalidateQueries({ queryKey: ['me'] });
    },
  }),
  defaultOptions: {
    queries: {
      // Server-sent events tell what changed; this is for what no event tells.
      refetchInterval: 15_000,
      staleTime: 500,
      retry: (count, error) => count < 3 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
});

const page = (element: React.ReactNode) => <Suspense fallback={<Loading what="page" />}>{element}</Suspense>;

const router = createBrowserRouter([
  {
    path: '/',
    element: <Console />,
    errorElement: <Broken />,
    children: [
      {
        errorElement: <Broken />,
        children: [
          { index: true, element: page(<Now />) },
          { path: 'sessions', element: page(<Sessions />) },
          { path: 'sessions/:id', element: page(<Session />) },
          { path: 'approvals', element: page(<Approvals />) },
          { path: 'approvals/:id', element: page(<Approval />) },
          { path: 'approvals/keys', element: page(<Keys />) },
          { path: 'policies', element: page(<Policies />) },
          { path: 'ledger', element: page(<Ledger />) },
          { path: '*', element: page(<Missing />) },
        ],
      },
    ],
  },
]);

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
