/** Owns holding a value against a schema: what is not supported is set aside, what does not fit becomes a sentence. */
import { IsArray, IsObject, IsOptional, type TSchema } from 'typebox'
import { Check, Errors } from 'typebox/value'
import type { Path } from './problems.ts'

export interface Fault {
  readonly path: Path
  readonly sentence: string
}

export interface Checked {
  /** The value with what the schema knows, and without nulls. */
  readonly value: unknown
  readonly ignored: readonly Path[]
  readonly faults: readonly Fault[]
}

export function checkShape(schema: TSchema, given: unknown): Checked {
  const ignored: Path[] = []
  const value = knownPart(schema, given, [], ignored)
  const faults = Errors(schema, value).flatMap((error) => {
    const path = stepsOf(error.instancePath)
    const inner = schemaAt(schema, error.schemaPath)
    return sentencesOf(error, inner).map(([more, sentence]) => ({ path: [...path, ...more], sentence }))
  })
  return { value, ignored, faults }
}

function knownPart(schema: TSchema, value: unknown, path: Path, ignored: Path[]): unknown {
  if (IsArray(schema) && Array.isArray(value))
    return value.map((item, index) => knownPart(schema.items, item, [...path, index], ignored))
  if (!IsObject(schema) || typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const known: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    const inner = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
    if (inner === undefined) {
      if (!isEmpty(item)) ignored.push([...path, key])
    }
    // An export writes null, or empty text where none may stand, for what is not set.
    else if (item !== null && !(item === '' && IsOptional(inner) && !Check(inner, item)))
      known[key] = knownPart(inner, item, [...path, key], ignored)
  }
  return known
}

/** Nothing is lost when this is left out. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

type ShapeError = ReturnType<typeof Errors>[number]

function sentencesOf(error: ShapeError, schema: unknown): readonly (readonly [Path, string])[] {
  if (error.keyword === 'required')
    return error.params.requiredProperties.map((name) => [[], `${name} is missing: add it.`])
  return [[[], sentenceOf(error, schema)]]
}

function sentenceOf(error: ShapeError, schema: unknown): string {
  switch (error.keyword) {
    case 'type':
      return `This must be ${typeWords[String(error.params.type)] ?? error.params.type}.`
    case 'enum':
      return `This must be one of ${error.params.allowedValues.join(', ')}.`
    case 'minimum':
      return `This must be ${error.params.limit} or more.`
    case 'maximum':
      return `This must be ${error.params.limit} or less.`
    case 'minLength':
      return error.params.limit === 1
        ? 'This must not be empty.'
        : `This needs ${error.params.limit} characters or more.`
    case 'maxLength':
      return `This may have ${error.params.limit} characters at most.`
    case 'maxItems':
      return `This list may have ${error.params.limit} entries at most.`
    case 'maxProperties':
      return `This may have ${error.params.limit} keys at most.`
    case 'pattern':
      return `This must be ${(schema as { must_be?: string } | undefined)?.must_be ?? 'of another form'}.`
    default:
      return `This ${error.message}.`
  }
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text; put it in quotes where YAML reads something else',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  array: 'a list',
  object: 'a mapping',
}

function stepsOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step))
}

function schemaAt(schema: TSchema, schemaPath: string): unknown {
  return stepsOf(schemaPath).reduce<unknown>(
    (inner, step) => (inner as Record<string | number, unknown> | undefined)?.[step],
    schema,
  )
}
