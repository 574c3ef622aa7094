/** Owns the words on how to trust the development certificate authority, for each system. */

/**
 * @param ca_file where the authority's certificate lies
 * @param platform as in `process.platform`
 * @returns lines to show, the first about programs, the rest about browsers
 */
export function howToTrust(ca_file: string, platform: NodeJS.Platform): string[] {
  return [`NODE_EXTRA_CA_CERTS=${quoted(ca_file, platform)}`, ...browserLines(quoted(ca_file, platform), platform)]
}

function browserLines(file: string, platform: NodeJS.Platform): string[] {
  if (platform === 'darwin') {
    return [`security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ${file}`]
  }
  if (platform === 'win32') return [`certutil -addstore -user Root ${file}`]
  return [
    // Debian's names; Chromium and Firefox on Linux keep a list of their own.
    `sudo cp ${file} /usr/local/share/ca-certificates/latchkey-dev.crt && sudo update-ca-certificates`,
    `certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n latchkey-dev -i ${file}`,
  ]
}

/** A path as one word of the system's shell. */
function quoted(path: string, platform: NodeJS.Platform): string {
  if (/^[\w@%+=:,./\\-]+$/.test(path)) return path
  return platform === 'win32' ? `"${path}"` : `'${path.replaceAll("'", "'\\''")}'`
}
