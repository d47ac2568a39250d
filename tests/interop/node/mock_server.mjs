// oauth2-mock-server as an upstream provider: it approves at once, and forges as the client's name tells it to.
import { createInterface } from 'node:readline'
import { OAuth2Server } from 'oauth2-mock-server'

const [line] = await new Promise(done => createInterface({ input: process.stdin }).once('line', text => done([text])))
const { port } = JSON.parse(line)
const server = new OAuth2Server()
await server.issuer.keys.generate('RS256', { kid: 'known' })
await server.start(port, '127.0.0.1')

const now = () => Math.floor(Date.now() / 1000)
const forgeries = {
  aud: token => { token.payload.aud = ['somebody'] },
  azp: token => { token.payload.azp = 'somebody' },
  iss: token => { token.payload.iss = 'https://elsewhere.example' },
  nonce: token => { token.payload.nonce = 'other' },
  expired: token => { token.payload.exp = now() - 120 },
  future: token => { token.payload.iat = now() + 120 },
  sub: token => { delete token.payload.sub },
  at_hash: token => { token.payload.at_hash = 'other' },
  kid: token => { token.header.kid = 'unknown' },
}
let forging = ''
server.service.on('beforeTokenSigning', (token, request) => {
  forging = request.body.client_id
  if (!('scope' in token.payload)) forgeries[forging]?.(token)
})
server.service.on('beforeResponse', response => {
  if (forging === 'none') delete response.body.id_token
  if (forging === 'down') response.statusCode = 503
  if (forging === 'denied') { response.statusCode = 400; response.body = { error: 'invalid_grant' } }
})
server.service.on('beforeUserinfo', response => {
  if (forging === 'userinfo') response.body = { sub: 'somebody-else' }
})
process.stdout.write(`${JSON.stringify({ issuer: server.issuer.url })}\n`)
