// Starts a control plane of its own (SYNAPSEX_BIN says whose), prints "<url of GET /v1/auth/me>
// <API key>" and ends with its standard input.

import { ControlPlane } from '../../support/control_plane.mjs';

const controlPlane = await ControlPlane.start({ settings: process.argv.slice(2) });
const { key } = await controlPlane.must('POST', '/v1/auth/keys', { name: 'bench' });
console.log(`${controlPlane.url}/v1/auth/me ${key}`);
process.stdin.resume().once('end', async () => {
    await controlPlane.stop();
    process.exit();
});
