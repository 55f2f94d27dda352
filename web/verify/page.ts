// The page that verifies a ledger: what is picked, the work, the verdict. Its one script is also the worker's.
import { NoteError, parseVkey } from '../../src/ledger/note.ts';
import { checkTlogProof } from '../../src/ledger/tlog-proof.ts';
import { visible } from '../../src/ledger/verify-summary.ts';
import { dropped, type NamedFile } from './dropped.ts';
import { element, showReport, showWrong } from './show.ts';
import { type News, startWork, type Task, work } from './work.ts';

function page(script: string): void {
  const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
  const field = (id: string) => find<HTMLInputElement>(id);
  const [form, result, progress, bar] = ['form', 'result', 'progress', 'bar'].map((id) => find(id)) as [
    HTMLFormElement,
    HTMLElement,
    HTMLElement,
    HTMLProgressElement,
  ];
  const button = find<HTMLButtonElement>('verify');
  let files: readonly NamedFile[] = [];

  function picked(list: readonly NamedFile[]): void {
    files = list;
    const bytes = list.reduce((sum, { file }) => sum + file.size, 0);
    const first = list[0]?.path.split('/')[0] ?? '';
    const what = list.length === 1 ? first : `${first}, ${list.length.toLocaleString('en')} files`;
    const words = list.length === 0 ? 'Nothing picked yet.' : `${what} (${(bytes / 1e6).toFixed(1)} MB)`;
    find('picked').textContent = visible(words);
  }

  for (const [buttonId, inputId] of [
    ['pick-folder', 'folder'],
    ['pick-zip', 'zip'],
  ] as const) {
    find(buttonId).addEventListener('click', () => field(inputId).click());
    field(inputId).addEventListener('change', () => {
      picked([...(field(inputId).files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
    });
  }

  const drop = find('drop');
  // A file that is dropped beside the field must not replace the page.
  for (const event of ['dragover', 'drop']) addEventListener(event, (happened) => happened.preventDefault());
  drop.addEventListener('dragover', () => drop.classList.add('over'));
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    drop.classList.remove('over');
    if (!event.dataTransfer) return;
    void dropped(event.dataTransfer).then(picked, () => show(showWrong('What was dropped could not be read.')));
  });

  function show(elements: readonly HTMLElement[]): void {
    progress.hidden = true;
    button.disabled = false;
    result.replaceChildren(...elements);
    result.hidden = false;
    result.focus();
  }

  function save(report: object): HTMLElement {
    const made = element('button', { type: 'button' }, 'Save the report (JSON)');
    made.addEventListener('click', () => {
      const url = URL.createObjectURL(new Blob([JSON.stringify(report, undefined, 2)], { type: 'application/json' }));
      element('a', { href: url, download: 'verification.json' }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    });
    return element('p', { class: 'buttons' }, made);
  }

  function tell(news: News): void {
    if (news.kind === 'wrong') return show(showWrong(news.what));
    if (news.kind === 'report') return show([...showReport(news.report, news.at, news.recorded), save(news.report)]);
    bar.max = Math.max(1, news.of, news.entries);
    bar.value = news.entries;
    find('progress-text').textContent = `${news.entries.toLocaleString('en')} of ${news.of.toLocaleString('en')} entries`;
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void start();
  });

  async function start(): Promise<void> {
    const key = field('key').value.trim();
    if (files.length === 0) return show(showWrong('Pick the folder of a ledger first, or drop it on the page.'));
    if (key === '') return show(showWrong('Give the public key of the log: one line, from somewhere else than the ledger.'));
    result.hidden = true;
    progress.hidden = false;
    button.disabled = true;
    bar.removeAttribute('value');
    find('progress-text').textContent = 'Reading …';
    const quorum = field('quorum').value;
    const task: Task = {
      files,
      key,
      kept: await Promise.all([...(field('kept').files ?? [])].map((file) => file.text())),
      witnesses: field('witnesses').value.split('\n').map((line) => line.trim()).filter((line) => line !== ''),
      ...(quorum === '' ? {} : { quorum: Number(quorum) }),
    };
    const { stop } = startWork(script, task, tell);
    find('stop').onclick = () => {
      stop();
      show(showWrong('It was stopped before the end: nothing is known.'));
    };
  }

  find('proof-form').addEventListener('submit', (event) => {
    event.preventDefault();
    void checkRecord().then((words) => {
      find('proof-result').textContent = visible(words);
    });
  });

  async function checkRecord(): Promise<string> {
    const [proof, entry] = [field('proof').files?.[0], field('entry').files?.[0]];
    if (!proof || !entry) return 'Pick a proof and an entry.';
    try {
      const key = parseVkey(field('key').value);
      const { index, size } = checkTlogProof(await proof.text(), new Uint8Array(await entry.arrayBuffer()), key);
      return `✓ Proven: the entry stands at ${index} of ${size} in the log ${key.name}.`;
    } catch (cause) {
      return cause instanceof NoteError ? `✗ Not proven: ${cause.message}.` : '✗ A file could not be read.';
    }
  }
}

if (typeof document === 'undefined') {
  addEventListener('message', ({ data }: MessageEvent<Task>) => void work(data, (news) => postMessage(news)));
} else {
  page(document.currentScript?.textContent ?? '');
}
