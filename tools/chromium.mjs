// @ts-check
/** Owns the browser of the tests: where it is, and bringing Debian's when that can be done. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { showProgress } from './progress.mjs'
import { runQuietly } from './run_quietly.mjs'
import { Stop } from './stop.mjs'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/opt/google/chrome/chrome']

/** Debian's packages, each with a file that shows it is there. The second font has the Arabic letters of the right-to-left pages. */
const PACKAGES = [
  { name: 'chromium', sign: '/usr/bin/chromium', needed: true },
  { name: 'fonts-liberation', sign: '/usr/share/fonts/truetype/liberation', needed: false },
  { name: 'fonts-noto-core', sign: '/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf', needed: false },
]

const HOW =
  'The browser tests need Chromium: "sudo apt-get install chromium fonts-liberation fonts-noto-core" on Debian, ' +
  'or set CHROMIUM to the path of a Chromium or Chrome.'

/** @returns {string | undefined} the executable */
export function findChromium() {
  const named = process.env.CHROMIUM
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return named
    throw new Stop(`CHROMIUM names ${named}, which does not exist. ${HOW}`)
  }
  return PLACES.find((place) => existsSync(place))
}

/**
 * Finds Chromium; as root on a Debian system it is installed when it or a font of the pages is missing.
 * @param {string} root the clone
 * @returns {Promise<string>} the executable, one that was seen to run
 */
export async function ensureChromium(root) {
  const found = findChromium()
  const missing = PACKAGES.filter(({ sign, needed }) => !existsSync(sign) && !(needed && found !== undefined))
  if (missing.length > 0 && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) await aptInstall(root, missing)
  const chromium = findChromium()
  if (chromium === undefined) throw new Stop(HOW)
  const asked = spawnSync(chromium, ['--version'], { encoding: 'utf8', timeout: 30_000 })
  if (asked.status !== 0)
    throw new Stop(`${chromium} does not run: ${(asked.stderr || String(asked.error ?? '')).trim()}. ${HOW}`)
  return chromium
}

/** @param {string} root @param {readonly { name: string, needed: boolean }[]} packages */
async function aptInstall(root, packages) {
  const names = packages.map(({ name }) => name)
  const line = showProgress(`Installing ${names.join(', ')} with apt-get`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const update = await runQuietly('apt-get', ['-q', 'update'], { cwd: root, env })
  const { code, log } = await runQuietly('apt-get', ['-qy', '--no-install-recommends', 'install', ...names], {
    cwd: root,
    env,
  })
  line.done(code === 0 ? `Installed ${names.join(', ')}` : `Could not install ${names.join(', ')}`)
  if (code === 0) return
  process.stderr.write(`\n${update.log}\n${log}\n`)
  if (packages.some(({ needed }) => needed))
    throw new Stop(`apt-get ended with code ${code}; the lines above say why. ${HOW}`)
}
