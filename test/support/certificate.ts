/** Owns a certificate for localhost, 127.0.0.1 and ::1, made as `latchkey dev` makes it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureCertificate } from '@latchkey/server/dev/certificate'

export interface Certificate {
  readonly cert: string
  readonly key: string
  /** The certificate of the authority behind it. */
  readonly ca: string
  /** Where they lie. */
  readonly folder: string
  /** Both in one file. */
  readonly file: string
  remove(): void
}

export async function makeCertificate(): Promise<Certificate> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-certificate-'))
  const { cert, key, ca_file } = await ensureCertificate(folder, { now: Date.now })
  return {
    ca: readFileSync(ca_file, 'utf8'),
    ...{ cert, key, folder, file: join(folder, 'localhost.pem') },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }),
  }
}
