/**
 * How strongly a vote is bound to the person who gave it, from weak to strong: by a signed-in session, by a signature with a key of
 * their own, by such a signature for which the key checked that the person was there (PIN, finger, face).
 */
export const grades = ['session', 'signed', 'verified'] as const;
export type Grade = (typeof grades)[number];

/** Whether a grade is as strong as what is demanded. */
export function meetsGrade(grade: Grade, demanded: Grade): boolean {
  return grades.indexOf(grade) >= grades.indexOf(demanded);
}

export function strictest(all: readonly Grade[]): Grade {
  return all.reduce((most, grade) => (meetsGrade(grade, most) ? grade : most), 'session');
}
