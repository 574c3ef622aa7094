/** Owns the speed of the `web_message` page, the answer to every silent renewal: rendered once, then only filled in. */
import { brandStyle } from './colors.ts'
import { escapeHtml } from './escape.ts'
import type { Frame, PageModels } from './models.ts'
import type { Templates } from './templates.ts'
import type { Texts } from './texts.ts'
import { type View, views } from './views.ts'

type WebMessage = PageModels['web_message']

/** Stand in the rendered page where the values of one response go; no text can hold them by accident. */
const slots = { nonce: '\uf8f0', message: '\uf8f1', target_origin: '\uf8f2' }
const anySlot = /([\uf8f0-\uf8f2])/

/** A `web_message` page without an explanation, out of a page that was rendered before; undefined for any other. */
export function openRelay(templates: Templates, common: View) {
  const rendered = new Map<string, readonly string[]>()

  function shell(texts: Texts, frame: Frame): readonly string[] {
    const style = brandStyle(frame.tenant.colors)
    const key = `${texts.lang} ${style}`
    const cached = rendered.get(key)
    if (cached !== undefined) return cached
    const title = texts.t('web_message.title')
    const view = { ...common, ...slots, page: 'web_message', title, brand_style: style }
    const split = templates.html('web_message', view, texts.lang).split(anySlot)
    if (rendered.size < 200) rendered.set(key, split)
    return split
  }

  return (model: WebMessage, frame: Frame, texts: Texts): string | undefined => {
    const { message, target_origin } = views.web_message(model, texts)
    if (typeof message !== 'string' || typeof target_origin !== 'string' || model.explanation !== undefined)
      return undefined
    const values = new Map([
      [slots.nonce, escapeHtml(frame.nonce)],
      [slots.message, message],
      [slots.target_origin, target_origin],
    ])
    return shell(texts, frame)
      .map((part) => values.get(part) ?? part)
      .join('')
  }
}
