import { useTabTitle } from '../parts/page-title.tsx';

/** Shown when nobody is signed in. */
export default function SignIn() {
  useTabTitle('Sign in');
  const back = encodeURIComponent(location.pathname + location.search + location.hash);
  return (
    <main className="mx-auto flex min-h-screen max-w-md flex-col justify-center p-6">
      <div className="rounded-lg border border-line bg-surface p-6">
        <img src="/icon.svg" alt="" width={36} height={36} />
        <h1 className="mt-4 text-xl font-semibold">Countersign</h1>
        <p className="mt-1.5 text-soft">
          What agents do to your databases: decided, masked, recorded, and held for you where it is risky.
        </p>
        <a
          href={`/auth/sign-in?return=${back}`}
          className="mt-6 inline-flex min-h-10 w-full items-center justify-center rounded-md bg-accent px-4 font-medium text-accent-ink hover:bg-accent-strong"
        >
          Sign in with your organisation
        </a>
        <p className="mt-4 text-xs text-soft">
          The gateway keeps no passwords: your identity provider says who you are and which groups you are in.
        </p>
      </div>
    </main>
  );
}
