// The pub/sub commands: channels, patterns, shard channels.

import type { Command } from '../../engine/catalog/command.ts'
import { publishingCommands } from './publish.ts'
import { channelCommands } from './pubsub.ts'
import { subscribingCommands } from './subscribe.ts'

export const pubsubCommands: readonly Command[] = [...subscribingCommands, ...publishingCommands, ...channelCommands]
