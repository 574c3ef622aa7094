/** Owns what a client may register to hear of logouts, and where its people go afterwards. */
import { originOf } from '@latchkey/oauth'
import type { Client } from '@latchkey/store'
import { Type } from 'typebox'
import { callbackVerdict, entryVerdict, type Verdict } from '../urls.ts'
import { report, reportAll, Url, UrlList } from './fields.ts'
import type { Entry } from './record.ts'

export const LogoutFields = {
  post_logout_redirect_uris: Type.Optional(UrlList),
  frontchannel_logout_uri: Type.Optional(Url),
  frontchannel_logout_session_required: Type.Optional(Type.Boolean()),
  backchannel_logout_uri: Type.Optional(Url),
  backchannel_logout_session_required: Type.Optional(Type.Boolean()),
}

interface Given {
  readonly frontchannel_logout_uri?: string
  readonly backchannel_logout_uri?: string
}

/**
 * @spec OpenID Connect RP-Initiated Logout §3.1
 * @spec OpenID Connect Front-Channel Logout §2
 * @spec OpenID Connect Back-Channel Logout §2.2
 */
export function checkLogout(entry: Entry<Given>, client: Client): void {
  // Compared byte for byte, so a wildcard would never match.
  reportAll(entry, 'post_logout_redirect_uris', client.post_logout_redirect_uris, (url) =>
    callbackVerdict(url, { wildcards: false }),
  )
  const { frontchannel_logout_uri: front, backchannel_logout_uri: back } = client
  if (front !== undefined) report(entry, ['frontchannel_logout_uri'], frontchannelVerdict(front, client))
  if (back !== undefined) report(entry, ['backchannel_logout_uri'], entryVerdict(back))
}

function frontchannelVerdict(url: string, { callbacks }: Client): Verdict {
  const verdict = entryVerdict(url)
  if (verdict.problem !== undefined || callbacks.some((one) => originOf(one) === originOf(url))) return verdict
  return { problem: 'Its scheme, host and port must be those of one of the callbacks.' }
}
