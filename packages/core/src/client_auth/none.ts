/** Owns `none`: a public client, which says who it is and proves nothing. */
import { defineClientAuthMethod } from './client_auth.ts'

/** Looked at last, when no other method has found anything. @spec RFC 6749 §3.2.1 */
export const none = defineClientAuthMethod({
  name: 'none',
  serves: ['none'],
  find({ parameters }) {
    const client_id = parameters.get('client_id')
    return client_id === undefined ? undefined : { client_id, prove: async () => true }
  },
})
