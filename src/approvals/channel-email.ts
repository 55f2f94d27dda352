// The e-mail channel: plain text only, so that nothing in a statement is markup, and one thread for each request.
import { type Notice, noticeWords, plainText } from './notice.ts';

export interface EmailOptions {
  readonly from: string;
  readonly to: readonly string[];
  /** Resolves when the server has taken the mail for everybody. */
  deliver(mail: {
    readonly from: string;
    readonly to: readonly string[];
    readonly subject: string;
    readonly text: string;
    readonly id: string;
    /** Id of what it belongs to. */
    readonly thread: string;
  }): Promise<void>;
}

export function emailChannel({ from, to, deliver }: EmailOptions) {
  const id = (name: string) => `<${name}@countersign>`;
  return (notice: Notice): Promise<void> => {
    const words = noticeWords(notice);
    const subject = `[countersign] ${words.title}`;
    return deliver({ from, to, subject, text: plainText(words), id: id(notice.id), thread: id(notice.approval.id) });
  };
}
