// The sample app: sign in by code and PKCE, trade the ID token for AWS credentials, keep photos in S3.
// It knows nothing of Cognate beyond OpenID Connect, the cognito-identity API and S3.
import { $, complain, say, show } from "./page.js";
import { Photos } from "./photos.js";
import { Bucket, Refused } from "./storage.js";

/** Call an operation of the identity pools' API. */
async function identity(config, operation, body) {
  let answer, found;
  try {
    answer = await fetch(`${config.base_url}/`, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `AWSCognitoIdentityService.${operation}`,
      },
      body: JSON.stringify(body),
    });
    found = await answer.json();
  } catch {
    throw new Refused("Unreachable", `Cognate does not answer at ${config.base_url}.`);
  }
  if (!answer.ok) throw new Refused(found.__type, found.message);
  return found;
}

/** Trade a login (none for a guest) for an identity id and an hour of credentials. */
async function credentials(config, idToken) {
  const logins = idToken ? { Logins: { [config.provider]: idToken } } : {};
  const { IdentityId } = await identity(config, "GetId", { IdentityPoolId: config.identity_pool_id, ...logins });
  const found = await identity(config, "GetCredentialsForIdentity", { IdentityId, ...logins });
  return { identityId: found.IdentityId, ...found.Credentials };
}

function decoded(token) {
  const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(part), (character) => character.charCodeAt(0));
  return JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)), null, 2);
}

async function signedIn(config, manager, user) {
  $("who-name").textContent = user.profile.email ?? user.profile.sub;
  $("security").href = `${config.issuer}/account/mfa`;
  show("who");
  show("app");
  $("id-token").textContent = decoded(user.id_token);
  $("access-token").textContent = decoded(user.access_token);
  $("sign-out").addEventListener("click", async () => {
    await manager.removeUser();
    const query = new URLSearchParams({ client_id: config.client_id, logout_uri: config.logout_uri });
    location.assign(`${config.issuer}/logout?${query}`);
  });
  say("status", "Asking for AWS credentials…");
  let granted;
  try {
    granted = await credentials(config, user.id_token);
  } catch (problem) {
    say("status", "");
    complain(`No AWS credentials could be had, and so no photos are shown: ${problem.message} Reload the page to try again.`);
    return;
  }
  const home = `${granted.identityId}/`;
  $("identity-id").textContent = granted.identityId;
  $("access-key").textContent = granted.AccessKeyId;
  $("expires").textContent = new Date(granted.Expiration * 1000).toLocaleString();
  const bucket = new Bucket(config, granted);
  say("status", "");
  $("try-stranger").addEventListener("click", () => tryStranger(config, bucket));
  await new Photos(bucket, home).refresh();
}

async function tryStranger(config, bucket) {
  const stranger = `${config.region}:00000000-0000-4000-8000-000000000000/note.txt`;
  try {
    await bucket.put(stranger, "hello", "text/plain");
    say("stranger-answer", config.aws_is_demo && !config.aws_enforces
      ? "It was allowed, because this storage checks nothing. With a real one it is refused."
      : "It was allowed. That is wrong: check the role's policy.", "bad");
  } catch (problem) {
    if (problem.code === "AccessDenied") say("stranger-answer", "Refused by the storage (AccessDenied), as it should be.", "good");
    else say("stranger-answer", `It was not stored, but not because a rule refused it. ${problem.message}`, "bad");
  }
}

async function asGuest(config) {
  say("guest-answer", "Asking for a guest's credentials…");
  try {
    const granted = await credentials(config, null);
    const bucket = new Bucket(config, granted);
    let listing = "may list";
    try {
      await bucket.list(`${granted.identityId}/`);
    } catch (problem) {
      if (problem.code !== "AccessDenied") throw problem;
      listing = "may not list (AccessDenied)";
    }
    say("guest-answer", `You are guest ${granted.identityId}, with a role of your own that ${listing} the bucket.`);
  } catch (problem) {
    say("guest-answer", problem.message, "bad");
  }
}

function aboutAws(config) {
  if (!config.aws_endpoint_url) return "AWS itself answers for STS and S3.";
  if (!config.aws_is_demo) {
    return `Credentials come from the STS that this installation is configured with (STS_ENDPOINT_URL), at ${config.aws_endpoint_url}; photos go to S3 at the same address. Its own rules decide who gets in and what they may do: roles and bucket are its administrator's, the demo made none there.`;
  }
  return config.aws_enforces
    ? `STS and S3 are Ceph's gateway at ${config.aws_endpoint_url}: it checks each token's signature and enforces the roles' rules.`
    : `STS and S3 are a stand-in (moto) at ${config.aws_endpoint_url}: it keeps photos in memory until it is stopped, and checks nothing, neither tokens nor rules. Install Ceph's radosgw to see rules enforced.`;
}

function about(config) {
  $("about-aws").textContent = aboutAws(config);
  if (config.aws_is_demo && !config.aws_enforces) {
    $("stranger-about").textContent = "The same credentials, another identity's prefix. A real storage refuses this; the stand-in that runs here checks nothing and will allow it.";
  }
  const own = Boolean(config.aws_endpoint_url) && !config.aws_is_demo;
  if (own) {
    $("own-issuer").textContent = config.identity_issuer;
    $("own-audience").textContent = config.identity_pool_id;
    $("own-bucket").textContent = config.bucket;
    $("own-origin").textContent = location.origin;
  }
  show("about-own", own);
  show("about-mail", Boolean(config.mailbox_url));
}

async function start() {
  const config = await fetch("/demo/config.json").then((answer) => answer.json()).catch(() => {
    throw new Error("Cognate does not answer. See that it runs, and reload the page.");
  });
  if (!config.client_id) throw new Error("The sample is still being set up. Reload in a few seconds.");
  if (location.origin !== new URL(config.base_url).origin) {
    location.replace(`${config.base_url}/demo/`);
    return;
  }
  about(config);
  const manager = new oidc.UserManager({
    authority: config.issuer,
    client_id: config.client_id,
    redirect_uri: config.redirect_uri,
    response_type: "code",
    scope: "openid email profile",
    automaticSilentRenew: false,
    monitorSession: false,
    userStore: new oidc.WebStorageStateStore({ store: sessionStorage }),
    stateStore: new oidc.WebStorageStateStore({ store: sessionStorage }),
  });
  let user = null;
  if (location.pathname === "/demo/callback") {
    const arrived = new URLSearchParams(location.search);
    history.replaceState(null, "", "/demo/");
    if (arrived.has("code") && !arrived.has("state")) {
      // Whoever opened the login page by itself (hosted_login_url) is signed in there: begin as this page does.
      await manager.signinRedirect();
      return;
    }
    if (arrived.has("code") || arrived.has("error")) {
      user = await manager.signinCallback(`${config.redirect_uri}?${arrived}`);
    }
  }
  user ??= await manager.getUser();
  if (user && !user.expired) {
    await signedIn(config, manager, user);
    return;
  }
  show("welcome");
  $("sign-in").addEventListener("click", () => manager.signinRedirect().catch((problem) => complain(problem.message)));
  $("as-guest").addEventListener("click", () => asGuest(config));
}

start().catch((problem) => {
  say("status", "");
  complain(problem.message);
  if ($("app").hidden) show("welcome");
});
