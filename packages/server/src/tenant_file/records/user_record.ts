/** Owns the fields that a tenant file may give of a user. */
import { type Static, Type } from 'typebox'
import { Url } from './fields.ts'

const Line = Type.String({ maxLength: 300, pattern: '^[^\\u0000-\\u001f\\u007f]*$', must_be: 'one line' })
const Metadata = Type.Record(Type.String(), Type.Unknown(), { maxProperties: 100 })

export const ProfileFields = {
  name: Type.Optional(Line),
  given_name: Type.Optional(Line),
  family_name: Type.Optional(Line),
  middle_name: Type.Optional(Line),
  nickname: Type.Optional(Line),
  preferred_username: Type.Optional(Line),
  profile: Type.Optional(Url),
  picture: Type.Optional(Url),
  website: Type.Optional(Url),
  gender: Type.Optional(Line),
  birthdate: Type.Optional(Line),
  zoneinfo: Type.Optional(Line),
  locale: Type.Optional(Line),
  address: Type.Optional(Type.Record(Type.String(), Line, { maxProperties: 20 })),
  phone_number: Type.Optional(
    Type.String({ pattern: '^\\+[1-9][0-9]{1,14}$', must_be: 'a number such as +4930123456 (E.164)' }),
  ),
  phone_number_verified: Type.Optional(Type.Boolean()),
  user_metadata: Type.Optional(Metadata),
  app_metadata: Type.Optional(Metadata),
}

export const UserRecord = Type.Object({
  user_id: Type.Optional(
    Type.String({
      pattern: '^(auth0\\|)?[A-Za-z0-9._@+-]{1,200}$',
      must_be: '"auth0|" and up to 200 letters, digits, ".", "_", "@", "+" or "-"',
    }),
  ),
  connection: Type.Optional(Type.String()),
  email: Type.Optional(Type.String()),
  email_verified: Type.Optional(Type.Boolean()),
  username: Type.Optional(Type.String()),
  password: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
  password_hash: Type.Optional(Type.String({ minLength: 1 })),
  custom_password_hash: Type.Optional(Type.Unknown()),
  blocked: Type.Optional(Type.Boolean()),
  ...ProfileFields,
})

/** What the file says of a user. */
export type GivenUser = Static<typeof UserRecord>
