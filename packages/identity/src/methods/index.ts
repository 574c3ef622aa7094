/** Owns the list of login methods. */
import { password } from './password.ts'

export const loginMethods = [password] as const
