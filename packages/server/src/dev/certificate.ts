/** Owns the development certificate on disk: there when asked for, renewed in time, remade when it is damaged. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyedCertificate } from './make_certificate.ts'

export interface DevelopmentCertificate {
  /** Where the authority's certificate lies, for the browser and for `NODE_EXTRA_CA_CERTS`. */
  readonly ca_file: string
  /** The certificate of localhost, as PEM. */
  readonly cert: string
  /** Its private key, as PEM. */
  readonly key: string
  /** Whether the authority is new, and so not yet trusted anywhere. */
  readonly ca_created: boolean
  /** SHA-256 of the authority's certificate, in the form browsers show. */
  readonly fingerprint: string
  /** What was wrong with what was there and is put right now; a sentence to show. */
  readonly notice: string | undefined
}

/** The certificate cannot be kept where it should be. */
export class CertificateError extends Error {
  readonly code = 'certificate_unwritable'
}

const DAY_MS = 86_400_000
const LEAF_DAYS = 90
const RENEWED_WITH_DAYS_LEFT = 30
const PRIVATE_MODE = 0o600

/**
 * Gives the certificate for https on localhost, from the folder or made new.
 * @param folder where the authority and the certificate are kept, made if missing
 * @param clock `now` gives milliseconds since 1970
 * @throws CertificateError when the folder cannot be written
 */
export async function ensureCertificate(
  folder: string,
  { now }: { readonly now: () => number },
): Promise<DevelopmentCertificate> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const time = now()
    const old = await readAuthority(folder, time)
    const authority = old.found ?? (await newAuthority(folder, time))
    const leaf = await readLeaf(folder, authority, time)
    const { cert, key } = leaf.found ?? (await newLeaf(folder, authority, time))
    return {
      ca_file: join(folder, 'ca.pem'),
      cert,
      key,
      ca_created: old.found === undefined,
      fingerprint: new X509Certificate(authority.cert).fingerprint256,
      notice: old.problem ?? (old.found && leaf.problem),
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CertificateError(
      `The development certificate cannot be kept in ${folder} (${reason}). Make the folder writable, or name another one.`,
      { cause },
    )
  }
}

/** What lay in the folder: something good, something bad with what is done about it, or nothing. */
interface Read {
  readonly found?: KeyedCertificate
  readonly problem?: string
}

async function readAuthority(folder: string, time: number): Promise<Read> {
  const cert = await read(join(folder, 'ca.pem'))
  const key = await read(join(folder, 'ca_key.pem'))
  if (cert === undefined && key === undefined) return {}
  const flaw = authorityFlaw(cert, key, time)
  if (flaw === undefined && cert !== undefined && key !== undefined) return { found: { cert, key } }
  return {
    problem: `The development certificate authority in ${folder} ${flaw}, so a new one was made: trust the new one, and remove the old.`,
  }
}

function authorityFlaw(cert: string | undefined, key: string | undefined, time: number): string | undefined {
  if (cert === undefined) return 'has lost its certificate'
  if (key === undefined) return 'has lost its key'
  const certificate = parse(cert, key)
  if (certificate === undefined) return 'is damaged'
  if (!certificate.ca) return 'is not one'
  return daysLeft(certificate, time) < LEAF_DAYS ? 'ends soon' : undefined
}

async function readLeaf(folder: string, authority: KeyedCertificate, time: number): Promise<Read> {
  const pem = await read(join(folder, 'localhost.pem'))
  if (pem === undefined) return {}
  const [cert = '', key = ''] = pem.split(/(?=-----BEGIN PRIVATE KEY-----)/)
  const certificate = parse(cert, key)
  if (certificate === undefined) {
    return { problem: `The development certificate in ${folder} was damaged, so a new one was made. Nothing to do.` }
  }
  const isOurs = certificate.verify(new X509Certificate(authority.cert).publicKey)
  return isOurs && daysLeft(certificate, time) >= RENEWED_WITH_DAYS_LEFT ? { found: { cert, key } } : {}
}

/** The certificate if both texts can be read and belong to each other. */
function parse(cert: string, key: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(cert)
    return certificate.checkPrivateKey(createPrivateKey(key)) ? certificate : undefined
  } catch {
    return undefined
  }
}

function daysLeft(certificate: X509Certificate, time: number): number {
  // One from the future was made by a clock that has been put right since: it would be refused now.
  if (certificate.validFromDate.getTime() > time) return 0
  return (certificate.validToDate.getTime() - time) / DAY_MS
}

async function newAuthority(folder: string, time: number): Promise<KeyedCertificate> {
  const { makeAuthority } = await import('./make_certificate.ts')
  const made = await makeAuthority(time)
  await write(join(folder, 'ca_key.pem'), made.key, PRIVATE_MODE)
  await write(join(folder, 'ca.pem'), made.cert, 0o644)
  return made
}

async function newLeaf(folder: string, authority: KeyedCertificate, time: number): Promise<KeyedCertificate> {
  const { makeLeaf } = await import('./make_certificate.ts')
  const made = await makeLeaf(authority, time, LEAF_DAYS)
  // Both in one file: they change together or not at all.
  await write(join(folder, 'localhost.pem'), made.cert + made.key, PRIVATE_MODE)
  return made
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw cause
  }
}

/** Replaces a file in one step: a reader sees the old one or the new one, and never a key that others may read. */
async function write(file: string, content: string, mode: number): Promise<void> {
  const draft = `${file}.${process.pid}.new`
  try {
    await writeFile(draft, content, { mode, flush: true })
    await chmod(draft, mode)
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}
