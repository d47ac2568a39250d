// A web app on aws-amplify 6. Reads its settings as JSON, lives from sign-in to sign-out, prints what it saw as JSON.
import { forward } from "./clock.mjs";
import { text } from "node:stream/consumers";
import { Amplify } from "aws-amplify";
import { confirmSignIn, fetchAuthSession, fetchUserAttributes, getCurrentUser, signIn, signOut } from "aws-amplify/auth";
import { cognitoUserPoolsTokenProvider } from "aws-amplify/auth/cognito";

const settings = JSON.parse(await text(process.stdin));
const { username, password, wrong_password } = settings;
const refused = async (attempt) => attempt.then(() => null, ({ name, message }) => ({ name, message }));

Amplify.configure({
  Auth: {
    Cognito: {
      userPoolId: settings.user_pool_id,
      userPoolClientId: settings.client_id,
      userPoolEndpoint: settings.endpoint,
    },
  },
});
// What a browser's tabs share.
let kept = {};
cognitoUserPoolsTokenProvider.setKeyValueStorage({
  setItem: async (key, value) => void (kept[key] = value),
  getItem: async (key) => kept[key] ?? null,
  removeItem: async (key) => void delete kept[key],
  clear: async () => void (kept = {}),
});
const tokens = async (options) => {
  const session = await fetchAuthSession(options);
  return {
    access: String(session.tokens.accessToken),
    id: String(session.tokens.idToken),
    refresh: Object.entries(kept).find(([key]) => key.endsWith(".refreshToken"))[1],
  };
};

const seen = { refusals: {}, tokens: {} };
seen.refusals.password = await refused(signIn({ username, password: wrong_password }));
let { isSignedIn, nextStep } = await signIn({ username, password });
seen.asked = nextStep.signInStep;
if (!isSignedIn) {
  seen.refusals.code = await refused(confirmSignIn({ challengeResponse: settings.wrong_code }));
  ({ isSignedIn, nextStep } = await confirmSignIn({ challengeResponse: settings.code }));
}
seen.signed_in = isSignedIn;
seen.user = await getCurrentUser();
seen.tokens.first = await tokens();

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
process.stdout.write(JSON.stringify(seen));
