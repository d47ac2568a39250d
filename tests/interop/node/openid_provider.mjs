// panva's oidc-provider as an upstream provider, with its own pages: told on stdin who its clients are, it says where it is.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import Provider from 'oidc-provider'

const [line] = await new Promise(done => createInterface({ input: process.stdin }).once('line', text => done([text])))
const { port, secret, callback } = JSON.parse(line)
const key = (kind, options, more) => ({ ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), ...more })
const client = (alg, more = {}) => ({
  client_id: alg,
  client_secret: secret,
  redirect_uris: [callback],
  token_endpoint_auth_method: 'client_secret_post',
  id_token_signed_response_alg: alg,
  ...more,
})
const issuer = `http://localhost:${port}`
const provider = new Provider(issuer, {
  clients: [client('RS256'), client('PS512'), client('ES256'), client('public', {
    client_secret: undefined,
    token_endpoint_auth_method: 'none',
    id_token_signed_response_alg: 'RS256',
  })],
  jwks: { keys: [
    key('rsa', { modulusLength: 2048 }, { kid: 'r1', use: 'sig' }),
    key('ec', { namedCurve: 'P-256' }, { kid: 'e1', use: 'sig' }),
  ] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], acr: null, auth_time: null },
  acrValues: ['urn:example:gold'],
  pkce: { required: () => true },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS512', 'ES256'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, email: `${id}@id.example`, email_verified: true, name: `${id} of interop` }),
  }),
})
provider.listen(port, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ issuer })}\n`))
