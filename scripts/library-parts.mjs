// The parts of the package's library that are loaded when a server first needs them, so that the import is quick.

/** Lists of commands that most tests never use. */
export const COMMANDS = [
  'commands/bitmap/index.ts',
  'commands/cluster/index.ts',
  'commands/generic/dump.ts',
  'commands/generic/migrate.ts',
  'commands/generic/sort/index.ts',
  'commands/geo/index.ts',
  'commands/hyperloglog/index.ts',
  'commands/replication/index.ts',
  'commands/server/acl.ts',
  'commands/server/command/index.ts',
  'commands/server/debug/index.ts',
  'commands/server/latency/index.ts',
  'commands/server/memory/index.ts',
  'commands/server/module.ts',
  'commands/server/monitor.ts',
  'commands/server/save.ts',
  'commands/server/shutdown.ts',
  'commands/server/slowlog.ts',
  'commands/stream/index.ts',
]

/** The doors of each part: modules whose exports are functions, classes that are constructed, or lists of commands. */
export const PARTS = {
  commands: COMMANDS,
  scripting: ['scripting/lua-engine.ts', 'scripting/js/js-engine.ts'],
  cluster: ['server/assembly/cluster-mode.ts', 'embed/cluster.ts'],
  optional: [
    'client/primary-link.ts',
    'embed/rest.ts',
    'embed/worker-server.ts',
    'persistence/aof/base-writer.ts',
    'persistence/aof/loader.ts',
    'persistence/copy-sink.ts',
    'persistence/rdb-file.ts',
    'persistence/snapshot-job.ts',
    'persistence/snapshot-writer.ts',
    'replication/dataset-intake.ts',
    'server/hidden-server.ts',
    'server/http/endpoint.ts',
    'server/metrics/pauses.ts',
    'server/metrics/scrape.ts',
    'server/migration-target.ts',
    'server/rest/api.ts',
    'storage/checkpoints.ts',
    'storage/cold-store.ts',
    'storage/compactor.ts',
    'storage/faults.ts',
    'storage/index-changes.ts',
    'storage/spiller.ts',
    'storage/value-log.ts',
    'system/virtual.ts',
  ],
}

/** Functions of modules of Node that are loaded when one is called. */
export const LATE_BUILTINS = {
  'node:child_process': ['spawn', 'spawnSync'],
  'node:tls': ['connect', 'createSecureContext', 'createServer'],
}
