// For authors of modules: commands written in TypeScript.
//
//   import { defineModule } from 'redstart/module'
//   export default defineModule({ name: 'hello', version: 1, apiVersion: 1, commands: [...] })

export { addCommands, nodeRedisModules } from './modules/clients.ts'
export {
  type Borrowed,
  type CallOptions,
  type CallReply,
  type ChannelUse,
  CommandError,
  type CommandFilter,
  defineModule,
  type FilteredCommand,
  type FilterOptions,
  type KeyEvent,
  type KeyWait,
  type LoginAnswer,
  MODULE_API_VERSION,
  type ModuleClient,
  type ModuleCommand,
  type ModuleContext,
  type ModuleDefinition,
  type ModuleLogin,
  type ModuleParameter,
  type ModuleReply,
  type ModuleServer,
  type ModuleWord,
  type ParameterValue,
  type PlainWord,
  type RedstartModule,
  type RepliedCommand,
  type ReplyFilter,
  reply,
  type ServerEventName,
  type ServerEvents,
  type TypedReply,
  type WaitOptions,
} from './modules/definition.ts'
export type {
  BuiltInKeys,
  HashKey,
  ListKey,
  SetKey,
  SortedSetKey,
  StreamKey,
  StreamKeyEntry,
  StringOptions,
  WritableHashKey,
  WritableKeys,
  WritableListKey,
  WritableSetKey,
  WritableSortedSetKey,
  WritableStreamKey,
} from './modules/key-definition.ts'
export {
  defineType,
  type ModuleType,
  type TypeDefinition,
  type TypedKey,
  type TypeInput,
  type TypeOutput,
} from './modules/type-definition.ts'
export type { CommandMethods, Commands, NodeRedisCommand, NodeRedisModules, ReplyOf } from './modules/typed.ts'
