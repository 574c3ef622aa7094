/** Owns the rule against using an old password again. */
import type { PasswordPolicy, PasswordProblem } from './policy.ts'

/** Each one costs a hash to compare; no policy may ask for more. */
const longestHistory = 24

/** As Auth0 takes it where the policy gives no size. */
const usualHistory = 5

/** How many hashes to keep for this policy, the current one among them; 0 when the rule is off. */
export function passwordHistorySize(policy: PasswordPolicy): number {
  const { enable, size = usualHistory } = policy.password_history ?? { enable: false }
  return enable ? Math.min(Math.max(Math.trunc(size), 0), longestHistory) : 0
}

/**
 * @param hashes the person's current and former hashes, the newest first
 * @returns the problem when the password is that of one of the hashes that the policy looks back at
 * @throws Busy when too many passwords wait to be checked
 */
export async function checkPasswordHistory(
  passwords: { matchesAny(hashes: readonly string[], password: string): Promise<boolean> },
  password: string,
  policy: PasswordPolicy,
  hashes: readonly string[],
): Promise<PasswordProblem | undefined> {
  const size = passwordHistorySize(policy)
  const used = await passwords.matchesAny(hashes.slice(0, size), password)
  return used ? { code: 'password_in_history', size } : undefined
}
