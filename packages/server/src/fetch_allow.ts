/** Owns the reading of `fetch_allow`: hosts that may be asked although they are not public, and over plain http. */

/** Host and port as the URL parser writes them; undefined for what is neither `host` nor `host:port`. */
export function readAllowedHost(text: string): { readonly hostname: string; readonly port: string } | undefined {
  if (!/^[A-Za-z0-9._:[\]-]{1,255}$/.test(text) || !URL.canParse(`ws://${text}/`)) return undefined
  // The parser leaves the usual port out.
  const port = /:(\d+)$/.exec(text.replace(/^\[[^\]]*\]/, ''))?.[1] ?? ''
  return { hostname: new URL(`ws://${text}/`).hostname, port }
}

/** @param entries each as `readAllowedHost` takes it; without a port every port is meant */
export function allowedHosts(entries: readonly string[]): (url: URL) => boolean {
  const listed = new Set(
    entries.map((entry) => {
      const read = readAllowedHost(entry)
      return read === undefined ? '' : `${read.hostname}:${read.port}`
    }),
  )
  return ({ protocol, hostname, port }) =>
    listed.has(`${hostname}:`) || listed.has(`${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`)
}
