/** Owns the rendering of hosted pages and mails: from a name, a model and a frame to text, synchronously. */
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { icon, script, stylesheet } from './assets.ts'
import { brandStyle } from './colors.ts'
import { openCustomErrorPage } from './custom_error.ts'
import { type MailFrame, renderMail } from './mails.ts'
import type { CustomErrorModel, Frame, Mail, MailModel, MailName, PageModels, PageName } from './models.ts'
import { openRelay } from './relay.ts'
import { openTemplates } from './templates.ts'
import { listLocales, openCatalogue, type Texts } from './texts.ts'
import { frameView, type View, views } from './views.ts'

export interface PagesOptions {
  /** A directory whose `<name>.liquid` files replace the built-in templates of the same name. */
  readonly override_dir?: string | undefined
  /** Load the template engine with the first page rather than now, so that a start does not wait for it. */
  readonly lazy?: boolean | undefined
}

export interface Pages {
  /** The languages that have texts. */
  readonly locales: readonly string[]
  /** True for a page that an administrator has written. */
  replaced(name: PageName): boolean
  /**
   * Renders a page as a whole HTML document.
   * @throws RangeError when a `form_post` page is given an address that is not http or https
   */
  render<Name extends PageName>(name: Name, model: PageModels[Name], frame: Frame): string
  /**
   * Renders the tenant's own error page: the template with the model's values, the frame's `tenant` and `nonce`, `lang` and `dir`.
   * @throws Error when the template is broken
   */
  renderCustomError(html: string, model: CustomErrorModel, frame: Frame): string
  renderMail(name: MailName, model: MailModel, locale: string): Mail
  /** The texts of a language, for what is put into words outside a template, such as permissions. */
  texts(locale: string): Texts
}

/**
 * Opens the hosted pages. Overrides are checked at once; everything else is read when it is first used.
 * @throws Error naming the file, when a template in `override_dir` has no counterpart or cannot be parsed
 */
export function openPages({ override_dir, lazy = true }: PagesOptions = {}): Pages {
  const locales = listLocales()
  let opened: Opened | undefined
  const engine = () => {
    opened ??= open(override_dir, locales)
    return opened
  }
  if (!lazy || override_dir !== undefined) engine()
  const own = new Set(override_dir === undefined ? [] : readdirSync(override_dir))
  return {
    locales,
    texts: (locale) => engine().catalogue.texts(locale),
    replaced: (name) => own.has(`${name}.liquid`),
    render: (name, model, frame) => {
      const { catalogue, templates, shortcuts } = engine()
      const texts = catalogue.texts(frame.locale)
      const prepared = shortcuts[name]?.(model, frame, texts)
      return prepared ?? templates.html(name, pageView(name, model, frame, texts), texts.lang)
    },
    renderCustomError: (html, model, frame) => {
      const { lang, dir } = engine().catalogue.texts(frame.locale)
      const { tenant } = frameView(frame)
      return engine().customError.render(html, { ...model, tenant, lang, dir, nonce: frame.nonce, assets: assetPaths })
    },
    renderMail: (name, model, locale) => {
      const { catalogue, templates } = engine()
      return renderMail(name, model, { texts: catalogue.texts(locale), templates } satisfies MailFrame)
    },
  }
}

const assetPaths = { stylesheet: stylesheet.path, script: script.path, icon: icon.path }

/** Pages that need not be rendered anew for each response. */
type Shortcuts = {
  readonly [Name in PageName]?: (model: PageModels[Name], frame: Frame, texts: Texts) => string | undefined
}

type Opened = ReturnType<typeof open>

function open(overrideDir: string | undefined, locales: readonly string[]) {
  // Loaded here and not at the top: the engine and the catalogue cost some 25 ms and 10 MB that a start should not pay.
  const require = createRequire(import.meta.url)
  const catalogue = openCatalogue(require, locales)
  const templates = openTemplates(require, catalogue, overrideDir)
  const shortcuts: Shortcuts = { web_message: openRelay(templates, { assets: assetPaths }) }
  return { catalogue, templates, shortcuts, customError: openCustomErrorPage(require) }
}

function pageView<Name extends PageName>(name: Name, model: PageModels[Name], frame: Frame, texts: Texts): View {
  const view = views[name](model, texts)
  return {
    ...view,
    ...frameView(frame),
    page: name,
    nonce: frame.nonce,
    title: titleOf(name, view, frame, texts),
    brand_style: brandStyle(frame.tenant.colors),
    assets: assetPaths,
  }
}

/** What the page is, then whose; a problem is said first, since a screen reader announces the title first. */
function titleOf(name: PageName, view: View, frame: Frame, texts: Texts): string {
  const tenant = frame.tenant.friendly_name
  const page = texts.t(`${name}.title`, { tenant, client: frame.client?.name ?? tenant })
  const troubled = Array.isArray(view.problems) && view.problems.length > 0
  return texts.t(troubled ? 'page_title_problem' : 'page_title', { page, tenant })
}
