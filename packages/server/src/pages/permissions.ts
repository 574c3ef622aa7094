/** Owns how scopes read on the consent page: the lines a person is asked to agree to. */
import type { Texts } from './texts.ts'

/** One line of the consent page. */
export interface Permission {
  readonly title: string
  readonly detail?: string | undefined
  readonly kind: 'profile' | 'api'
}

export interface PermissionSettings {
  /** The scopes the API knows, with what its owner wrote about each. */
  readonly api_scopes: readonly { readonly value: string; readonly description?: string | undefined }[]
  /** The tenant's `use_scope_descriptions_for_consent`. */
  readonly use_descriptions: boolean
}

const oidcScopes = ['profile', 'email', 'address', 'phone', 'offline_access', 'online_access']
const actions = new Set(
  'read write create update delete list send post manage use search import export publish invite'.split(' '),
)

/**
 * Puts scopes into words, OpenID Connect's first. `action:resource` scopes are grouped, one line per resource with all its
 * actions; a scope of any other form is shown as it is; with `use_descriptions` each scope reads as its description.
 * `openid` is mentioned only where nothing else of the profile is asked for, since every other line implies it.
 */
export function describePermissions(
  scopes: readonly string[],
  { api_scopes, use_descriptions }: PermissionSettings,
  texts: Texts,
): readonly Permission[] {
  const known = new Map(api_scopes.map(({ value, description }) => [value, description]))
  // An API may define a scope of its own that is called "email": then its owner's words count.
  const isOidc = (scope: string) => oidcScopes.includes(scope) && !known.has(scope)
  const profile = scopes.filter(isOidc).map((scope) => oidcPermission(scope, texts))
  if (profile.length === 0 && scopes.includes('openid')) profile.push(oidcPermission('openid', texts))
  const ofApi = [...new Set(scopes.filter((scope) => scope !== 'openid' && !isOidc(scope)))]
  return [...profile, ...apiPermissions(ofApi, use_descriptions ? known : new Map(), texts)]
}

function oidcPermission(scope: string, texts: Texts): Permission {
  return {
    title: texts.t(`permissions.${scope}.title`),
    detail: texts.t(`permissions.${scope}.detail`),
    kind: 'profile',
  }
}

function apiPermissions(
  scopes: readonly string[],
  descriptions: ReadonlyMap<string, string | undefined>,
  texts: Texts,
): readonly Permission[] {
  const lines: (Permission | { readonly resource: string })[] = []
  const grouped = new Map<string, string[]>()
  for (const scope of scopes) {
    const description = descriptions.get(scope)
    const [, action, resource] = /^([A-Za-z][\w-]*):([A-Za-z][\w.-]*)$/.exec(scope) ?? []
    if (description !== undefined && description !== '') lines.push({ title: description, kind: 'api' })
    else if (action === undefined || resource === undefined) lines.push({ title: scope, kind: 'api' })
    else {
      if (!grouped.has(resource)) lines.push({ resource })
      grouped.set(resource, [...(grouped.get(resource) ?? []), action])
    }
  }
  return lines.map((line) =>
    'resource' in line ? groupPermission(line.resource, grouped.get(line.resource) ?? [], texts) : line,
  )
}

function groupPermission(resource: string, names: readonly string[], texts: Texts): Permission {
  const words = resource.replaceAll(/[_-]/g, ' ')
  const verbs = names.map((name) => {
    const verb = name.toLowerCase()
    return actions.has(verb) ? texts.t(`actions.${verb}`) : name.replaceAll(/[_-]/g, ' ')
  })
  return {
    title: words.charAt(0).toUpperCase() + words.slice(1),
    detail: texts.t('permissions.group', { actions: texts.list(verbs), resource: words }),
    kind: 'api',
  }
}
