/** Owns the list of commands, in the order of the help. */
import type { Command } from '../command.ts'
import { apply } from './apply.ts'
import { clients } from './clients.ts'
import { dev } from './dev.ts'
import { grants } from './grants.ts'
import { keys } from './keys.ts'
import { migrate } from './migrate.ts'
import { serve } from './serve.ts'
import { users } from './users.ts'
import { version } from './version.ts'

export const commands: readonly Command[] = [dev, serve, apply, migrate, keys, users, clients, grants, version]
