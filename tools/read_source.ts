/** Owns what a source file's syntax tree tells the checks: its imports, and its uses of what must come in from outside. */
import { parseSync } from 'vite'

export interface Import {
  readonly line: number
  /** What stands between the quotes. */
  readonly from: string
  /** Erased before the program runs. */
  readonly type_only: boolean
}

export interface Use {
  readonly line: number
  readonly rule: 'environment' | 'console' | 'injected'
  readonly text: string
}

export interface Source {
  readonly imports: readonly Import[]
  readonly uses: readonly Use[]
  readonly errors: readonly string[]
}

interface Syntax {
  readonly type: string
  readonly start: number
  readonly [key: string]: unknown
}

const CHANCE = ['randomBytes', 'randomUUID', 'randomInt', 'randomFill', 'randomFillSync', 'getRandomValues']

/**
 * Reads one file of TypeScript or JavaScript.
 * @param path decides which of the two, by its ending
 */
export function readSource(path: string, text: string): Source {
  const { program, module, errors } = parseSync(path, text)
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length
  const imports: Import[] = []
  const uses: Use[] = []
  for (const { moduleRequest, entries, start } of module.staticImports) {
    const type_only = entries.length > 0 && entries.every(({ isType }) => isType)
    imports.push({ line: lineOf(start), from: moduleRequest.value, type_only })
    uses.push(...namedUses(moduleRequest.value, entries, lineOf(start)))
  }
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest, isType, start } of entries) {
      if (moduleRequest) imports.push({ line: lineOf(start), from: moduleRequest.value, type_only: isType })
    }
  }
  for (const { moduleRequest, start } of module.dynamicImports) {
    const literal = /^(['"`])(.*)\1$/s.exec(text.slice(moduleRequest.start, moduleRequest.end))
    if (literal?.[2] !== undefined) imports.push({ line: lineOf(start), from: literal[2], type_only: false })
  }
  walk(program, (node) => {
    const use = useOf(node)
    if (use !== undefined) uses.push({ line: lineOf(node.start), ...use })
  })
  return { imports, uses, errors: errors.map(({ message }) => message) }
}

type Entry = { readonly importName: { readonly name: string | null | undefined }; readonly isType: boolean }

function namedUses(from: string, entries: readonly Entry[], line: number): Use[] {
  const names = entries.filter(({ isType }) => !isType).map(({ importName }) => importName.name ?? '')
  const uses: Use[] = []
  for (const name of names) {
    if (/^(node:)?crypto$/.test(from) && CHANCE.includes(name)) uses.push({ line, rule: 'injected', text: name })
    if (/^(node:)?process$/.test(from) && name === 'env') uses.push({ line, rule: 'environment', text: 'process.env' })
    if (/^(node:)?console$/.test(from)) uses.push({ line, rule: 'console', text: 'console' })
  }
  return uses
}

/** What one node of the tree takes from its surroundings instead of being given it. */
function useOf(node: Syntax): Omit<Use, 'line'> | undefined {
  if (node.type === 'MemberExpression') {
    const object = nameOf(node.object)
    const property = nameOf(node.property)
    if (object === 'process' && property === 'env') return { rule: 'environment', text: 'process.env' }
    if (object === 'console') return { rule: 'console', text: `console.${property}` }
    if (object === 'Date' && property === 'now') return { rule: 'injected', text: 'Date.now' }
    if (object === 'Math' && property === 'random') return { rule: 'injected', text: 'Math.random' }
    if (/^(web)?crypto$/.test(object ?? '') && CHANCE.includes(property ?? '')) {
      return { rule: 'injected', text: `${object}.${property}` }
    }
  }
  const takesNow = node.type === 'CallExpression' || (node.type === 'NewExpression' && isEmpty(node.arguments))
  if (takesNow && nameOf(node.callee) === 'Date') return { rule: 'injected', text: 'new Date()' }
  if (node.type === 'VariableDeclarator' && nameOf(node.init) === 'process' && takes(node.id, 'env')) {
    return { rule: 'environment', text: 'process.env' }
  }
  return undefined
}

/** The name of an identifier, of a quoted property, or the last name of a path that begins at `globalThis`. */
function nameOf(value: unknown): string | undefined {
  if (!isSyntax(value)) return undefined
  if (value.type === 'Identifier') return String(value.name)
  if (value.type === 'Literal' && typeof value.value === 'string') return value.value
  if (value.type === 'MemberExpression' && /^(globalThis|window|self)$/.test(nameOf(value.object) ?? '')) {
    return nameOf(value.property)
  }
  return undefined
}

function takes(pattern: unknown, name: string): boolean {
  if (!isSyntax(pattern) || pattern.type !== 'ObjectPattern' || !Array.isArray(pattern.properties)) return false
  return pattern.properties.some((property) => isSyntax(property) && nameOf(property.key) === name)
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

function isSyntax(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function walk(value: unknown, visit: (node: Syntax) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit)
  } else if (isSyntax(value)) {
    visit(value)
    for (const [key, child] of Object.entries(value)) if (key !== 'parent') walk(child, visit)
  }
}
