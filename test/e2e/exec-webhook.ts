/**
 * An admission webhook that gives every exec request an id, as that of the security-profiles-operator
 * does: it puts `env VARIABLE=ID` before the command, and the API server writes the id to its audit
 * log. The path of a request is the name of the variable. Arguments: port, certificate, key.
 */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';

interface Review {
  readonly request: {
    readonly uid: string;
    readonly object: { readonly command: readonly string[] };
  };
}

const [port = '', certificate = '', key = ''] = process.argv.slice(2);

createServer(
  { cert: readFileSync(certificate), key: readFileSync(key) },
  async (request, response) => {
    const { request: asked } = JSON.parse(await text(request)) as Review;
    const variable = new URL(request.url ?? '', 'https://webhook').pathname.slice(1);
    const command = ['env', `${variable}=${asked.uid}`, ...asked.object.command];
    const patch = [{ op: 'replace', path: '/command', value: command }];
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: {
          uid: asked.uid,
          allowed: true,
          patchType: 'JSONPatch',
          patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
          auditAnnotations: { [variable]: asked.uid },
        },
      }),
    );
  },
).listen(Number(port), '127.0.0.1');
