/** Stands where content was erased: its key was destroyed. */
export const erased = '(erased)';
