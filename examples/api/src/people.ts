/** Owns what this API remembers: the messages and contacts of each person, in memory, gone when the process ends. */

export interface Message {
  readonly id: string
  readonly text: string
  readonly created_at: string
}

export interface Contact {
  readonly id: string
  readonly name: string
  readonly email: string
}

interface Person {
  readonly messages: Message[]
  readonly contacts: Contact[]
}

/** How many people are remembered, and how many things of one kind for each; the oldest make room. */
const mostPeople = 1000
const mostThings = 100

export interface People {
  /** The person with this `sub`; a new one begins with something to look at. */
  find(sub: string): Person
  addMessage(sub: string, text: string): Message
  addContact(sub: string, contact: Omit<Contact, 'id'>): Contact
}

export function createPeople(): People {
  const people = new Map<string, Person>()
  let last = 0
  const nextId = () => String(++last)

  function find(sub: string): Person {
    const known = people.get(sub)
    if (known !== undefined) return known
    const person: Person = {
      messages: [{ id: nextId(), text: 'Welcome! This message came from the API.', created_at: now() }],
      contacts: [
        { id: nextId(), name: 'Ada Lovelace', email: 'ada@example.com' },
        { id: nextId(), name: 'Grace Hopper', email: 'grace@example.com' },
      ],
    }
    people.set(sub, person)
    makeRoom(people)
    return person
  }

  return {
    find,
    addMessage(sub, text) {
      const message = { id: nextId(), text, created_at: now() }
      append(find(sub).messages, message)
      return message
    },
    addContact(sub, { name, email }) {
      const contact = { id: nextId(), name, email }
      append(find(sub).contacts, contact)
      return contact
    },
  }
}

function append<Thing>(things: Thing[], thing: Thing): void {
  things.push(thing)
  if (things.length > mostThings) things.shift()
}

function makeRoom(people: Map<string, Person>): void {
  const [oldest] = people.keys()
  if (people.size > mostPeople && oldest !== undefined) people.delete(oldest)
}

function now(): string {
  return new Date().toISOString()
}
