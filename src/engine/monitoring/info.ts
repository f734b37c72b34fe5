// InfoSource: what a module contributes to INFO. The module owns its counters, says how each field is read, and how
// CONFIG RESETSTAT resets them. Order, titles and the list of all names: server/info-fields.ts.
//
//   module: { section: 'stats', fields: { pubsub_channels: () => … }, reset() } ─▶ server/info.ts ─▶ text
//
// Always: a field has one owner; it is read when INFO runs, never copied beforehand.

export type InfoValue = number | string
export type PutField = (name: string, value: InfoValue) => void

export interface InfoSource {
  readonly section: string
  /** How each field is read; undefined: it is not shown now. */
  readonly fields?: { readonly [name: string]: () => InfoValue | undefined }
  /** Fields whose names depend on the state; the key is their listed name, which ends with `*`. */
  readonly rows?: { readonly [name: string]: (put: PutField) => void }
  /** Called before the fields are read: computes what several of them share. */
  prepare?(): void
  /** CONFIG RESETSTAT. */
  reset?(): void
}

/** Replaces characters that would end a field name. */
export function safeName(name: string): string {
  return name.replace(/[#:\n\r]/g, '_')
}
