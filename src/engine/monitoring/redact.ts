// Redact: replaces passwords in a command's arguments before they are logged.

import { equalsNoCase } from '../../lib/bytes.ts'
import { Slice } from '../../lib/slice.ts'
import type { TableEntry } from '../catalog/table.ts'
import type { Engine } from '../engine.ts'

const REDACTED = Slice.of('(redacted)')

/** args[0 .. argc) with secrets replaced; not copied. */
export function withoutSecrets(engine: Engine, entry: TableEntry, args: readonly Slice[], argc: number): Slice[] {
  const shown = args.slice(0, argc)
  const hide = (from: number, to = from + 1) => {
    for (let i = from; i < to && i < argc; i++) shown[i] = REDACTED
  }
  switch (entry.fullName) {
    case 'auth':
      hide(1, argc)
      break
    case 'hello':
      for (let i = 2; i < argc; i++) if (equalsNoCase(args[i], 'auth')) hide(i + 1, i + 3)
      break
    case 'migrate':
      for (let i = 6; i < argc; i++) {
        if (equalsNoCase(args[i], 'auth')) hide(i + 1)
        else if (equalsNoCase(args[i], 'auth2')) hide(i + 1, i + 3)
        else if (equalsNoCase(args[i], 'keys')) break
      }
      break
    case 'config|set':
      for (let i = 2; i + 1 < argc; i += 2) if (engine.configuration?.isSensitive(args[i].latin1())) hide(i + 1)
      break
    case 'acl|setuser':
    case 'acl|getuser':
    case 'acl|deluser':
      hide(2, argc)
  }
  return shown
}
