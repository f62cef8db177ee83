// `signetd run` with meshes that bindings name, and the one shared secret of PulseMesh's tests.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kSecret } from './pulse_client.mjs';
import { startBroker, temporaryFolder } from './harness.mjs';

const kToken = 'operator-token-of-this-test-0123456789';

export async function runBoundBroker(t, bindings, meshes, set = {}) {
  const folder = temporaryFolder();
  const file = join(folder, 'signet.toml');
  writeFileSync(file, `[server]\nlisten = ["127.0.0.1:0"]\nbindings = ${JSON.stringify(bindings)}\n` +
                      meshes.map((slug) => `[[mesh]]\nslug = "${slug}"\n`).join(''));
  const broker = await startBroker(t, { command: ['run', '--config', file], data: join(folder, 'data'), set,
                                        env: { SIGNET_PULSEMESH_SECRET: kSecret, SIGNET_ADMIN_TOKEN: kToken } });
  broker.operator_token = kToken;
  return broker;
}
