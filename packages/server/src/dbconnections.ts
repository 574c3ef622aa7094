/** Owns Auth0's endpoints for database connections, with Auth0's shapes: sign-up and the mail for a forgotten password. */
import { findClient } from '@latchkey/core'
import {
  addressBucket,
  Busy,
  findPerson,
  type IdentityContext,
  invalidPassword,
  type SignupOutcome,
  type SignupProblem,
  sendPasswordReset,
  signUp,
} from '@latchkey/identity'
import { OAuthError, readParameters } from '@latchkey/oauth'
import type { Client, Connection, Profile } from '@latchkey/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from './app.ts'
import { answerPreflight, openToClient } from './cors.ts'
import { logRefusal } from './errors.ts'
import { localeOf } from './page_answer.ts'
import { tellAllowance, tooMany } from './rate_limit.ts'
import { inSteadyTime } from './steady_time.ts'

/** Auth0's error body: a stable code and a sentence. */
interface Refusal {
  readonly status: number
  readonly code: string
  readonly description: string
}

class DbConnectionError extends Error {
  override readonly name = 'DbConnectionError'
  readonly refusal: Refusal
  constructor(code: string, description: string, status = 400) {
    super(description)
    this.refusal = { status, code, description }
  }
}

export function dbConnections(app: FastifyInstance, server: Server): void {
  for (const [path, handle] of [
    ['/dbconnections/signup', signup],
    ['/dbconnections/change_password', changePassword],
  ] as const) {
    app.post(path, async (request, reply) => {
      const ctx = await server.context(request)
      try {
        const fields = readFields(request)
        const client = clientOf(ctx, fields)
        openToClient(request, reply, client, ctx.issuer)
        if (!(await countCall(ctx, request, reply, path))) {
          throw new DbConnectionError('too_many_requests', tooMany, 429)
        }
        return await handle({ server, ctx, request, reply, fields, client })
      } catch (error) {
        return sendRefusal(request, reply, error)
      }
    })
    app.options(path, async (request, reply) =>
      answerPreflight(request, reply, (await server.context(request)).configuration.origins, 'POST, OPTIONS'),
    )
  }
}

interface Call {
  readonly server: Server
  readonly ctx: IdentityContext
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly fields: Fields
  readonly client: Client | undefined
}
type Fields = Readonly<Record<string, unknown>>

function readFields(request: FastifyRequest): Fields {
  if (typeof request.body === 'string') return Object.fromEntries(readParameters(request.body))
  if (typeof request.body !== 'object' || request.body === null || Array.isArray(request.body)) {
    throw new DbConnectionError('invalid_request', 'The body must be a JSON object')
  }
  return request.body as Fields
}

/** A text field; a value of another type is refused, never turned into text. */
function text(fields: Fields, name: string): string | undefined {
  const value = fields[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw new DbConnectionError('invalid_request', `${name} must be a string`)
  if (value.length > 2048) throw new DbConnectionError('invalid_request', `${name} is too long`)
  return value
}

function required(fields: Fields, name: string): string {
  const value = text(fields, name)
  if (value === undefined) throw new DbConnectionError('invalid_request', `Missing required property: ${name}`)
  return value
}

function clientOf(ctx: IdentityContext, fields: Fields): Client | undefined {
  const client_id = text(fields, 'client_id')
  return client_id === undefined ? undefined : findClient(ctx, client_id)
}

function connectionOf(ctx: IdentityContext, fields: Fields, client: Client | undefined): Connection {
  const connection = ctx.configuration.connection(required(fields, 'connection'))
  const open =
    client === undefined || (connection !== undefined && ctx.configuration.connectionsOf(client).includes(connection))
  if (connection === undefined || connection.strategy !== 'auth0' || !open) {
    throw new DbConnectionError('invalid_request', 'The connection was not found or is not enabled for this client')
  }
  return connection
}

/** @returns false when the address has called too often; in development there is no limit */
async function countCall(
  ctx: IdentityContext,
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
): Promise<boolean> {
  if (ctx.per_address === undefined) return true
  const now = ctx.now()
  const limit = ctx.per_address.signups_per_minute
  const { count, ends_at } = await ctx.store.counters.add(`${path} ${addressBucket(request.ip)}`, 60_000, now)
  const allowed = count <= limit
  const remaining = Math.max(0, limit - count)
  tellAllowance(reply, { limit, remaining, resets_at: ends_at, next_at: ends_at, allowed }, now)
  return allowed
}

async function signup({ server, ctx, request, reply, fields, client }: Call): Promise<FastifyReply> {
  if (client === undefined) throw new DbConnectionError('invalid_request', 'Missing required property: client_id')
  const connection = connectionOf(ctx, fields, client)
  const password = required(fields, 'password')
  const username = text(fields, 'username')
  const profile = profileOf(fields)
  const outcome: SignupOutcome = await signUp(ctx, {
    connection,
    email: required(fields, 'email').trim(),
    password,
    profile,
    ip: request.ip,
    locale: localeOf(ctx, request, server.pages, undefined),
    ...(username === undefined ? {} : { username }),
  })
  if ('problem' in outcome) return sendSignupProblem(ctx, request, reply, outcome.problem, connection, password)
  const { user } = outcome
  const shown = {
    email: user.email,
    username: user.username,
    ...rootProfile(profile),
    user_metadata: profile.user_metadata,
  }
  return reply.send({ _id: user.user_id.split('|')[1], email_verified: user.email_verified, ...shown })
}

const rootFields = ['given_name', 'family_name', 'name', 'nickname', 'picture'] as const

function rootProfile(profile: Profile): Profile {
  return Object.fromEntries(
    rootFields.filter((name) => profile[name] !== undefined).map((name) => [name, profile[name]]),
  )
}

function profileOf(fields: Fields): Profile {
  const root: Record<string, unknown> = {}
  for (const name of rootFields) {
    const value = text(fields, name)
    if (value !== undefined && value.length > 300)
      throw new DbConnectionError('invalid_request', `${name} is longer than 300 characters`)
    if (value !== undefined && /\p{Cc}/u.test(value))
      throw new DbConnectionError('invalid_request', `${name} must be one line`)
    if (value !== undefined) root[name] = value
  }
  const metadata = metadataOf(fields.user_metadata)
  return metadata === undefined ? root : { ...root, user_metadata: metadata }
}

/** At most 10 properties, names of 100 characters, string values of 500. */
function metadataOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value))
    throw new DbConnectionError('invalid_request', 'user_metadata must be an object')
  const entries = Object.entries(value)
  const fits = entries.every(([name, one]) => name.length <= 100 && typeof one === 'string' && one.length <= 500)
  if (entries.length > 10 || !fits) {
    throw new DbConnectionError(
      'invalid_request',
      'user_metadata takes at most 10 properties: names of 100 characters, strings of 500',
    )
  }
  return Object.fromEntries(entries)
}

