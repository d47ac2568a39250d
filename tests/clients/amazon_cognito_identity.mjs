// A web app on amazon-cognito-identity-js 6: lives from sign-in to sign-out, and returns what it saw.
// This library refreshes by InitiateAuth alone, so its app is one without rotation.
import { forward } from "./clock.mjs";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";

const refused = async (attempt) => attempt.then(() => null, ({ name, message }) => ({ name, message }));
const promised = (call) =>
  new Promise((resolve, reject) => call((problem, value) => (problem ? reject(problem) : resolve(value))));

const kept = {};
const Storage = {
  setItem: (key, value) => (kept[key] = value),
  getItem: (key) => kept[key],
  removeItem: (key) => delete kept[key],
  clear: () => Object.keys(kept).forEach((key) => delete kept[key]),
};

const enter = (Pool, Username, Password) => {
  const user = new CognitoUser({ Username, Pool, Storage });
  return new Promise((resolve, onFailure) =>
    user.authenticateUser(new AuthenticationDetails({ Username, Password }), {
      onSuccess: () => resolve({ user, asked: "DONE" }),
      totpRequired: (asked) => resolve({ user, asked }),
      newPasswordRequired: (known, required) => resolve({ user, asked: "NEW_PASSWORD_REQUIRED", known, required }),
      onFailure,
    }),
  );
};
const answer = (user, code) =>
  new Promise((onSuccess, onFailure) => user.sendMFACode(code, { onSuccess, onFailure }, "SOFTWARE_TOKEN_MFA"));
const session = (user) => promised((done) => user.getSession(done));
const tokens = (given) => ({
  access: given.getAccessToken().getJwtToken(),
  id: given.getIdToken().getJwtToken(),
  refresh: given.getRefreshToken().getToken(),
});

const pool_of = ({ endpoint, user_pool_id, client_id }) =>
  new CognitoUserPool({ UserPoolId: user_pool_id, ClientId: client_id, endpoint: `${endpoint}/`, Storage });

export const live = async ({ username, password, ...settings }) => {
  const Pool = pool_of(settings);
  const seen = { refusals: {}, tokens: {} };

  seen.refusals.password = await refused(enter(Pool, username, settings.wrong_password));
  const { user, asked } = await enter(Pool, username, password);
  seen.asked = asked;
  if (asked !== "DONE") {
    seen.refusals.code = await refused(answer(user, settings.wrong_code));
    await answer(user, settings.code);
  }
  const first = await session(user);
  seen.signed_in = first.isValid();
  seen.user = { username: user.getUsername(), userId: first.getIdToken().payload.sub };
  seen.tokens.first = tokens(first);
  seen.tokens.forced = tokens(await promised((done) => user.refreshSession(first.getRefreshToken(), done)));

  // The page is opened again after a while.
  forward(settings.minutes);
  const back = Pool.getCurrentUser();
  seen.tokens.after_expiry = tokens(await session(back));
  const attributes = await promised((done) => back.getUserAttributes(done));
  seen.attributes = Object.fromEntries(attributes.map((attribute) => [attribute.getName(), attribute.getValue()]));

  if (settings.everywhere) {
    await new Promise((onSuccess, onFailure) => back.globalSignOut({ onSuccess, onFailure }));
  } else {
    await promised((done) => back.signOut(done));
  }
  seen.kept = Object.keys(kept);
  seen.signed_out = Pool.getCurrentUser() === null;
  return seen;
};

export const accept_invitation = async ({ username, password, new_password, ...settings }) => {
  const { user, asked, known, required } = await enter(pool_of(settings), username, password);
  const entered = await new Promise((onSuccess, onFailure) =>
    user.completeNewPasswordChallenge(new_password, {}, { onSuccess, onFailure }),
  );
  const { sub } = entered.getIdToken().payload;
  return { asked, known, required, signed_in: entered.isValid(), user: { username: user.getUsername(), userId: sub } };
};
