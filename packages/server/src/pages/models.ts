/** Owns what each hosted page is given: one typed model per page, and the frame that all of them share. */
import type { ShownDetail } from './authorization_details.ts'
import type { Permission } from './permissions.ts'
import type { ProblemCode } from './problems.ts'

/** The face of the tenant, as its settings name it. */
export interface PageTenant {
  readonly friendly_name: string
  readonly picture_url?: string | undefined
  readonly support_email?: string | undefined
  readonly support_url?: string | undefined
  readonly colors?: Colors | undefined
}

/** Branding colours as the administrator wrote them; anything but a hexadecimal colour is ignored. */
export interface Colors {
  readonly primary?: string | undefined
  readonly page_background?: string | undefined
}

/** The application that sent the user here. */
export interface PageClient {
  readonly name: string
  readonly logo_uri?: string | undefined
  /** The host of the client's own site, to tell two clients of the same name apart. */
  readonly host?: string | undefined
  /** What a client says its name is whose name here is the host that vouches for it. */
  readonly calls_itself?: string | undefined
  readonly policy_uri?: string | undefined
  readonly tos_uri?: string | undefined
}

/** What every page has around it. */
export interface Frame {
  /** A language tag; the nearest language that has texts is used. */
  readonly locale: string
  /** The nonce of this one response, the same as in its Content-Security-Policy. */
  readonly nonce: string
  readonly tenant: PageTenant
  readonly client?: PageClient | undefined
}

/** Without the portrait of the profile: it lies on somebody else's host, which would learn who signs in where. */
export interface Account {
  readonly name?: string | undefined
  readonly email?: string | undefined
  /** A handle that the form sends back, where there is more than one account to choose from. */
  readonly id?: string | undefined
}

export type PasswordStrength = 'none' | 'low' | 'fair' | 'good' | 'excellent'

export interface PasswordPolicy {
  readonly strength: PasswordStrength
  /** Characters. */
  readonly min_length: number
}

interface Step {
  /** The handle of the transaction. */
  readonly state: string
  readonly csrf: string
}

interface MailedStep {
  /** The one-time ticket from the mail. */
  readonly ticket: string
  readonly csrf: string
  readonly email: string
}

/** Why a request was refused, for the developer who runs the server; the shape of `Explanation` in `@latchkey/oauth`. */
export interface PageExplanation {
  readonly summary: string
  readonly fix: string
  readonly setting?: string | undefined
  readonly nearest?: { readonly registered: string; readonly requested: string } | undefined
}

export interface MailboxLine {
  readonly id: string
  readonly to: string
  readonly subject: string
  /** When it was sent, in milliseconds since 1970. */
  readonly time: number
}

