/** Owns the limit of HTTP: bare `node:http` that sends a fixed body. */
import { createServer } from 'node:http'

const [port = '0', bytes = '1500'] = process.argv.slice(2)
const body = Buffer.alloc(Number(bytes), 'x')

createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}).listen(Number(port), '127.0.0.1')
