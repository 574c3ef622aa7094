/** Owns the modes with `jwt` in their name: the answer travels as one signed JWT, the way that another mode carries its parameters. */
import { formPost } from './form_post.ts'
import { fragment } from './fragment.ts'
import { query } from './query.ts'
import { defineResponseMode, type ResponseMode } from './response_mode.ts'

/** @spec JARM §2.3 */
export const jwtModes: readonly ResponseMode[] = [query, fragment, formPost].map((mode) =>
  defineResponseMode({ ...mode, name: `${mode.name}.jwt`, wraps: 'jwt' }),
)

/** Stands for the default of the response type, and never carries an answer under this name. @spec JARM §2.3.4 */
export const jwt = defineResponseMode({ ...fragment, name: 'jwt', wraps: 'jwt' })

/** The mode that a word means: `jwt` is that of the response type. */
export function meantMode(name: string, front: boolean): string {
  if (name !== jwt.name) return name
  return front ? `${fragment.name}.jwt` : `${query.name}.jwt`
}
