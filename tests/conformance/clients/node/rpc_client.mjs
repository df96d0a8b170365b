// Driver of the vendor's @alicloud/rpc-client, the Node edition of the "tea-rpc" core that the Terraform provider uses.
// Variants: form (business parameters in the body, as Terraform sends them), query.

import { createRequire } from 'node:module';
import { Refusal, run } from './driver.mjs';

const require = createRequire(import.meta.url);
const { default: Client, Config } = require('@alicloud/rpc-client');
const { RuntimeOptions } = require('@alicloud/tea-util');

function connect(account, variant) {
  const client = new Client(
    new Config({
      accessKeyId: account.accessKeyId,
      accessKeySecret: account.accessKeySecret,
      endpoint: account.endpoint,
      protocol: 'http',
      regionId: 'cn-hangzhou',
    }),
  );
  return async (action, version, parameters) => {
    const [query, body] = variant === 'form' ? [{}, parameters] : [parameters, {}];
    const runtime = new RuntimeOptions({ autoretry: false });
    try {
      return await client.doRequest(action, 'HTTP', 'POST', version, 'AK', query, body, runtime);
    } catch (error) {
      if (error.data === undefined) throw error;
      // This client adds "Error" to the code and packs status, message and request id into one text.
      const [, status, message, requestId] = /^\S+: code: (\d+), (.*) requestid: (\S+)$/s.exec(error.message);
      throw new Refusal({
        status: Number(status),
        code: error.code.replace(/Error$/, ''),
        message,
        request_id: requestId,
      });
    }
  };
}

await run(connect);
