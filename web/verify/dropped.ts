// What was dropped on the page: files, and folders to any depth.
export interface NamedFile {
  readonly path: string;
  readonly file: File;
}

/** The entries must be taken while the event lasts; reading them may take longer. */
export function dropped(transfer: DataTransfer): Promise<NamedFile[]> {
  const lists = [...transfer.items].map((item) => {
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    if (entry) return below(entry, '');
    return Promise.resolve(file ? [{ path: file.name, file }] : []);
  });
  return Promise.all(lists).then((all) => all.flat());
}

async function below(entry: FileSystemEntry, folder: string): Promise<NamedFile[]> {
  const path = folder + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((got, failed) => (entry as FileSystemFileEntry).file(got, failed));
    return [{ path, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: NamedFile[] = [];
  for (;;) {
    // A folder is told a hundred names at a time; none is the end.
    const some = await new Promise<FileSystemEntry[]>((got, failed) => reader.readEntries(got, failed));
    if (some.length === 0) return files;
    for (const list of await Promise.all(some.map((one) => below(one, `${path}/`)))) files.push(...list);
  }
}
