/** Owns pieces that several steps show: a failure, a length of time, a moment. */

import type { Failure } from './app.ts'
import { code, make } from './dom.ts'

export function showFailure({ code: name, message, fix }: Failure): HTMLElement {
  return make(
    'div',
    { class: 'problem' },
    make('p', {}, make('strong', {}, code(name)), message === name ? undefined : ` ${message}`),
    make('p', {}, fix),
  )
}

/** As `1:59:07` or `4:05`. */
export function clockTime(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** A number of seconds since 1970, as a date and a time here. */
export function moment(seconds: number): string {
  return new Date(seconds * 1000).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
}

/** A long text with its middle left out. */
export function shorten(text: string, length = 40): string {
  return text.length <= length ? text : `${text.slice(0, length - 12)}…${text.slice(-8)}`
}
