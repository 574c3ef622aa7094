;(() => {
  // Answers "client_id session_state" of the page around it with unchanged, changed or error.
  // The hash is made by hand: a page over plain http has no crypto.subtle, nor has a frame in it.
  const primes = []
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime)) primes.push(n)
  const fraction = (number) => ((number - Math.floor(number)) * 0x100000000) | 0
  const constants = primes.map((prime) => fraction(Math.cbrt(prime)))
  const turn = (word, by) => (word >>> by) | (word << (32 - by))

  const sha256 = (text) => {
    const bytes = [...new TextEncoder().encode(text)]
    const bits = bytes.length * 8
    bytes.push(0x80)
    while (bytes.length % 64 !== 56) bytes.push(0)
    for (let shift = 56; shift >= 0; shift -= 8) bytes.push(Math.floor(bits / 2 ** shift) & 0xff)
    const hash = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)))
    const words = []
    for (let start = 0; start < bytes.length; start += 64) {
      let [a, b, c, d, e, f, g, h] = hash
      for (let i = 0; i < 64; i++) {
        if (i < 16) {
          const at = start + i * 4
          words[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
        } else {
          const x = words[i - 15]
          const y = words[i - 2]
          const s0 = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)
          const s1 = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10)
          words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0
        }
        const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
        const one = (h + s1 + ((e & f) ^ (~e & g)) + constants[i] + words[i]) | 0
        const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
        const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
        h = g
        g = f
        f = e
        e = (d + one) | 0
        d = c
        c = b
        b = a
        a = (one + two) | 0
      }
      ;[a, b, c, d, e, f, g, h].forEach((word, i) => {
        hash[i] = (hash[i] + word) | 0
      })
    }
    return hash.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  }

  const browserState = () => {
    const name = `${location.protocol === 'https:' ? '__Host-' : ''}latchkey_state=`
    const pair = document.cookie.split('; ').find((one) => one.startsWith(name))
    return pair === undefined ? '' : pair.slice(name.length)
  }

  const answerTo = (message, origin) => {
    const [, client_id, hash, salt] = /^([^ ]+) ([0-9a-f]{64})\.([\w-]+)$/.exec(message) || []
    if (client_id === undefined) return 'error'
    const state = browserState()
    return state !== '' && sha256(`${client_id} ${origin} ${state} ${salt}`) === hash ? 'unchanged' : 'changed'
  }

  addEventListener('message', ({ data, origin, source }) => {
    if (typeof data !== 'string' || source === null || source === window || !/^https?:/.test(origin)) return
    source.postMessage(answerTo(data, origin), origin)
  })
})()
