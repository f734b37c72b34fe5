// Makes a module's commands known to clients of the application, with their types: ioredis and node-redis.
//
//   const redis = addCommands(new Redis(), limits)                      redis['cl.throttle']('user:1', 15, 30, 60)
//   const client = createClient({ modules: nodeRedisModules(limits) })  client.cl.throttle('user:1', 15, 30, 60)
//
// Always: neither client's package is needed; only facts of the module are read, it does not run in the application.

import type { ModuleCommand, PlainWord } from './definition.ts'
import type { CommandMethods, NodeRedisCommand, NodeRedisModules } from './typed.ts'

interface Definition {
  readonly name: string
  readonly commands?: readonly ModuleCommand[]
}

/** What both parsers of node-redis offer. */
interface Parser {
  push(...words: (string | Buffer)[]): void
  pushKey(key: string | Buffer): void
}

/** Adds a method for each command, to pipelines and transactions of the client too. Returns the client. */
export function addCommands<Client extends { addBuiltinCommand(name: string): void }, Module extends Definition>(
  client: Client,
  module: Module,
): Client & CommandMethods<Module> {
  for (const { name } of module.commands ?? []) client.addBuiltinCommand(name)
  return client as Client & CommandMethods<Module>
}

/** The option `modules` of node-redis' createClient() and createCluster(). */
export function nodeRedisModules<const Module extends Definition>(module: Module): NodeRedisModules<Module> {
  const groups = new Map<string, [name: string, command: NodeRedisCommand<PlainWord[], never>][]>()
  for (const command of module.commands ?? []) {
    const dot = command.name.indexOf('.')
    const group = dot < 0 ? module.name : command.name.slice(0, dot)
    const commands = groups.get(group) ?? []
    commands.push([command.name.slice(dot + 1), nodeRedisCommand(command)])
    groups.set(group, commands)
  }
  const modules = [...groups].map(([group, commands]) => [group, Object.fromEntries(commands)])
  return Object.fromEntries(modules) as NodeRedisModules<Module>
}

function nodeRedisCommand(command: ModuleCommand): NodeRedisCommand<PlainWord[], never> {
  const firstKey = firstKeyOf(command)
  return {
    FIRST_KEY_INDEX: firstKey,
    IS_READ_ONLY: command.flags.split(' ').includes('readonly'),
    transformArguments: (...args) => [command.name, ...args.map(sent)],
    parseCommand: (parser: Parser, ...args: PlainWord[]) => {
      parser.push(command.name)
      for (const [i, word] of args.entries()) {
        if (i + 1 === firstKey) parser.pushKey(sent(word))
        else parser.push(sent(word))
      }
    },
    transformReply: undefined as never,
  }
}

/** The position of the first key, counted from the command's name; undefined without keys. */
function firstKeyOf(command: ModuleCommand): number | undefined {
  const at = /@(\d+)/.exec(command.keys ?? '')
  return at === null ? undefined : Number(at[1])
}

function sent(word: PlainWord): string | Buffer {
  return word instanceof Uint8Array ? Buffer.from(word.buffer, word.byteOffset, word.byteLength) : String(word)
}
