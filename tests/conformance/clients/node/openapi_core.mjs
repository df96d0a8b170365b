// Driver of the vendor's current Node core, @alicloud/openapi-core, by its generic call.
// Variants: v3, and v1 (signatureAlgorithm "v2", which is what it calls RPC v1).

import { createRequire } from 'node:module';
import { Refusal, run } from './driver.mjs';

const require = createRequire(import.meta.url);
const { default: Client, $OpenApiUtil: models, OpenApiUtil } = require('@alicloud/openapi-core');
const { RuntimeOptions } = require('@darabonba/typescript');

function connect(account, variant) {
  const client = new Client(
    new models.Config({
      accessKeyId: account.accessKeyId,
      accessKeySecret: account.accessKeySecret,
      endpoint: account.endpoint,
      protocol: 'http',
      signatureAlgorithm: variant === 'v1' ? 'v2' : undefined,
    }),
  );
  return async (action, version, parameters) => {
    const params = new models.Params({
      action,
      version,
      protocol: 'HTTP',
      pathname: '/',
      method: 'POST',
      authType: 'AK',
      style: 'RPC',
      reqBodyType: 'formData',
      bodyType: 'json',
    });
    const request = new models.OpenApiRequest({ query: OpenApiUtil.query(parameters) });
    try {
      return (await client.callApi(params, request, new RuntimeOptions({}))).body;
    } catch (error) {
      if (error.statusCode === undefined) throw error;
      throw new Refusal({
        status: error.statusCode,
        code: error.code,
        message: error.message,
        request_id: error.requestId,
      });
    }
  };
}

await run(connect);
