// Starts a control plane of its own (SYNAPSEX_BIN says whose) with a tenant of 50 members, prints
// "<its url> <API key> <members' path> <API key of a tenant of the Free plan> <pid>" and ends with its
// standard input.

import { ControlPlane } from '../../support/control_plane.mjs';

const controlPlane = await ControlPlane.start({
    settings: ['--open-registration', 'true', ...process.argv.slice(2)],
});
const { owner } = controlPlane;
const members = `/v1/tenants/${owner.tenantId}/members`;
for (let i = 1; i < 50; ++i) {
    const { id } = await controlPlane.register(`member-${i}`);
    await controlPlane.must('POST', members, { userId: id, role: 'viewer' });
}
const { key } = await controlPlane.must('POST', '/v1/auth/keys', { name: 'bench' });
const free = await controlPlane.must('POST', '/v1/tenants', { name: 'Free' });
const limited = await controlPlane.must('POST', '/v1/auth/keys', { name: 'limited' }, { tenant: free.id });
console.log(`${controlPlane.url} ${key} ${members} ${limited.key} ${controlPlane.process.pid}`);
process.stdin.resume().once('end', async () => {
    await controlPlane.stop();
    process.exit();
});
