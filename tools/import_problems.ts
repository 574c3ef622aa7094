/** Owns the judgement: what in a set of files breaks the table of `import_rules.ts`. Pure, so that its tests are tables. */
import { isBuiltin } from 'node:module'
import { matchesGlob, posix } from 'node:path'
import { type Area, CROSSINGS, type Exception } from './import_rules.ts'
import type { Manifest } from './manifests.ts'
import { type Import, readSource, type Use } from './read_source.ts'
import type { SourceFile } from './source_files.ts'

export interface Problem {
  readonly path: string
  readonly line: number
  readonly rule: string
  /** What is wrong and what to do, in a sentence or two. */
  readonly advice: string
}

export type Manifests = Readonly<Record<string, Manifest>>

export interface Rules {
  readonly areas: readonly Area[]
  readonly exceptions: readonly Exception[]
  /** The package.json files by their folder, `''` being the root. */
  readonly manifests: Manifests
}

/** Every break of the rules, file by file. */
export function findProblems(files: readonly SourceFile[], rules: Rules): Problem[] {
  const problems: Problem[] = []
  const graph = new Map<string, string[]>()
  for (const { path, text } of files) {
    const { imports, uses, errors } = readSource(path, text)
    const report = (line: number, rule: string, advice: string) => problems.push({ path, line, rule, advice })
    for (const error of errors) report(1, 'syntax', `${error}.`)
    const area = areaOf(path, rules.areas)
    if (area === undefined) {
      report(1, 'area', 'No line of tools/import_rules.ts covers this folder: add one that says what it may import.')
      continue
    }
    for (const found of imports) {
      const problem = judgeImport(path, area, found, rules.manifests)
      if (problem !== undefined) report(found.line, ...problem)
    }
    for (const use of uses) {
      const problem = judgeUse(path, area, use, rules.exceptions)
      if (problem !== undefined) report(use.line, ...problem)
    }
    graph.set(path, valueImports(path, imports))
  }
  return [...problems, ...findCycles(graph)].toSorted((a, b) => compare(a.path, b.path) || a.line - b.line)
}

type Judgement = readonly [rule: string, advice: string] | undefined

function judgeImport(path: string, area: Area, found: Import, manifests: Manifests): Judgement {
  const { from } = found
  if (from.startsWith('.') || from.startsWith('/')) return judgeRelative(path, from)
  if (isBuiltin(from)) return judgeBuiltin(area, from)
  const name = packageOf(from)
  const home = borderOf(path)
  if (name.startsWith('@latchkey/') || name === 'latchkey') {
    if (area.workspace.includes(name) || manifests[home]?.name === name) return undefined
    return [
      'layer',
      `${area.folder} may not import ${name} (only ${listed(area.workspace)}). Move the code, or pass the value in.`,
    ]
  }
  return judgeLibrary(area, found, name, home, manifests)
}

function judgeRelative(path: string, from: string): Judgement {
  const target = posix.join(posix.dirname(path), from)
  const home = borderOf(path)
  if (borderOf(target) === home || CROSSINGS.some(([a, b]) => home === a && target.startsWith(b))) return undefined
  return ['border', `"${from}" reaches out of ${home}: import the other package by its name.`]
}

function judgeBuiltin(area: Area, from: string): Judgement {
  const name = from.replace(/^node:/, '')
  if (area.node === 'any' || area.node.includes(name)) return undefined
  return [
    'node',
    `${area.folder} may not import node:${name} (only ${listed(area.node)}). Do this in a package above it.`,
  ]
}

function judgeLibrary(area: Area, found: Import, name: string, home: string, manifests: Manifests): Judgement {
  const scope = name.startsWith('@') ? name.slice(0, name.indexOf('/')) : name
  const typeLibraries = found.type_only ? (area.types ?? []) : []
  const isFree = area.libraries === 'declared'
  const isAllowed =
    isFree || [...area.libraries, ...typeLibraries].some((allowed) => allowed === name || allowed === scope)
  if (!isAllowed) {
    return [
      'library',
      `${area.folder} may not import ${name}. A library has one home; see tools/import_rules.ts for this package's list.`,
    ]
  }
  const own = declares(manifests[home], name)
  const fromRoot = (isFree || found.type_only) && declares(manifests[''], name)
  if (own || fromRoot) return undefined
  return [
    'declared',
    `${name} is not in ${home}/package.json: add it there with its exact version, or it only works by luck.`,
  ]
}

const SENTENCES: Readonly<Record<Use['rule'], string>> = {
  environment: 'is read only in packages/server/src/config.ts: make it an option there and pass the value in.',
  console: 'does not belong here: write to the log of the context.',
  injected: 'escapes the context: take the time and the randomness from there, so that tests can set them.',
}

function judgeUse(path: string, area: Area, use: Use, exceptions: readonly Exception[]): Judgement {
  const isAllowed = {
    environment: area.environment === true,
    console: area.console === true,
    injected: area.injected !== true,
  }
  if (isAllowed[use.rule]) return undefined
  if (exceptions.some(({ file, rule }) => rule === use.rule && matchesGlob(path, file))) return undefined
  return [use.rule, `${use.text} ${SENTENCES[use.rule]}`]
}

function valueImports(path: string, imports: readonly Import[]): string[] {
  const own = imports.filter(({ from, type_only }) => from.startsWith('.') && !type_only)
  return own.map(({ from }) => posix.join(posix.dirname(path), from))
}

/** One problem for each ring of files that import each other. Types are left out: they are gone before the program runs. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): Problem[] {
  const problems: Problem[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path)
    if (at >= 0) {
      const ring = [...trail.slice(at), path].map((file) => posix.basename(file)).join(' → ')
      problems.push({ path, line: 1, rule: 'cycle', advice: `${ring}: move what they share into a file of its own.` })
      return
    }
    if (done.has(path)) return
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return problems
}

function areaOf(path: string, areas: readonly Area[]): Area | undefined {
  const fitting = areas.filter(({ folder }) => path.startsWith(`${folder}/`))
  return fitting.toSorted((a, b) => b.folder.length - a.folder.length)[0]
}

/** The folder that a relative import may not leave: a package, an example, or one of the folders beside them. */
function borderOf(path: string): string {
  const [first = '', second = ''] = path.split('/')
  return first === 'packages' || first === 'examples' ? `${first}/${second}` : first
}

function packageOf(from: string): string {
  return from.split('/', from.startsWith('@') ? 2 : 1).join('/')
}

function declares(manifest: Manifest | undefined, name: string): boolean {
  const { dependencies, devDependencies, peerDependencies, optionalDependencies } = manifest ?? {}
  return name in { ...dependencies, ...devDependencies, ...peerDependencies, ...optionalDependencies }
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
