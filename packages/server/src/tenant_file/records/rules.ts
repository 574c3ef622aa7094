/** Owns the rules of a tenant file, and the settings that rules read. */
import type { Rule, RulesConfig } from '@latchkey/store'
import { type Static, Type } from 'typebox'
import { ruleProblem } from '../../rules/script.ts'
import { merged } from '../change.ts'
import { type Draft, nameOnce, put } from '../draft.ts'
import { newRuleId } from '../ids.ts'
import { isScriptPath, maxScript, readScript } from '../script_files.ts'
import { DisplayName } from './fields.ts'
import { defineRecord, type Entry } from './record.ts'

const RuleRecord = Type.Object({
  name: DisplayName,
  /** A path relative to the tenant file, or the text itself. */
  script: Type.Optional(Type.String({ minLength: 1, maxLength: maxScript })),
  order: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  enabled: Type.Optional(Type.Boolean()),
  stage: Type.Optional(Type.String()),
})

export const rules = defineRecord({
  key: 'rules',
  schema: RuleRecord,
  plan(entry, draft) {
    const { stage = 'login_success', script: given, ...fields } = entry.value
    if (stage !== 'login_success') return entry.ignored([])
    if (!nameOnce(draft, 'rule', fields.name))
      return entry.problem(['name'], `The file has two rules named ${fields.name}: give each its own name.`)
    const before = draft.rules.get(fields.name)
    const script = given === undefined ? before?.script : scriptOf(entry, draft, given)
    if (script === undefined) {
      if (given === undefined) entry.problem([], 'script is missing: add the path of a file, or the function itself.')
      return
    }
    const after = merged<Rule>(before ?? newRule(draft, fields.name), { ...fields, script })
    warnOfOrder(entry, draft, after)
    draft.rules.set(after.name, after)
    put(draft, {
      ...{ kind: 'rule', name: after.name, id: after.id, before, after },
      hidden: ['script'],
      write: (store, now) => store.rules.save(after, now),
    })
  },
})

/** Behind the rules that are there, unless the file says where. */
function newRule({ rules, random }: Draft, name: string): Rule {
  const order = Math.max(0, ...[...rules.values()].map((one) => one.order)) + 1
  return { id: newRuleId(random), name, script: '', order, enabled: true, stage: 'login_success' }
}

/** What stands against it is reported. */
function scriptOf(entry: Entry<Static<typeof RuleRecord>>, draft: Draft, given: string): string | undefined {
  const read = isScriptPath(given) ? readScript(given, draft) : { text: given }
  const refuse = (sentence: string) => entry.problem(['script'], sentence)
  if ('problem' in read) {
    refuse(read.problem)
    return undefined
  }
  if (read.text.length > maxScript) refuse(`A script may have ${maxScript} characters at most.`)
  const problem = ruleProblem(entry.value.name, read.text)
  if (problem !== undefined)
    refuse(
      `This is not one function (${problem}): write function (user, context, callback) { … } and nothing around it.`,
    )
  return read.text
}

function warnOfOrder(entry: Entry<Static<typeof RuleRecord>>, { rules }: Draft, { name, order }: Rule): void {
  const other = [...rules.values()].find((one) => one.order === order && one.name !== name)
  if (entry.value.order !== undefined && other !== undefined)
    entry.warning(['order'], `The rule ${other.name} has the order ${order} too: they run by name.`)
}

const RulesConfigRecord = Type.Object({
  key: Type.String({
    pattern: '^[A-Za-z0-9_.:-]{1,127}$',
    must_be: '1 to 127 letters, digits, ".", "_", ":" or "-"',
  }),
  value: Type.Optional(Type.String({ maxLength: 8192 })),
})

export const rulesConfigs = defineRecord({
  key: 'rulesConfigs',
  schema: RulesConfigRecord,
  plan(entry, draft) {
    const { key, value } = entry.value
    if (!nameOnce(draft, 'rules config', key))
      return entry.problem(['key'], `The file has two settings of rules named ${key}: remove one.`)
    const before = draft.rules_configs.get(key)
    if (value === undefined) {
      if (before === undefined) entry.warning([], `The setting ${key} has no value: rules will not find it.`)
      return
    }
    const after: RulesConfig = { key, value }
    draft.rules_configs.set(key, after)
    put(draft, {
      ...{ kind: 'rules config', name: key, before, after },
      hidden: ['value'],
      write: (store, now) => store.rules.saveConfig(after, now),
    })
  },
})
