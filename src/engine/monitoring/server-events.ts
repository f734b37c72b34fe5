// What happens in the server beside commands and clients, for those who want to hear of it: modules and the program
// around it. Nobody listens as a rule, and then telling costs a comparison.

export type ServerEvent =
  | { readonly name: 'save'; readonly kind: 'rdb' | 'aof'; readonly state: 'started' | 'ended' | 'failed' }
  | { readonly name: 'load'; readonly state: 'started' | 'ended' }
  | { readonly name: 'databases-swapped'; readonly first: number; readonly second: number }
  | { readonly name: 'replica'; readonly id: number; readonly address: string; readonly state: 'online' | 'gone' }
  | { readonly name: 'primary-link'; readonly state: 'up' | 'down' }
  | { readonly name: 'cluster'; readonly state: 'ok' | 'fail' }

export class ServerEventHooks {
  readonly listeners: ((event: ServerEvent) => void)[] = []

  get isHeard(): boolean {
    return this.listeners.length !== 0
  }

  tell(event: ServerEvent): void {
    for (const listener of this.listeners) listener(event)
  }
}
