/** Owns the mails to users: subject, HTML and plain text of each, in the user's language. */
import { webAddress } from './addresses.ts'
import { brandColors } from './colors.ts'
import type { Mail, MailModel, MailName } from './models.ts'
import type { Templates } from './templates.ts'
import type { Texts } from './texts.ts'

export interface MailFrame {
  readonly texts: Texts
  readonly templates: Templates
}

/**
 * Renders a mail.
 * @throws RangeError when the link is no http or https address
 */
export function renderMail(name: MailName, model: MailModel, { texts, templates }: MailFrame): Mail {
  if (webAddress(model.link) === undefined) throw new RangeError('The link of a mail must be an http or https address')
  const { tenant } = model
  const view = {
    ...model,
    mail: name,
    tenant: { ...tenant, picture_url: webAddress(tenant.picture_url), support_url: webAddress(tenant.support_url) },
    lifetime: lifetimeText(model.lifetime, texts),
    // Mail programs know no variables, so the light scheme's colours are written out.
    colors: brandColors('light', tenant.colors),
  }
  const subject = texts.t(`mails.${name}.subject`, { tenant: tenant.friendly_name })
  return {
    // A line break in a subject would start another header.
    subject: subject.replaceAll(/\p{Cc}+/gu, ' ').trim(),
    html: templates.html(`mails/${name}`, { ...view, subject }, texts.lang),
    text: `${templates.text(`mails/${name}_text`, view, texts.lang).trim()}\n`,
  }
}

function lifetimeText(seconds: number, texts: Texts): string {
  if (seconds >= 2 * 86_400) return texts.t('lifetime.days', { count: Math.floor(seconds / 86_400) })
  if (seconds >= 2 * 3_600) return texts.t('lifetime.hours', { count: Math.floor(seconds / 3_600) })
  return texts.t('lifetime.minutes', { count: Math.max(1, Math.floor(seconds / 60)) })
}