function sendSignupProblem(
  ctx: IdentityContext,
  request: FastifyRequest,
  reply: FastifyReply,
  problem: SignupProblem,
  connection: Connection,
  password: string,
): FastifyReply {
  if (problem.code === 'invalid_password') {
    request.log.info({ problem: problem.code }, 'sign-up refused')
    const body = invalidPassword(password, connection.options, problem.problems)
    return reply.code(400).send(body)
  }
  const tells = ctx.configuration.settings.flags?.enable_public_signup_user_exists_error === true
  const exists = problem.code === 'user_exists' || problem.code === 'username_exists'
  throw refusalOf(exists && !tells ? 'invalid_signup' : problem.code)
}

function refusalOf(code: Exclude<SignupProblem['code'], 'invalid_password'> | 'invalid_signup'): DbConnectionError {
  const known = {
    invalid_signup: ['invalid_signup', 'Invalid sign up', 400],
    user_exists: ['user_exists', 'The user already exists.', 400],
    username_exists: ['username_exists', 'The username provided is in use already.', 400],
    invalid_email: ['invalid_signup', 'The e-mail address is not valid', 400],
    invalid_username: ['invalid_signup', 'The username is missing or not valid', 400],
    signup_disabled: ['unauthorized', 'Public signup is disabled', 400],
    too_many_signups: ['too_many_requests', tooMany, 429],
  } as const
  const [wire, description, status] = known[code]
  return new DbConnectionError(wire, description, status)
}

/** The answer is the same, and takes as long, for an unknown person: it tells nobody who has an account. */
async function changePassword({ server, ctx, request, reply, fields, client }: Call): Promise<FastifyReply> {
  const connection = connectionOf(ctx, fields, client)
  const email = required(fields, 'email')
  await inSteadyTime(async () => {
    const user = await findPerson(ctx, connection, email)
    if (user !== undefined) await sendPasswordReset(ctx, user, localeOf(ctx, request, server.pages, undefined))
  })
  return reply.type('text/html; charset=utf-8').send("We've just sent you an email to reset your password.")
}

function sendRefusal(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  if (error instanceof Busy) {
    return reply
      .code(503)
      .header('retry-after', String(error.retry_after))
      .send({ code: 'temporarily_unavailable', description: error.message, statusCode: 503 })
  }
  if (error instanceof DbConnectionError) {
    const { status, code, description } = error.refusal
    request.log.info({ code, description }, 'refused')
    return reply.code(status).send({ code, description, error: description, statusCode: status })
  }
  if (!(error instanceof OAuthError)) throw error
  logRefusal(request, error)
  return reply.code(error.status).send({
    code: error.code,
    description: error.description,
    error: error.code,
    error_description: error.description,
    statusCode: error.status,
  })
}
