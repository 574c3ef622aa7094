// @ts-check
/** Owns the line that moves while something long is running; where there is no terminal, a plain line every ten seconds. */

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const MOVING_MS = 120
const PLAIN_MS = 10_000

/** @param {number} since a moment of `Date.now()` @returns {string} seconds, one decimal */
export function secondsSince(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`
}

/**
 * Shows that something is going on until `done` is called.
 * @param {string} label what is going on
 * @param {() => string} [detail] how far it is, asked for each time the line is drawn
 * @returns {{ done: (result: string) => void }} `done` replaces the line by the result and the time it took
 */
export function showProgress(label, detail = () => '') {
  const began = Date.now()
  const terminal = process.stderr.isTTY === true && process.env.TERM !== 'dumb'
  let frame = 0
  const draw = () => {
    const seconds = Math.floor((Date.now() - began) / 1000)
    const text = [label, `${seconds} s`, detail()].filter((part) => part !== '').join('  ')
    if (!terminal) return void process.stderr.write(`  ${text}\n`)
    const width = (process.stderr.columns || 80) - 4
    process.stderr.write(`\r\x1b[2K${FRAMES[frame++ % FRAMES.length]} ${text.slice(0, width)}`)
  }
  if (!terminal) process.stderr.write(`${label} …\n`)
  const timer = setInterval(draw, terminal ? MOVING_MS : PLAIN_MS)
  return {
    done(result) {
      clearInterval(timer)
      process.stderr.write(`${terminal ? '\r\x1b[2K' : ''}${result} (${secondsSince(began)})\n`)
    },
  }
}
