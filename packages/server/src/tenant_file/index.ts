/**
 * Tenant files: the format of Auth0's Deploy CLI, with users added. Owns reading one, judging it, and bringing a tenant to what it
 * says. Knows no HTTP, no command line and no environment.
 */
export type { Change, FieldChange } from './change.ts'
export type { PasswordWork } from './draft.ts'
export { formatPlan } from './format.ts'
export { BadKeywords, type Keywords, readKeywords } from './keyword_sources.ts'
export { type Plan, type PlanOptions, planTenant } from './plan.ts'
export { formatRemark, type IgnoredKey, type Remark, TenantFileError } from './problems.ts'
export { filesBeside, type ReadFile } from './script_files.ts'
export { TenantChanged } from './tenant_changed.ts'
