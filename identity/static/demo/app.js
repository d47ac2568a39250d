// The sample app: sign in by code and PKCE, trade the ID token for AWS credentials, keep photos in S3.
// It knows nothing of Cognate beyond OpenID Connect, the cognito-identity API and S3.
import { AwsClient } from "../vendor/aws4fetch/aws4fetch.esm.js";

const $ = (id) => document.getElementById(id);
const show = (id, on = true) => { $(id).hidden = !on; };

class Refused extends Error {
  constructor(code, message) { super(message || code); this.code = code; }
}

function say(id, text, kind = "") {
  $(id).textContent = text;
  $(id).className = kind || "soft";
}

function complain(text) {
  $("problem").textContent = text;
  show("problem", Boolean(text));
}

/** Call an operation of the identity pools' API. */
async function identity(config, operation, body) {
  const answer = await fetch(`${config.base_url}/`, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `AWSCognitoIdentityService.${operation}`,
    },
    body: JSON.stringify(body),
  });
  const found = await answer.json();
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

/** The bucket, as these credentials may use it. */
class Bucket {
  constructor(config, granted) {
    this.root = `${config.aws_endpoint_url}/${config.bucket}`;
    this.client = new AwsClient({
      accessKeyId: granted.AccessKeyId,
      secretAccessKey: granted.SecretKey,
      sessionToken: granted.SessionToken,
      service: "s3",
      region: config.region,
      retries: 0,
    });
  }

  async request(path, init) {
    const answer = await this.client.fetch(`${this.root}${path}`, init);
    if (!answer.ok) {
      const code = /<Code>([^<]+)<\/Code>/.exec(await answer.text());
      throw new Refused(code ? code[1] : `HTTP ${answer.status}`);
    }
    return answer;
  }

  key(name) { return `/${name.split("/").map(encodeURIComponent).join("/")}`; }
  put(name, body, type) { return this.request(this.key(name), { method: "PUT", body, headers: { "content-type": type } }); }
  get(name) { return this.request(this.key(name)); }

  async list(prefix) {
    const answer = await this.request(`?list-type=2&prefix=${encodeURIComponent(prefix)}`);
    const found = new DOMParser().parseFromString(await answer.text(), "text/xml");
    return [...found.querySelectorAll("Contents > Key")].map((node) => node.textContent);
  }
}

async function showPhotos(bucket, home) {
  const keys = (await bucket.list(home)).filter((key) => !key.endsWith("/"));
  show("empty", keys.length === 0);
  const items = await Promise.all(keys.map(async (key) => {
    const image = document.createElement("img");
    const name = key.slice(home.length).replace(/^\d+-/, "");
    image.alt = name;
    image.src = URL.createObjectURL(await (await bucket.get(key)).blob());
    const caption = document.createElement("figcaption");
    caption.textContent = name;
    const figure = document.createElement("figure");
    figure.append(image, caption);
    const item = document.createElement("li");
    item.append(figure);
    return item;
  }));
  $("photos").replaceChildren(...items);
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
  const granted = await credentials(config, user.id_token);
  const home = `${granted.identityId}/`;
  $("identity-id").textContent = granted.identityId;
  $("access-key").textContent = granted.AccessKeyId;
  $("expires").textContent = new Date(granted.Expiration * 1000).toLocaleString();
  const bucket = new Bucket(config, granted);
  say("status", "");
  $("upload").addEventListener("submit", (event) => {
    event.preventDefault();
    upload(bucket, home);
  });
  $("try-stranger").addEventListener("click", () => tryStranger(config, bucket));
  await showPhotos(bucket, home);
}

async function upload(bucket, home) {
  const file = $("photo").files[0];
  if (!file) return;
  complain("");
  say("status", `Uploading ${file.name}…`);
  try {
    await bucket.put(`${home}${Date.now()}-${file.name}`, await file.arrayBuffer(), file.type || "application/octet-stream");
    $("upload").reset();
    await showPhotos(bucket, home);
    say("status", `${file.name} is stored.`, "good");
  } catch (problem) {
    say("status", `${file.name} was not stored: ${problem.message}`, "bad");
  }
}

async function tryStranger(config, bucket) {
  const stranger = `${config.region}:00000000-0000-4000-8000-000000000000/note.txt`;
  try {
    await bucket.put(stranger, "hello", "text/plain");
    say("stranger-answer", config.aws_is_demo && !config.aws_enforces
      ? "It was allowed, because this storage checks nothing. With a real one it is refused."
      : "It was allowed. That is wrong: check the role's policy.", "bad");
  } catch (problem) {
    say("stranger-answer", `Refused by the storage (${problem.message}), as it should be.`, "good");
  }
}

async function asGuest(config) {
  say("guest-answer", "Asking for a guest's credentials…");
  try {
    const granted = await credentials(config, null);
    const bucket = new Bucket(config, granted);
    let listing = "may list";
    try { await bucket.list(`${granted.identityId}/`); } catch (problem) { listing = `may not list (${problem.message})`; }
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
    : `STS and S3 are a stand-in (moto) at ${config.aws_endpoint_url}: it stores photos but checks nothing, neither tokens nor rules. Install Ceph's radosgw to see rules enforced.`;
}

function about(config) {
  $("about-aws").textContent = aboutAws(config);
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
  const config = await (await fetch("/demo/config.json")).json();
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
