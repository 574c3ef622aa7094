/** Owns the words on how to trust the development certificate authority, for each system. */

export interface TrustLine {
  /** Whose trust the line wins. */
  readonly who: string
  /** What to type in a terminal; for Node programs, what to put before the command. */
  readonly line: string
}

/**
 * @param ca_file where the authority's certificate lies
 * @param platform as in `process.platform`
 */
export function howToTrust(ca_file: string, platform: NodeJS.Platform): TrustLine[] {
  const file = quoted(ca_file, platform)
  return [{ who: 'Node programs', line: `NODE_EXTRA_CA_CERTS=${file}` }, ...systemLines(file, platform)]
}

function systemLines(file: string, platform: NodeJS.Platform): TrustLine[] {
  if (platform === 'darwin') {
    const keychain = '~/Library/Keychains/login.keychain-db'
    return [{ who: 'browsers', line: `security add-trusted-cert -r trustRoot -k ${keychain} ${file}` }]
  }
  if (platform === 'win32') return [{ who: 'browsers', line: `certutil -addstore -user Root ${file}` }]
  const installed = '/usr/local/share/ca-certificates/latchkey-dev.crt'
  return [
    // A browser on Linux keeps a list of its own.
    {
      who: 'Chromium and Chrome (certutil is in libnss3-tools)',
      line: `certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n latchkey-dev -i ${file}`,
    },
    {
      who: 'curl and other programs (Debian, Ubuntu)',
      line: `sudo cp ${file} ${installed} && sudo update-ca-certificates`,
    },
  ]
}

/** A path as one word of the system's shell. */
function quoted(path: string, platform: NodeJS.Platform): string {
  if (/^[\w@%+=:,./\\-]+$/.test(path)) return path
  return platform === 'win32' ? `"${path}"` : `'${path.replaceAll("'", "'\\''")}'`
}
