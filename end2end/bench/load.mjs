// A load generator that costs little: one prepared HTTP/1.1 request over sockets that stay open, answers counted by
// their length.
import { connect } from "node:net";

/** A request as bytes. */
export function prepared({ method = "POST", port, path, headers = {}, body = "" }) {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, "content-length": String(body.length), ...headers });
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`);
}

/** The bytes of the first whole answer in `text`; 0 while it is not there. */
function lengthOf(text) {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return 0;
  const announced = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head + 2));
  if (announced) return text.length >= head + 4 + Number(announced[1]) ? head + 4 + Number(announced[1]) : 0;
  const end = text.indexOf("\r\n0\r\n\r\n", head);
  return end < 0 ? 0 : end + 7;
}

/**
 * Asks from `clients` sockets for `milliseconds`, each again as soon as it is answered.
 * @returns answers a second, and the 50th and 99th percentile in milliseconds.
 */
export async function load({ port, request, clients = 64, milliseconds = 5_000 }) {
  const times = [];
  const refusals = new Map();
  const from = performance.now();
  const until = from + milliseconds;
  const client = () =>
    new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1").setNoDelay(true).setEncoding("latin1");
      let begun = 0;
      let text = "";
      const ask = () => ((begun = performance.now()), socket.write(request));
      socket.on("connect", ask).on("error", reject).on("close", () => resolve(undefined));
      socket.on("data", (more) => {
        text += more;
        const length = lengthOf(text);
        if (length === 0) return;
        const status = text.slice(9, 12);
        text = text.slice(length);
        if (status === "200") times.push(performance.now() - begun);
        else refusals.set(status, (refusals.get(status) ?? 0) + 1);
        if (performance.now() < until) ask();
        else socket.end();
      });
    });
  await Promise.all(Array.from({ length: clients }, client));
  if (refusals.size > 0) throw new Error(`not every answer was 200: ${JSON.stringify([...refusals])}`);
  const seconds = (performance.now() - from) / 1_000;
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { rate: times.length / seconds, p50: at(0.5), p99: at(0.99) };
}
