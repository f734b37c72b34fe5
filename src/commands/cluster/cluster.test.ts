import { conversation } from '../../../test/harness/conversation.ts'

const DISABLED = 'ERR This instance has cluster support disabled'

const LINES = [
  'READONLY',
  'READWRITE',
  'ASKING',
  'CLUSTER ADDSLOTS 1',
  'CLUSTER ADDSLOTSRANGE 1 2',
  'CLUSTER BUMPEPOCH',
  'CLUSTER COUNT-FAILURE-REPORTS node',
  'CLUSTER COUNTKEYSINSLOT 1',
  'CLUSTER DELSLOTS 1',
  'CLUSTER DELSLOTSRANGE 1 2',
  'CLUSTER FAILOVER',
  'CLUSTER FLUSHSLOTS',
  'CLUSTER FORGET node',
  'CLUSTER GETKEYSINSLOT 1 10',
  'CLUSTER HELP',
  'CLUSTER INFO',
  'CLUSTER KEYSLOT k',
  'CLUSTER LINKS',
  'CLUSTER MEET 127.0.0.1 7000',
  'CLUSTER MYID',
  'CLUSTER NODES',
  'CLUSTER REPLICAS node',
  'CLUSTER REPLICATE node',
  'CLUSTER RESET',
  'CLUSTER SAVECONFIG',
  'CLUSTER SET-CONFIG-EPOCH 1',
  'CLUSTER SETSLOT 1 STABLE',
  'CLUSTER SHARDS',
  'CLUSTER SLAVES node',
  'CLUSTER SLOTS',
]

conversation('a server that is no part of a cluster says so', async c => {
  for (const line of LINES) await c.expectError(line, DISABLED)
  await c.expectError('CLUSTER NOSUCH', "ERR unknown subcommand 'NOSUCH'. Try CLUSTER HELP.")
})

conversation(
  'so it has no shard',
  async c => {
    await c.expectError('CLUSTER MYSHARDID', DISABLED)
  },
  { since: '7.2' },
)

conversation('there are no modules', async c => {
  await c.expect('MODULE LIST', [])
  await c.expectError('MODULE LOAD /nosuch.so', /^ERR MODULE command not allowed\./)
  await c.expectError('MODULE LOADEX /nosuch.so', /^ERR MODULE command not allowed\./)
  await c.expectError('MODULE UNLOAD nosuch', /^ERR MODULE command not allowed\./)
  const help = (await c.do('MODULE HELP')) as string[]
  await c.expectWire('MODULE LIST', '*0\r\n')
  if (help.length !== 11) throw new Error(help.join('\n'))
})

conversation(
  'a module cannot be loaded',
  async c => {
    await c.expectError('MODULE LOAD /nosuch.so', 'ERR Error loading the extension. Please check the server logs.')
    await c.expectError('MODULE LOADEX /nosuch.so', 'ERR Error loading the extension. Please check the server logs.')
    await c.expectError('MODULE UNLOAD nosuch', 'ERR Error unloading module: no such module with that name')
  },
  { config: { 'enable-module-command': 'yes' } },
)
