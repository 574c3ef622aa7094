/** The list of password schemes. Adding one is a file and a line here. */
import { argon2 } from './argon2.ts'
import { bcrypt } from './bcrypt.ts'
import { plainDigests } from './digest.ts'
import { hmac } from './hmac.ts'
import { ldap } from './ldap.ts'
import { pbkdf2 } from './pbkdf2.ts'
import type { Scheme } from './scheme.ts'
import { scrypt } from './scrypt.ts'

export const schemes: readonly Scheme[] = [argon2, bcrypt, scrypt, pbkdf2, ldap, hmac, ...plainDigests]
