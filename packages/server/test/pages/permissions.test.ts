import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { describePermissions, type PermissionSettings } from '../../src/pages/permissions.ts'
import { openCatalogue } from '../../src/pages/texts.ts'

const { texts } = openCatalogue(createRequire(import.meta.url))
const plain: PermissionSettings = { api_scopes: [], use_descriptions: false }

function lines(scopes: string, settings = plain, locale = 'en'): readonly string[] {
  return describePermissions(scopes.split(' '), settings, texts(locale)).map(({ title, detail }) =>
    detail === undefined ? title : `${title}: ${detail}`,
  )
}

describe('consent in words (D8, D9)', () => {
  test('scopes of one resource make one line with all actions', () => {
    expect(lines('read:posts write:posts')).toEqual(['Posts: read and write your posts'])
  })

  test('resources keep the order they were asked in', () => {
    expect(lines('read:messages list:contacts post:messages delete:messages')).toEqual([
      'Messages: read, post, and delete your messages',
      'Contacts: list your contacts',
    ])
  })

  for (const scope of ['admin', 'https://api.example.com/everything', 'urn:a:b', 'read:', ':posts', 'a:b:c', '<b>:x']) {
    test(`${scope} is not of the form action:resource and shown as it is`, () => {
      expect(lines(scope)).toEqual([scope])
    })
  }

  test('an action nobody knows is shown in its own words', () => {
    expect(lines('fast_forward:user_clocks')).toEqual(['User clocks: fast forward your user clocks'])
  })

  test('OpenID Connect scopes come first, in words', () => {
    const permissions = describePermissions(['read:posts', 'openid', 'email', 'profile'], plain, texts('en'))
    expect(permissions.map(({ title, kind }) => `${kind} ${title}`)).toEqual([
      'profile Email',
      'profile Profile',
      'api Posts',
    ])
    expect(lines('address phone offline_access')).toHaveLength(3)
  })

  test('openid alone is the user id, and is silent beside other profile lines', () => {
    expect(lines('openid')).toEqual(['User id: a code that stands for you, and nothing else'])
    expect(lines('openid email')).toHaveLength(1)
    expect(lines('openid read:posts')).toHaveLength(2)
  })

  const settings: PermissionSettings = {
    api_scopes: [
      { value: 'read:posts', description: 'Read what you posted' },
      { value: 'write:posts', description: '' },
      { value: 'email', description: 'Send mail in your name' },
    ],
    use_descriptions: true,
  }

  test('use_scope_descriptions_for_consent shows each description', () => {
    expect(lines('read:posts write:posts', settings)).toEqual(['Read what you posted', 'Posts: write your posts'])
  })

  test('a scope of the API that is named like one of OpenID Connect keeps its own meaning', () => {
    expect(describePermissions(['email'], settings, texts('en'))).toEqual([
      { title: 'Send mail in your name', kind: 'api' },
    ])
  })

  test('repeated scopes are one', () => {
    expect(lines('admin admin read:posts read:posts')).toHaveLength(2)
    expect(lines('read:posts read:posts')).toEqual(['Posts: read your posts'])
  })

  test('another language', () => {
    expect(lines('read:posts write:posts', plain, 'ar')[0]).toContain('القراءة والكتابة')
  })
})
