/**
 * The protocol: reads authorization requests, decides the next step of a trip, mints tokens, answers. Owns no page, no cookie, no
 * SQL and no HTTP.
 */
export { acrValues } from './acr.ts'
export { grantableScopes, resolveAudience, resolveTarget, targetOf } from './audience.ts'
export type { Audience, Authorization, PersonalAuthorization } from './authorization.ts'
export {
  type AuthorizationRequest,
  findClient,
  type MeantRequest,
  type ResponseDestination,
  readDestination,
  readRequest,
} from './authorization_request.ts'
export { type Decision, decide, issue, type Progress, refuse } from './authorize.ts'
export { userClaims } from './claims.ts'
export {
  authenticateClient,
  authMethods,
  clientAuthMethods,
  type EndpointRequest,
  presentedClient,
} from './client_auth/index.ts'
export { type ClientJwt, clientSigningAlgs, timeProblem, verifyClientJwt } from './client_jwt.ts'
export { type ClientKey, type ClientKeys, clientKeys } from './client_keys.ts'
export { indexConfiguration, type TenantConfiguration } from './configuration.ts'
export { type Context, type Log, seconds } from './context.ts'
export { allowDevice, type DeviceTarget, denyDevice, deviceTrip, shownCode } from './device/decision.ts'
export { authorizeDevice, checkDevicesServed } from './device/request.ts'
export { readUserCode } from './device/user_code.ts'
export { discovery } from './discovery.ts'
export { type Document, type Documents, mediaType, openDocuments } from './documents.ts'
export { grantTypes, offeredGrantTypes } from './grants/index.ts'
export { introspect, introspectionJwt } from './introspect.ts'
export { revokeLineage } from './lineage.ts'
export { frontchannelLogoutUris } from './logout/frontchannel.ts'
export { issueLogoutToken } from './logout/logout_token.ts'
export { type EndSessionRequest, mustConfirmLogout, readEndSessionRequest } from './logout/request.ts'
export { type LogoutRequest, logoutTarget } from './logout/return_to.ts'
export { meantRequest } from './meant_request.ts'
export { nextStep, type Page, type Step, type Trip } from './next_step.ts'
export { type Fetch, FetchError, type OutboundAnswer, type OutboundRequest } from './outbound.ts'
export type { CheckPassword } from './password_check.ts'
export { distinguishedName } from './proofs/certificate_names.ts'
export type {
  ClientCertificate,
  MutualTls,
} from './proofs/client_certificate.ts'
export type { Confirmation } from './proofs/confirmation.ts'
export { dpopNonce } from './proofs/dpop_nonce.ts'
export { ProofNeeded, readPushedKey, type TokenSender } from './proofs/sender.ts'
export { pushRequest } from './push.ts'
export { takePushedRequest } from './pushed_request.ts'
export { apisOf, grantsOf } from './resources.ts'
export { type AuthorizationResponse, optionalResponseModes } from './response_modes/index.ts'
export { findResponseType, isOfferedType, responseTypes } from './response_types/index.ts'
export { revoke } from './revoke.ts'
export type { RulesVisit } from './rules/input.ts'
export type { RulesInput, RulesOutcome, RulesResult, RunRules } from './rules/rules.ts'
export { runRules } from './rules/run.ts'
export { browserState, tellsSessionState } from './session_state.ts'
export { sectorHosts, sectorOf, subjectOf } from './subjects.ts'
export { type TokenResponse, token } from './token.ts'
export { algorithms, decryptionAlgs } from './tokens/algorithms.ts'
export { encryptionAlgs, encryptionEncs, encryptsWithSecret } from './tokens/encryption.ts'
export { signingAlgsOf } from './tokens/for_client.ts'
export { ensureKeys, type KeyRing, keyRing, readKeyRing, rotateDueKeys, rotateKeys } from './tokens/key_ring.ts'
export { readUserinfo, userinfo, userinfoJwt } from './userinfo.ts'
