/** Owns `latchkey apply`. */
import { defineCommand } from '../command.ts'

export const apply = defineCommand({
  name: 'apply',
  summary: 'Bring a tenant to what a tenant file says.',
  notes: `
The file has the format of Auth0's Deploy CLI, with users added; docs/tenant_file.md describes it. It is applied whole or
not at all, and nothing is ever deleted. Applying it again changes nothing.

Examples:
  $ latchkey apply tenant.yaml --dry-run
  $ latchkey apply tenant.yaml --env staging.json --define APP_URL=https://app.example.com`,
  options: 'apply',
  args: [{ name: 'file', sentence: 'The tenant file, in YAML or JSON.' }],
  switches: [{ name: 'dry-run', sentence: 'Say what would change, and change nothing.' }],
  async run({ config, args: [file = ''], isOn, print, now, random }) {
    const dry_run = isOn('dry-run')
    const { applyTenantFile, openAdministration } = await import('@latchkey/server/administration')
    const { formatPlan } = await import('@latchkey/server/tenant_file')
    const { store, close } = await openAdministration(config, dry_run ? 'look' : 'make', { now, random })
    try {
      const plan = await applyTenantFile(config, store, file, { now, random, dry_run })
      print(formatPlan(plan, dry_run ? 'planned' : 'applied'))
      if (dry_run && plan.changes.length > 0) print('This was a dry run: nothing was changed.')
    } finally {
      await close()
    }
  },
})
