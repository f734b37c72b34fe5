/** Directives that Redis has not: hidden from CONFIG GET *, and explained in redstart.conf. */
export const OWN_DIRECTIVES: readonly string[] = [
  'audit-log',
  'cluster-slot-stats-enabled',
  'enable-js-functions',
  'metrics-bind',
  'metrics-port',
  'module-unknown-types',
  'primary-empty-guard',
  'rest-bind',
  'rest-port',
  'rest-token',
  'storage',
  'storage-max-bytes',
  'storage-memory',
  'storage-segment-size',
  'storage-value-max',
  'tls-auth-clients-user',
]
