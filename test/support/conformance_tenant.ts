/** Owns the tenant that certification is run against: open registration, and a person with every standard claim. */
import { connection, person } from './tenant.ts'

export const conformanceTenant = `
tenant:
  friendly_name: Example
  flags: { enable_dynamic_client_registration: true }
databases:
  - name: ${connection}
    strategy: auth0
users:
  - email: ${person.email}
    password: ${person.password}
    email_verified: true
    name: Ada Lovelace
    given_name: Ada
    family_name: Lovelace
    middle_name: King
    nickname: ada
    preferred_username: ada
    profile: https://ada.example.com/
    picture: https://ada.example.com/ada.png
    website: https://ada.example.com/
    gender: female
    birthdate: '1815-12-10'
    zoneinfo: Europe/London
    locale: en-GB
    phone_number: '+442079460000'
    phone_number_verified: true
    address:
      formatted: '12 St James Square, London'
      street_address: 12 St James Square
      locality: London
      postal_code: SW1Y 4JH
      country: GB
`

/** The claims that each scope stands for. */
export const scopes = {
  profile: [
    ...['name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture'],
    ...['website', 'gender', 'birthdate', 'zoneinfo', 'locale', 'updated_at'],
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
} as const
