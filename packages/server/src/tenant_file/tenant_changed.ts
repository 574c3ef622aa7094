/** Owns saying that a plan came too late. */

/** Somebody else changed the tenant between the plan and its execution. */
export class TenantChanged extends Error {
  override readonly name = 'TenantChanged'
  constructor() {
    super('The tenant was changed by somebody else meanwhile: apply the file again.')
  }
}
