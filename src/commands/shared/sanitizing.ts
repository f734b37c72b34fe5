// sanitize-dump-payload, for payloads that clients restore.

import type { Context } from '../../engine/context.ts'

/** Whether the payload is checked to its last byte, and not only its checksum. */
export function isSanitized({ settings, client }: Pick<Context, 'settings' | 'client'>): boolean {
  if (settings.sanitizeDumpPayload !== 'clients') return settings.sanitizeDumpPayload === 'yes'
  return client.user?.skipsSanitizing === false
}
