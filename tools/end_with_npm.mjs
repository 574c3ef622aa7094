// @ts-check
/** Owns not outliving npm: it passes a signal on to its shell only, and what the shell runs would go on unseen. */

const LOOK_EVERY_MS = 500

/** Ends this process as SIGTERM would, once the shell that npm started it in is gone. */
export function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return
  const shell = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, LOOK_EVERY_MS)
  timer.unref()
}
