/** Owns the registered name of the device grant. */

/** @spec RFC 8628 §3.4 */
export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code'
