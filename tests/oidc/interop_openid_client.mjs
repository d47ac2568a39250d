// A relying party on openid-client 6: reads one JSON line of settings, walks the code flow, prints one JSON line.
import * as client from "openid-client";
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value);
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

const settings = await next();
const proof = {
  none: () => client.None(),
  basic: () => client.ClientSecretBasic(settings.client_secret),
  post: () => client.ClientSecretPost(settings.client_secret),
  unsaid: () => undefined, // as it registers
}[settings.proof ?? "unsaid"]();
const insecure = { execute: [client.allowInsecureRequests] };
const config = settings.registers
  ? await client.dynamicClientRegistration(new URL(settings.issuer), settings.registers, proof, {
      ...insecure, initialAccessToken: settings.token,
    })
  : await client.discovery(new URL(settings.issuer), settings.client_id, undefined, proof, insecure);

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
say({
  url: client.buildAuthorizationUrl(config, {
    redirect_uri: settings.redirect_uri,
    scope: "openid email",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  }).href,
});

const { returned } = await next();
const tokens = await client.authorizationCodeGrant(config, new URL(returned), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const claims = tokens.claims();
const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
await client.tokenRevocation(config, tokens.refresh_token);

const failures = {};
for (const [name, attempt] of Object.entries({
  revoked: () => client.refreshTokenGrant(config, tokens.refresh_token),
  dead: () => client.fetchUserInfo(config, fresh.access_token, claims.sub),
  replayed: () =>
    client.authorizationCodeGrant(config, new URL(returned), {
      pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce,
    }),
  wrong_secret: async () => {
    const wrong = await client.discovery(
      new URL(settings.issuer), config.clientMetadata().client_id, undefined, client.ClientSecretPost("wrong"),
      { execute: [client.allowInsecureRequests] },
    );
    return client.clientCredentialsGrant(wrong);
  },
})) {
  try {
    await attempt();
    failures[name] = null;
  } catch (error) {
    failures[name] = { code: error.code, error: error.error ?? error.cause?.[0]?.parameters?.error ?? null };
  }
}
const out = client.buildEndSessionUrl(config, {
  id_token_hint: tokens.id_token, post_logout_redirect_uri: settings.after_logout,
});
say({ client_id: config.clientMetadata().client_id, claims, info, refreshed: Boolean(fresh.access_token), failures, logout: out.href });
