/** Owns the pairwise subjects: the name of a person in a sector, which stays the same whatever secret the server has. */
import type { Scope } from './scope.ts'

export interface Subject {
  readonly sector: string
  readonly user_id: string
}

export type SubjectStore = ReturnType<typeof subjectStore>

export function subjectStore({ db, tenant }: Scope) {
  async function subOf({ sector, user_id }: Subject): Promise<string | undefined> {
    const row = await db
      .selectFrom('subjects')
      .select('sub')
      .where('tenant', '=', tenant)
      .where('user_id', '=', user_id)
      .where('sector', '=', sector)
      .executeTakeFirst()
    return row?.sub
  }

  return {
    subOf,

    /** Writes a name down unless the person has one there already. @returns the one that counts */
    async create(subject: Subject, sub: string, now: number): Promise<string> {
      await db
        .insertInto('subjects')
        .values({ ...subject, tenant, sub, created_at: now })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      return (await subOf(subject)) ?? sub
    },

    async find(sub: string): Promise<Subject | undefined> {
      return db
        .selectFrom('subjects')
        .select(['sector', 'user_id'])
        .where('tenant', '=', tenant)
        .where('sub', '=', sub)
        .executeTakeFirst()
    },
  }
}
