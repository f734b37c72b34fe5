// Settings: the directives that the core reads while it works, as plain fields. Names, types and defaults are those of
// config/directives.ts; a server's Config keeps the fields equal to its values.

import { type ConfigFields, DIRECTIVES } from '../config/directives.ts'

/** A name that is no directive's field does not compile. */
export const SETTING_NAMES = [
  'databases',
  'requirepass',
  'maxclients',
  'timeout',
  'protoMaxBulkLen',
  'clientQueryBufferLimit',
  'clientOutputBufferLimit',
  'maxmemory',
  'maxmemoryPolicy',
  'maxmemorySamples',
  'lfuLogFactor',
  'lfuDecayTime',
  'hz',
  'activeExpireEffort',
  'lazyfreeLazyExpire',
  'lazyfreeLazyServerDel',
  'lazyfreeLazyUserDel',
  'lazyfreeLazyUserFlush',
  'lazyfreeLazyEviction',
  'hashMaxListpackEntries',
  'hashMaxListpackValue',
  'setMaxIntsetEntries',
  'setMaxListpackEntries',
  'setMaxListpackValue',
  'zsetMaxListpackEntries',
  'zsetMaxListpackValue',
  'listMaxListpackSize',
  'listCompressDepth',
  'hllSparseMaxBytes',
  'streamNodeMaxBytes',
  'streamNodeMaxEntries',
  'notifyKeyspaceEvents',
  'slowlogLogSlowerThan',
  'slowlogMaxLen',
  'latencyMonitorThreshold',
  'clusterEnabled',
  'clusterSlotStatsEnabled',
  'latencyTracking',
  'latencyTrackingInfoPercentiles',
  'maxmemoryEvictionTenacity',
  'maxmemoryClients',
  'trackingTableMaxKeys',
  'busyReplyThreshold',
  'enableDebugCommand',
  'enableModuleCommand',
  'aclfile',
  'acllogMaxLen',
  'aclPubsubDefault',
  'enableProtectedConfigs',
  'protectedMode',
  'sanitizeDumpPayload',
] as const satisfies readonly (keyof ConfigFields)[]

export type Settings = { -readonly [Name in (typeof SETTING_NAMES)[number]]: ConfigFields[Name] }

const INITIAL: ReadonlyMap<string, unknown> = new Map(
  DIRECTIVES.map(({ field, kind }) => [field, kind.field(kind.initial)]),
)
const DEFAULTS = SETTING_NAMES.map(name => [name, INITIAL.get(name)] as const)

/** Every field at its directive's default. */
export function defaultSettings(): Settings {
  return Object.fromEntries(DEFAULTS) as unknown as Settings
}
