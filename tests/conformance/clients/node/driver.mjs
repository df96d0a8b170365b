// The loop every Node driver shares: one JSON line in, one call through a client, one JSON line out.
//
// In: {action, version, parameters}, and access_key_id or access_key_secret where a call uses others than the
// environment names. Out: {ok: true, body} or {ok: false, status, code, message, request_id}, without what the client
// does not tell its caller.

import { createInterface } from 'node:readline';

/** A call that the service refused, as far as the client tells. */
export class Refusal extends Error {
  constructor(told) {
    super(told.code);
    this.told = told;
  }
}

/** Answer calls until the input ends; `connect(account, variant)` makes an async `call(action, version, parameters)`. */
export async function run(connect) {
  const variant = process.env.CONFORMANCE_VARIANT;
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    const account = {
      endpoint: process.env.CONFORMANCE_ENDPOINT,
      accessKeyId: request.access_key_id ?? process.env.CONFORMANCE_ACCESS_KEY_ID,
      accessKeySecret: request.access_key_secret ?? process.env.CONFORMANCE_ACCESS_KEY_SECRET,
    };
    let answer;
    try {
      const body = await connect(account, variant)(request.action, request.version, request.parameters);
      answer = { ok: true, body };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer = { ok: false, ...error.told };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0); // clients keep connections open
}
