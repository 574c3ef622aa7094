/**
 * Owns the writing connection to a database file. What is written at the same moment is committed together, with one sync to the disk
 * for all of it, and nobody is answered before that. Each statement and each transaction still holds or fails by itself.
 */
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult, SqliteDatabase } from 'kysely'

/** The part of SQLite that is needed here. */
export interface WritingDatabase extends SqliteDatabase {
  /** True between `begin` and the end of what was begun, however that came. */
  readonly inTransaction: boolean
}

/** Everything that is committed by one sync. */
interface Group {
  readonly committed: Promise<void>
  resolve(): void
  reject(error: unknown): void
}

/** Somebody who waits for a transaction to end: for a transaction of his own, or with one statement. */
interface Waiting {
  readonly transaction: boolean
  go(): void
}

type Run = (connection: Connection, query: CompiledQuery) => Promise<QueryResult<never>>

/** One caller's view of the one connection there is. */
class Connection implements DatabaseConnection {
  /** The group that its transaction is part of, while it has one. */
  within: Group | undefined
  readonly #run: Run

  constructor(run: Run) {
    this.#run = run
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#run(this, query) as Promise<QueryResult<Row>>
  }

  // biome-ignore lint/correctness/useYield: nothing is read in pieces here
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Rows are not read in pieces')
  }
}

export function groupCommitDriver(sqlite: WritingDatabase): Driver {
  let group: Group | undefined
  /** A transaction is under way, or about to be; what comes meanwhile stands in line. */
  let held = false
  let overdue = false
  const line: Waiting[] = []

  const command = (text: string) => void sqlite.prepare(text).run([])

  function open(): Group {
    if (group !== undefined) return group
    command('begin immediate')
    group = newGroup()
    // By then everything that is ready now has had its turn.
    setImmediate(() => {
      if (held) overdue = true
      else commit()
    })
    return group
  }

  function commit(): void {
    overdue = false
    const ending = group
    group = undefined
    if (ending === undefined) return
    try {
      command('commit')
      ending.resolve()
    } catch (error) {
      if (sqlite.inTransaction) command('rollback')
      ending.reject(error)
    }
  }

  /** A disk that is full or fails ends the whole transaction, and with it everything that was to be committed. */
  function loseGroup(error: unknown): void {
    if (group === undefined || sqlite.inTransaction) return
    const lost = group
    group = undefined
    lost.reject(error)
  }

  function letGo(): void {
    held = false
    if (overdue) commit()
    for (let next = line.shift(); next !== undefined; next = line.shift()) {
      held = next.transaction
      next.go()
      if (held) return
    }
  }

  function perform({ sql, parameters }: CompiledQuery): QueryResult<never> {
    try {
      const prepared = sqlite.prepare(sql)
      if ((prepared as { readonly readonly?: boolean }).readonly !== true) open()
      if (prepared.reader) return { rows: prepared.all(parameters) as never[] }
      return { rows: [], numAffectedRows: BigInt(prepared.run(parameters).changes) }
    } catch (error) {
      loseGroup(error)
      throw error
    }
  }

  async function run(connection: Connection, query: CompiledQuery): Promise<QueryResult<never>> {
    if (connection.within !== undefined) {
      if (connection.within !== group) throw new Error('The database has ended the transaction')
      return perform(query)
    }
    if (!held) return answer(query)
    // Its turn is the moment between two transactions, so it is carried out right then.
    return new Promise((resolve, reject) => {
      line.push({ transaction: false, go: () => void answer(query).then(resolve, reject) })
    })
  }

  /** Nothing is said before it is on the disk; a read, too, may have seen what is not there yet. */
  async function answer(query: CompiledQuery): Promise<QueryResult<never>> {
    const result = perform(query)
    await group?.committed
    return result
  }

  function end(connection: DatabaseConnection): Group | undefined {
    if (!(connection instanceof Connection)) return undefined
    const { within } = connection
    connection.within = undefined
    return within
  }

  return {
    async init() {},
    acquireConnection: async () => new Connection(run),
    async beginTransaction(connection) {
      if (held) await new Promise<void>((resolve) => line.push({ transaction: true, go: resolve }))
      held = true
      try {
        const own = open()
        command('savepoint one')
        if (connection instanceof Connection) connection.within = own
      } catch (error) {
        loseGroup(error)
        letGo()
        throw error
      }
    },
    async commitTransaction(connection) {
      const own = end(connection)
      if (own === undefined) return
      try {
        if (own !== group) throw new Error('The database has ended the transaction')
        command('release one')
      } catch (error) {
        loseGroup(error)
        throw error
      } finally {
        letGo()
      }
      await own.committed
    },
    async rollbackTransaction(connection) {
      const own = end(connection)
      if (own === undefined) return
      try {
        if (own === group) {
          command('rollback to one')
          command('release one')
        }
      } finally {
        letGo()
      }
    },
    async releaseConnection() {},
    async destroy() {
      commit()
      sqlite.close()
    },
  }
}

function newGroup(): Group {
  let resolve: () => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const committed = new Promise<void>((kept, broken) => {
    resolve = kept
    reject = broken
  })
  // Where every member has failed by itself, nobody waits for the rest.
  committed.catch(() => undefined)
  return { committed, resolve, reject }
}