export interface PageModels {
  /** Posts to `/u/login?state=…` with `state`, `csrf`, `username`, `password`, `action`. */
  readonly login: Step & {
    readonly username?: string | undefined
    readonly connection?: string | undefined
    /** For auth0-js on a page of an administrator's own: base64 of JSON. */
    readonly config?: string | undefined
    readonly requires_username?: boolean | undefined
    readonly allow_signup: boolean
    readonly allow_reset: boolean
    readonly problem?: ProblemCode | undefined
    /** Who is signed in already and has to prove it again. */
    readonly account?: Account | undefined
  }
  /** Posts to `/u/signup?state=…` with `state`, `csrf`, `email`, `username`, `password`, `action`. */
  readonly signup: Step & {
    readonly email?: string | undefined
    readonly username?: string | undefined
    readonly requires_username?: boolean | undefined
    readonly password_policy: PasswordPolicy
    readonly problems: readonly ProblemCode[]
  }
  /** Posts to `/u/reset-password/request` with `state`, `csrf`, `email`. */
  readonly reset_password_request: {
    readonly state?: string | undefined
    readonly csrf: string
    readonly email?: string | undefined
    readonly problem?: ProblemCode | undefined
  }
  readonly reset_password_sent: { readonly state?: string | undefined; readonly email: string }
  /** Posts to `/u/reset-password` with `ticket`, `csrf`, `password`, `password_confirm`. */
  readonly reset_password: MailedStep & {
    readonly password_policy: PasswordPolicy
    readonly problems: readonly ProblemCode[]
  }
  readonly reset_password_done: { readonly continue_url?: string | undefined }
  /** Posts to `/u/verify-email` with `ticket`, `csrf`: a link alone changes nothing, because mail scanners follow links. */
  readonly verify_email: MailedStep
  readonly email_verified: { readonly continue_url?: string | undefined }
  /** Posts to `/u/unblock` with `ticket`, `csrf`. */
  readonly account_unblock: MailedStep
  readonly account_unblocked: { readonly continue_url?: string | undefined }
  readonly ticket_invalid: {
    readonly kind: 'verify_email' | 'reset_password' | 'account_unblock'
    readonly reason: 'expired' | 'used' | 'unknown'
  }
  /** Posts to `/u/consent?state=…` with `state`, `csrf`, `action` = `accept` or `deny`. The client is the frame's. */
  readonly consent: Step & {
    readonly account: Account
    /** Where the answer goes: the host of the redirect URI, or the scheme of a native app. */
    readonly redirect_host: string
    readonly is_third_party: boolean
    /** True where the answer stays on this device: a loopback address, or a scheme that any program may claim. */
    readonly loopback: boolean
    /** Where the answer waits for a device instead: what the device shows to its person. */
    readonly user_code?: string | undefined
    readonly permissions: readonly Permission[]
    /** Rich requests, every field of each. */
    readonly details?: readonly ShownDetail[] | undefined
    readonly api?: { readonly name: string } | undefined
    /** True where the user id is always part of the answer; said in a line of its own. */
    readonly required_openid?: boolean | undefined
  }
  /** Posts to `/activate` with `csrf`, `code`. */
  readonly activate: {
    readonly csrf: string
    readonly code?: string | undefined
    readonly problem?: ProblemCode | undefined
  }
  readonly device_connected: Readonly<Record<string, never>>
  readonly device_denied: Readonly<Record<string, never>>
  /** Posts to `/u/account?state=…` with `state`, `csrf`, `account` (where it has an id), `action` = `continue` or `other`. */
  readonly select_account: Step & { readonly accounts: readonly Account[] }
  /** With frames, in which the applications end their own sessions, the page goes on to `return_url` by itself. */
  readonly logged_out: {
    readonly return_url?: string | undefined
    readonly frames?: readonly string[] | undefined
  }
  /** Posts to `/u/logout` with `csrf`, `state`: a handle of what was asked. */
  readonly logout_confirm: {
    readonly csrf: string
    readonly state?: string | undefined
    readonly account?: Account | undefined
  }
  readonly error: {
    readonly error: string
    readonly error_description?: string | undefined
    /** The id that the log carries with the reason. */
    readonly tracking: string
    /** In `dev` only: a stranger is told nothing more than the standard error. */
    readonly explanation?: PageExplanation | undefined
  }
  /** Sends itself to the client; `action` must be an http or https address. */
  readonly form_post: { readonly action: string; readonly fields: Readonly<Record<string, string>> }
  /** Hands the response to the window that opened it or frames it, and to that origin alone. */
  readonly web_message: {
    /** The exact origin to tell; without one nothing is posted. */
    readonly target_origin?: string | undefined
    readonly response: Readonly<Record<string, string | number>>
    /** Told as the WinChan library of a page that opened this window expects it. */
    readonly owp?: boolean | undefined
    /** In `dev` only: which setting is missing. */
    readonly explanation?: PageExplanation | undefined
  }
  /** In `dev` only: what a device shows; it asks again by itself while it waits. */
  readonly dev_device: {
    readonly outcome: 'waiting' | 'connected' | 'denied' | 'over'
    readonly user_code?: string
    readonly verification_uri?: string
    /** The squares of a QR code, as a path in a picture of so many squares each way. */
    readonly qr?: { readonly size: number; readonly path: string }
    readonly name?: string | undefined
  }
  readonly mailbox: { readonly mails: readonly MailboxLine[] }
  readonly mailbox_message: MailboxLine & {
    readonly from: string
    readonly html: string
    readonly text: string
    /** The addresses that the mail asks to open, shown as links of their own. */
    readonly links?: readonly string[] | undefined
  }
}

export type PageName = keyof PageModels

/** What a tenant's own error page is given besides the frame. */
export type CustomErrorModel = PageModels['error'] & {
  /** Those of the request, where it names ones that are registered. */
  readonly client_id?: string | undefined
  readonly connection?: string | undefined
  readonly show_log_link: boolean
}

/** What a mail is about. */
export interface MailModel {
  readonly tenant: PageTenant
  readonly email: string
  readonly name?: string | undefined
  /** The one-time address to open. */
  readonly link: string
  /** How long the link works, in seconds. */
  readonly lifetime: number
  readonly client_name?: string | undefined
}

export type MailName = 'verify_email' | 'reset_password' | 'blocked_account'

export interface Mail {
  readonly subject: string
  readonly html: string
  readonly text: string
}
