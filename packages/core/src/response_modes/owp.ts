/**
 * Owns the answer to `owp=true`, which auth0-js sends with a popup: told to the window that opened this page, in the form that its
 * WinChan understands. No mode that a client can name, so it is not in the list.
 */
import { originOf } from '@latchkey/oauth'
import { defineResponseMode } from './response_mode.ts'
import { listedOrigin } from './web_message.ts'

export const owp = defineResponseMode({
  name: 'owp',
  carries_tokens: true,
  reaches: (redirect_uri) => originOf(redirect_uri) !== undefined,
  respond: (target, response) => ({ kind: 'owp', target_origin: listedOrigin(target), response }),
})
