// The bucket as temporary credentials may use it, and what its refusals mean to a person.
import { AwsClient } from "../vendor/aws4fetch/aws4fetch.esm.js";

const STALE = "The storage does not know this page's AWS credentials any more. Reload the page for new ones.";
const FAULT = "The storage has a fault of its own. Try again in a moment.";
const MEANINGS = {
  AccessDenied: "The rules of this storage do not allow it (AccessDenied); whoever runs the demo can change them.",
  EntityTooLarge: "It is larger than the storage takes at once (5 GB).",
  ExpiredToken: STALE,
  InternalError: FAULT,
  InvalidAccessKeyId: STALE,
  InvalidToken: STALE,
  NoSuchBucket: "The bucket is not there, or not yet. Reload the page in a moment; if it stays so, start the demo again.",
  NoSuchKey: "It is not in the storage any more.",
  RequestTimeTooSkewed: "This computer's clock is too far from the storage's. Set it, and try again.",
  ServiceUnavailable: FAULT,
  SlowDown: FAULT,
  Unreachable: "The storage does not answer. See that it runs and that this computer is online, and try again.",
};

/** What did not succeed: its code, and words for a person. */
export class Refused extends Error {
  constructor(code, message) {
    super(message || MEANINGS[code] || `The storage refused it (${code}). Try again, or tell whoever runs the demo.`);
    this.code = code;
  }
}

function refusal(status, text) {
  const code = /<Code>([^<]+)<\/Code>/.exec(text);
  return new Refused(code ? code[1] : `HTTP ${status}`);
}

/** The bucket, as these credentials may use it. */
export class Bucket {
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

  address(name) { return `${this.root}/${name.split("/").map(encodeURIComponent).join("/")}`; }

  /** Read all of an answer: a line that breaks half-way is a failure too. */
  async read(address, as) {
    let answer, found;
    try {
      answer = await this.client.fetch(address);
      found = await (answer.ok ? answer[as]() : answer.text());
    } catch {
      throw new Refused("Unreachable");
    }
    if (!answer.ok) throw refusal(answer.status, found);
    return found;
  }

  get(name) { return this.read(this.address(name), "blob"); }

  async list(prefix) {
    // Encoded, since a name may hold what XML cannot.
    const query = new URLSearchParams({ "list-type": "2", "encoding-type": "url", prefix });
    const text = await this.read(`${this.root}?${query.toString().replaceAll("+", "%20")}`, "text");
    const found = new DOMParser().parseFromString(text, "text/xml");
    const keys = [...found.querySelectorAll("Contents > Key")].map((node) => node.textContent);
    return found.querySelector("EncodingType") ? keys.map((key) => decodeURIComponent(key.replaceAll("+", " "))) : keys;
  }

  /** Store a body, and tell which part of it has gone. By XMLHttpRequest: fetch does not tell. */
  async put(name, body, type, tell = () => {}) {
    const signed = await this.client.sign(this.address(name), { method: "PUT", headers: { "content-type": type } });
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("PUT", signed.url);
      signed.headers.forEach((value, header) => request.setRequestHeader(header, value));
      request.upload.addEventListener("progress", (seen) => { if (seen.total) tell(seen.loaded / seen.total); });
      request.addEventListener("load", () => {
        if (request.status >= 200 && request.status < 300) resolve();
        else reject(refusal(request.status, request.responseText));
      });
      request.addEventListener("error", () => reject(new Refused("Unreachable")));
      request.addEventListener("abort", () => reject(new Refused("Unreachable")));
      request.send(body);
    });
  }
}
