// A module of Redstart. Its commands are the server's as soon as it is loaded: clients, scripts and ACL rules know them.

import { type Commands, defineModule } from 'redstart/module'

const myModule = defineModule({
  name: 'my-module',
  version: 1,
  apiVersion: 1,
  config: { step: { kind: 'integer', initial: 1, min: 1 } },
  commands: [
    {
      name: 'my-module.next',
      arity: 2,
      flags: 'write denyoom fast',
      keys: 'RW ACCESS UPDATE @1',
      summary: 'Adds the step to a counter and returns its value.',
      args: 'key#0',
      run: ctx => Number(ctx.call('INCRBY', ctx.args[1], Number(ctx.config('step')))),
    },
  ],
})

export default myModule

/** Arguments and replies of the commands, for applications. */
export type MyCommands = Commands<typeof myModule>
