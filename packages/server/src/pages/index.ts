/**
 * The hosted pages: login, sign-up, passwords, consent, logout, errors, the relay pages of two response modes, mails.
 * Owns templates, texts, styles and the policy headers they need. Knows no HTTP, no store and no protocol.
 */
export { type Asset, assets, icon, script, stylesheet } from './assets.ts'
export { describeDetails, type ShownDetail } from './authorization_details.ts'
export { escapeHtml } from './escape.ts'
export { contentSecurityPolicy, formActionSource, imageSources, type PolicyParts } from './headers.ts'
export { pickLocale } from './locale.ts'
export type {
  Account,
  Colors,
  CustomErrorModel,
  Frame,
  Mail,
  MailboxLine,
  MailModel,
  MailName,
  PageClient,
  PageExplanation,
  PageModels,
  PageName,
  PageTenant,
  PasswordPolicy,
  PasswordStrength,
} from './models.ts'
export { openPages, type Pages, type PagesOptions } from './pages.ts'
export { describePermissions, type Permission, type PermissionSettings } from './permissions.ts'
export { type ProblemCode, problems } from './problems.ts'
export type { Texts } from './texts.ts'
