// node-saml as applications of one identity provider, told on stdin: what each of them does its path says.
import { createServer } from 'node:http'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { SAML } from '@node-saml/node-saml'

const [line] = await new Promise(done => createInterface({ input: process.stdin }).once('line', text => done([text])))
const { port, entityId, sso, slo, idpCert, key, cert } = JSON.parse(line)
const issuer = `http://127.0.0.1:${port}`
const signs = { privateKey: key, signatureAlgorithm: 'sha256', publicCerts: cert }
const ways = {
  unsigned: { validateInResponseTo: 'never' },
  signed: signs,
  encrypted: { ...signs, decryptionPvk: key, decryptionCert: cert },
  begun: { ...signs, validateInResponseTo: 'ifPresent' },
}
const applications = Object.fromEntries(Object.entries(ways).map(([way, { publicCerts, decryptionCert, ...more }]) => {
  const itself = `${issuer}/${way}`
  const saml = new SAML({
    validateInResponseTo: 'always',
    ...more,
    issuer: itself,
    callbackUrl: `${itself}/acs`,
    logoutCallbackUrl: `${itself}/slo`,
    entryPoint: sso,
    logoutUrl: slo,
    idpCert,
    idpIssuer: entityId,
    identifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  })
  const metadata = saml.generateServiceProviderMetadata(decryptionCert ?? null, publicCerts ?? null)
  return [way, { saml, metadata, sessions: new Map() }]
}))

async function body (request) {
  const parts = []
  for await (const part of request) parts.push(part)
  return Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString()))
}

const steps = {
  metadata: ({ metadata }, _, response) => response.end(metadata),
  login: async ({ saml }, { url }, response) => {
    redirect(response, await saml.getAuthorizeUrlAsync(url.searchParams.get('page') ?? '', undefined, {}))
  },
  acs: async ({ saml, sessions }, { way, request }, response) => {
    const given = await body(request)
    const { profile } = await saml.validatePostResponseAsync(given)
    const session = randomUUID()
    sessions.set(session, profile)
    response.setHeader('Set-Cookie', `${way}=${session}; Path=/${way}/; HttpOnly; SameSite=Lax`)
    redirect(response, `${issuer}/${way}/${given.RelayState ?? ''}`)
  },
  logout: async ({ saml, sessions }, { session }, response) => {
    redirect(response, await saml.getLogoutUrlAsync(sessions.get(session), 'done', {}))
  },
  slo: async ({ saml, sessions }, { url, session }, response) => {
    const given = Object.fromEntries(url.searchParams)
    const { profile, loggedOut } = await saml.validateRedirectAsync(given, url.search.slice(1))
    const known = sessions.get(session)
    const isTheirs = !profile || (profile.nameID === known?.nameID && profile.sessionIndex === known?.sessionIndex)
    if (!loggedOut || !isTheirs) throw new Error('nobody to sign out')
    sessions.delete(session)
    if (!profile) return response.end('signed out')
    redirect(response, await saml.getLogoutResponseUrlAsync(profile, given.RelayState, {}, true))
  },
}

function redirect (response, url) {
  response.writeHead(303, { Location: url }).end()
}

function home ({ sessions }, { session }, response) {
  const profile = sessions.get(session)
  if (!profile) return response.writeHead(401).end('nobody')
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify(profile))
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, issuer)
  const [, way, step] = url.pathname.split('/')
  const session = request.headers.cookie?.match(new RegExp(`${way}=([^;]+)`))?.[1]
  try {
    await (steps[step] ?? home)(applications[way], { way, url, request, session }, response)
  } catch (problem) {
    response.writeHead(400).end(problem.message)
  }
})
server.listen(port, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ issuer })}\n`))
