/** Owns the log: one JSON line an event. Secrets have no way in: requests are logged by path alone, and known names are redacted. */

import type { FastifyBaseLogger } from 'fastify'
import { type DestinationStream, pino } from 'pino'

const secretNames = [
  'password',
  'access_token',
  'id_token',
  'refresh_token',
  'client_secret',
  'ticket',
  'csrf',
  'code',
  'cookie',
  'authorization',
]

export function openLog(level: string, destination?: DestinationStream): FastifyBaseLogger {
  return pino(
    {
      level,
      base: null,
      redact: secretNames.flatMap((name) => [name, `*.${name}`]),
      // The URL of a request may carry a ticket or a state: only its path is written.
      serializers: { err: pino.stdSerializers.err },
    },
    ...(destination === undefined ? [] : [destination]),
  )
}
