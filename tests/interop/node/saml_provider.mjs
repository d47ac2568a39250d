// samlp as an identity provider that asks nobody anything: whoever comes is Ada. How it signs, the path says.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import samlp from 'samlp'

const [line] = await new Promise(done => createInterface({ input: process.stdin }).once('line', text => done([text])))
const { port, key, cert } = JSON.parse(line)
const issuer = `http://127.0.0.1:${port}`
const ada = {
  id: 'ada',
  displayName: 'Ada Lovelace',
  emails: [{ value: 'ada@corp.example' }],
  name: { givenName: 'Ada', familyName: 'Lovelace' },
  roles: ['analyst', 'poet & translator'],
}
const ways = {
  '/assertion': { signAssertion: true },
  '/response': { signAssertion: false, signResponse: true },
  '/both': { signAssertion: true, signResponse: true },
}

function signIn (way, request, response, next) {
  samlp.parseRequest(request, {}, (problem, asked) => {
    if (problem) return next(problem)
    const where = asked.assertionConsumerServiceURL
    samlp.auth({
      ...ways[way],
      issuer,
      key,
      cert,
      destination: where, // of what it would put there by itself, the audience is one
      recipient: where,
      sessionIndex: '_of_ada',
      getUserFromRequest: () => ada,
      getPostURL: (_audience, _dom, _request, done) => done(null, where),
    })(request, response, next)
  })
}

const server = createServer((request, response) => {
  const url = new URL(request.url, issuer)
  request.query = Object.fromEntries(url.searchParams)
  request.originalUrl = request.url
  request.protocol = 'http'
  response.set = (name, value) => response.setHeader(name, value)
  response.send = body => response.end(typeof body === 'number' ? String(body) : body)
  const next = problem => { response.statusCode = 500; response.end(String(problem)) }
  const way = url.pathname.replace(/\/metadata$/, '')
  if (!ways[way]) return next('not there')
  if (way !== url.pathname) return samlp.metadata({ issuer, cert, redirectEndpointPath: way, postEndpointPath: way })(request, response)
  signIn(way, request, response, next)
})
server.listen(port, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ issuer })}\n`))
