// A web app on amazon-cognito-identity-js 6. Reads its settings as JSON, lives from sign-in to sign-out, prints what it
// saw as JSON. This library refreshes by InitiateAuth alone, so its app is one without rotation.
import { forward } from "./clock.mjs";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";

const settings = JSON.parse(await text(process.stdin));
const refused = async (attempt) => attempt.then(() => null, ({ name, message }) => ({ name, message }));

const kept = {};
const Storage = {
  setItem: (key, value) => (kept[key] = value),
  getItem: (key) => kept[key],
  removeItem: (key) => delete kept[key],
  clear: () => Object.keys(kept).forEach((key) => delete kept[key]),
};
const Pool = new CognitoUserPool({
  UserPoolId: settings.user_pool_id,
  ClientId: settings.client_id,
  endpoint: `${settings.endpoint}/`,
  Storage,
});
const enter = (Password) => {
  const user = new CognitoUser({ Username: settings.username, Pool, Storage });
  const details = new AuthenticationDetails({ Username: settings.username, Password });
  return new Promise((resolve, reject) =>
    user.authenticateUser(details, {
      onSuccess: () => resolve({ user, asked: "DONE" }),
      onFailure: reject,
      totpRequired: (asked) => resolve({ user, asked }),
    }),
  );
};
const answer = (user, code) =>
  new Promise((onSuccess, onFailure) => user.sendMFACode(code, { onSuccess, onFailure }, "SOFTWARE_TOKEN_MFA"));
const tokens = (session) => ({
  access: session.getAccessToken().getJwtToken(),
  id: session.getIdToken().getJwtToken(),
  refresh: session.getRefreshToken().getToken(),
});
const session = (user) => promisify(user.getSession).call(user);
const refresh = (user, token) => promisify(user.refreshSession).call(user, token);

const seen = { refusals: {}, tokens: {} };
seen.refusals.password = await refused(enter(settings.wrong_password));
const { user, asked } = await enter(settings.password);
seen.asked = asked;
if (asked !== "DONE") {
  seen.refusals.code = await refused(answer(user, settings.wrong_code));
  await answer(user, settings.code);
}
const first = await session(user);
seen.signed_in = first.isValid();
seen.user = { username: user.getUsername(), userId: first.getIdToken().payload.sub };
seen.tokens.first = tokens(first);
seen.tokens.forced = tokens(await refresh(user, first.getRefreshToken()));

// The page is opened again after a while.
forward(settings.minutes);
const back = Pool.getCurrentUser();
seen.tokens.after_expiry = tokens(await session(back));
const attributes = await promisify(back.getUserAttributes).call(back);
seen.attributes = Object.fromEntries(attributes.map((attribute) => [attribute.getName(), attribute.getValue()]));

if (settings.everywhere) {
  await new Promise((onSuccess, onFailure) => back.globalSignOut({ onSuccess, onFailure }));
} else {
  await promisify(back.signOut).call(back);
}
seen.kept = Object.keys(kept);
seen.signed_out = Pool.getCurrentUser() === null;
process.stdout.write(JSON.stringify(seen));
