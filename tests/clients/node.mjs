// Runs a web app of this folder in Node: its settings come as JSON, what it saw goes back as JSON.
import { text } from "node:stream/consumers";

const { live } = await import(`./${process.argv[2]}.mjs`);
process.stdout.write(JSON.stringify(await live(JSON.parse(await text(process.stdin)))));
