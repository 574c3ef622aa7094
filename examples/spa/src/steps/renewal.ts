/** Owns step 5: how long the access token still lasts, and renewing it in a hidden frame. */

import type { TokenSet } from '@latchkey/spa'
import { type App, lastScope } from '../app.ts'
import { code, find, make, onClick } from '../dom.ts'
import { clockTime } from '../show.ts'

const soon = 60

export interface Renewal {
  /** Asks for tokens in a hidden frame and writes down how it went. */
  renew(why: string, asked?: boolean): Promise<void>
}

export function startRenewal(app: App): Renewal {
  let running: Promise<void> | undefined
  let tried: TokenSet | undefined

  const attempt = async (why: string, asked = false) => {
    find('renew').toggleAttribute('disabled', true)
    const begun = performance.now()
    const failure = await app.settle(app.client.renew({ scope: app.tokens?.scope ?? lastScope() }))
    if (!failure) app.came_by = 'frame'
    const outcome = failure?.code ?? `new tokens in ${Math.round(performance.now() - begun)} ms`
    log(why, outcome, asked ? failure?.fix : undefined)
    find('renew').toggleAttribute('disabled', false)
  }
  const renew = (why: string, asked?: boolean) => {
    running ??= attempt(why, asked).finally(() => {
      running = undefined
    })
    return running
  }

  const tick = () => {
    const { expires_at = 0, expires_in = 0 } = app.tokens ?? {}
    const left = Math.max(0, expires_at - Date.now() / 1000)
    showClock(left, expires_in)
    const itself = find('renew-itself')
    const wanted = itself instanceof HTMLInputElement && itself.checked
    if (!wanted || document.hidden || left > Math.min(soon, expires_in / 2)) return
    // Once for each set of tokens: a refusal is not asked about again and again.
    if (tried === app.tokens) return
    tried = app.tokens
    void renew('by itself')
  }
  app.onChange(tick)
  setInterval(tick, 1000)
  onClick('renew', () => renew('by the button', true))
  return { renew }
}

function showClock(left: number, whole: number): void {
  const share = whole > 0 ? Math.min(1, left / whole) : 0
  find('clock-time').textContent = whole > 0 ? clockTime(left) : '–'
  find('clock-words').textContent = whole === 0 ? 'no access token' : left > 0 ? 'left' : 'ended'
  document.getElementById('clock-left')?.setAttribute('stroke-dashoffset', String(100 - share * 100))
}

function log(why: string, outcome: string, fix = ''): void {
  const time = new Date().toLocaleTimeString('en-GB')
  const line = make('li', {}, make('time', {}, time), ` ${why}: `, code(outcome), fix === '' ? undefined : ` ${fix}`)
  find('renewal-log').prepend(line)
  while (find('renewal-log').childElementCount > 8) find('renewal-log').lastElementChild?.remove()
}
