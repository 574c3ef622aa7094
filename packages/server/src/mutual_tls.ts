/** Owns the certificates of clients: where a connection brings one, and the name under which clients with one call. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { BlockList, isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ClientCertificate, MutualTls } from '@latchkey/core'
import { OAuthError } from '@latchkey/oauth'
import type { FastifyRequest } from 'fastify'
import type { Config } from './config.ts'

export interface ClientCertificates {
  /** What the protocol must know; absent where no connection brings a certificate. */
  readonly mtls: MutualTls | undefined
  /** The certificate of a request, from the TLS connection or from a listed proxy. @throws OAuthError when a proxy sent none that can be read */
  of(request: FastifyRequest): ClientCertificate | undefined
}

export type MutualTlsOptions = Pick<
  Config,
  'issuer' | 'mtls_port' | 'mtls_url' | 'client_certificate_header' | 'tls_client_ca' | 'trust_proxy'
>

/**
 * @throws Error when `tls_client_ca` holds no certificate
 * @spec RFC 8705 §2
 */
export function openClientCertificates(options: MutualTlsOptions): ClientCertificates {
  const { mtls_port, client_certificate_header, tls_client_ca } = options
  if (mtls_port === undefined && client_certificate_header === undefined)
    return { mtls: undefined, of: () => undefined }
  const url = addressForClients(options)
  const authorities = tls_client_ca === undefined ? [] : readAuthorities(tls_client_ca)
  const isProxy = proxies(options.trust_proxy)
  const header = client_certificate_header?.toLowerCase()
  return {
    mtls: { authorities, ...(url === undefined ? {} : { url }) },
    of(request) {
      const { socket } = request.raw
      // What a proxy shows on its own connection is its own.
      if (header !== undefined && isProxy(socket.remoteAddress)) return fromHeader(request.headers[header])
      return socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
    },
  }
}

function addressForClients({ issuer, mtls_url, mtls_port }: MutualTlsOptions): string | undefined {
  if (mtls_url !== undefined || mtls_port === undefined) return mtls_url
  const [canonical = 'https://localhost/'] = issuer
  return `${new URL(`https://${new URL(canonical).hostname}:${mtls_port}`).origin}/`
}

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

function readAuthorities(file: string): readonly X509Certificate[] {
  const found = readFileSync(file, 'utf8').match(pem) ?? []
  if (found.length === 0) throw new Error(`The file ${file} of the option tls_client_ca holds no certificate in PEM.`)
  return found.map((text) => new X509Certificate(text))
}

function proxies(ranges: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return (address = '') => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
    return isIP(plain) !== 0 && list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
  }
}

/**
 * The forms that proxies use: bytes between colons (RFC 9440), PEM in percent-encoding (nginx), Base64 alone.
 * @throws OAuthError `invalid_request`
 */
function fromHeader(value: string | string[] | undefined): ClientCertificate | undefined {
  if (value === undefined || value === '') return undefined
  try {
    if (typeof value !== 'string') throw new Error('The header came more than once')
    const text = decodeURIComponent(value)
    const base64 = text
      .replace(/^\s*-----BEGIN CERTIFICATE-----|-----END CERTIFICATE-----\s*$/g, '')
      .replace(/\s+/g, '')
    const bare = /^:?([A-Za-z0-9+/]+=*):?$/.exec(base64)?.[1]
    if (bare === undefined) throw new Error('The header holds something else')
    return new X509Certificate(Buffer.from(bare, 'base64'))
  } catch (cause) {
    throw new OAuthError('invalid_request', 'The client certificate that the proxy passed on cannot be read', { cause })
  }
}
