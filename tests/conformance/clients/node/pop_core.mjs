// Driver of the vendor's older Node core, @alicloud/pop-core. Variants: get, post (everything in the form body).

import { createRequire } from 'node:module';
import { Refusal, run } from './driver.mjs';

const { RPCClient } = createRequire(import.meta.url)('@alicloud/pop-core');

function connect(account, variant) {
  return async (action, version, parameters) => {
    const client = new RPCClient({
      accessKeyId: account.accessKeyId,
      accessKeySecret: account.accessKeySecret,
      endpoint: `http://${account.endpoint}`,
      apiVersion: version,
    });
    try {
      return await client.request(action, parameters, { method: variant.toUpperCase() });
    } catch (error) {
      if (error.data === undefined) throw error;
      throw new Refusal({
        status: error.entry.response.statusCode,
        code: error.code,
        message: error.data.Message,
        request_id: error.data.RequestId,
      });
    }
  };
}

await run(connect);
