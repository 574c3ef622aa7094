/** Owns bcrypt, as most imported users bring it. */
import {
  bounded,
  type CustomPasswordHash,
  malformed,
  type Recipe,
  type Scheme,
  saltBytes,
  saltedPassword,
  textHash,
} from './scheme.ts'

/** bcrypt reads no further, and neither did the system that made the hash. */
const bcryptMaxBytes = 72

/** 2^14 rounds take about a second. */
const maxCost = 14

const format = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/

export const bcrypt: Scheme = {
  algorithm: 'bcrypt',
  prefix: /^\$2[a-z]?\$/,
  fields: ['salt', 'password'],
  read(hash: CustomPasswordHash): Recipe {
    const value = textHash(hash)
    const cost = Number(format.exec(value)?.[1] ?? Number.NaN)
    if (Number.isNaN(cost) || cost < 4) {
      throw malformed('A bcrypt hash has 60 characters and begins with $2a$, $2b$ or $2y$ and a cost of two digits.')
    }
    bounded('The bcrypt cost', cost, maxCost)
    const salt = saltBytes(hash)
    return {
      algorithm: 'bcrypt',
      async verify(password) {
        const { bcryptVerify } = await import('hash-wasm')
        const bytes = saltedPassword(hash, salt, password).subarray(0, bcryptMaxBytes)
        return bcryptVerify({ password: bytes, hash: value })
      },
    }
  },
}
