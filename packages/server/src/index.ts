/** The authorization server as a program: configuration, HTTP, hosted pages, mails. Owns the only place where everything is put together. */
export { type Config, ConfigError, loadConfig } from './config.ts'
export { StartError } from './listen.ts'
export { openLog } from './log.ts'
export { type RunningServer, type Surroundings, startServer } from './main.ts'
