// Lets a web app of this folder act in Node: its settings come as JSON, what it saw goes back as JSON.
import { text } from "node:stream/consumers";

const [app, act] = process.argv.slice(2);
const { [act]: does } = await import(`./${app}.mjs`);
process.stdout.write(JSON.stringify(await does(JSON.parse(await text(process.stdin)))));
