// A web app on aws-amplify 6: lives from sign-in to sign-out, and returns what it saw.
import { forward } from "./clock.mjs";
import { Amplify } from "aws-amplify";
import { confirmSignIn, fetchAuthSession, fetchUserAttributes } from "aws-amplify/auth";
import { getCurrentUser, signIn, signOut } from "aws-amplify/auth";
import { cognitoUserPoolsTokenProvider } from "aws-amplify/auth/cognito";

const refused = async (attempt) => attempt.then(() => null, ({ name, message }) => ({ name, message }));

// What a browser's tabs share.
let kept = {};
const storage = {
  setItem: async (key, value) => void (kept[key] = value),
  getItem: async (key) => kept[key] ?? null,
  removeItem: async (key) => void delete kept[key],
  clear: async () => void (kept = {}),
};

const tokens = async (options) => {
  const session = await fetchAuthSession(options);
  return {
    access: String(session.tokens.accessToken),
    id: String(session.tokens.idToken),
    refresh: Object.entries(kept).find(([key]) => key.endsWith(".refreshToken"))[1],
  };
};

const configure = ({ endpoint, user_pool_id, client_id }) => {
  Amplify.configure({
    Auth: { Cognito: { userPoolId: user_pool_id, userPoolClientId: client_id, userPoolEndpoint: endpoint } },
  });
  cognitoUserPoolsTokenProvider.setKeyValueStorage(storage);
};

export const live = async ({ username, password, ...settings }) => {
  configure(settings);
  const seen = { refusals: {}, tokens: {} };

  seen.refusals.password = await refused(signIn({ username, password: settings.wrong_password }));
  let { isSignedIn, nextStep } = await signIn({ username, password });
  seen.asked = nextStep.signInStep;
  if (!isSignedIn) {
    seen.refusals.code = await refused(confirmSignIn({ challengeResponse: settings.wrong_code }));
    ({ isSignedIn } = await confirmSignIn({ challengeResponse: settings.code }));
  }
  seen.signed_in = isSignedIn;
  seen.user = await getCurrentUser();
  seen.tokens.first = await tokens();

  // Two tabs refresh at once: the second knows nothing yet of what the first was given.
  const other_tab = { ...kept };
  seen.tokens.forced = await tokens({ forceRefresh: true });
  const this_tab = kept;
  kept = other_tab;
  seen.tokens.other_tab = await tokens({ forceRefresh: true });
  kept = this_tab;
  seen.tokens.forced_again = await tokens({ forceRefresh: true });

  forward(settings.minutes);
  seen.tokens.after_expiry = await tokens();
  seen.attributes = await fetchUserAttributes();

  await signOut({ global: settings.everywhere });
  seen.kept = Object.keys(kept);
  seen.signed_out = (await refused(getCurrentUser()))?.name === "UserUnAuthenticatedException";
  return seen;
};

export const accept_invitation = async ({ username, password, new_password, ...settings }) => {
  configure(settings);
  const { nextStep } = await signIn({ username, password });
  const { isSignedIn } = await confirmSignIn({ challengeResponse: new_password });
  return { asked: nextStep.signInStep, signed_in: isSignedIn, user: await getCurrentUser() };
};
