/** Owns the log of `latchkey dev`: one plain line an event, for a person beside the terminal. */

const hidden = new Set(['level', 'time', 'msg', 'reqId', 'explanation', 'err', 'ip', 'method', 'hostname', 'pid'])

/** Turns the JSON lines of the log into plain ones. */
export function plainLog(print: (line: string) => void): { write(line: string): void } {
  return {
    write(line) {
      const entry = JSON.parse(line) as Record<string, unknown>
      if (String(entry.msg).startsWith('Server listening')) return
      const time = new Date(Number(entry.time)).toTimeString().slice(0, 8)
      const fields = Object.entries(entry)
        .filter(([name]) => !hidden.has(name))
        .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      print(`${time}  ${entry.msg}  ${fields.join('  ')}`)
      const { explanation, err } = entry as {
        explanation?: { summary: string; fix: string }
        err?: { stack?: string; message?: string }
      }
      if (explanation !== undefined) print(`          ${explanation.summary}\n          ${explanation.fix}`)
      if (err !== undefined) print(`          ${err.stack ?? err.message}`)
    },
  }
}
