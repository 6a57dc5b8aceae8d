// Why a request was answered as it was, told afterwards to who made it.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import { Cli } from '../support/command_line.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';

let controlPlane;
let owner;
let viewer;
before(async () => {
    controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true'] });
    ({ owner } = controlPlane);
    viewer = await controlPlane.register('vera');
    await controlPlane.must('POST', `/v1/tenants/${owner.tenantId}/members`, { userId: viewer.id, role: 'viewer' });
});
after(async () => { await controlPlane?.stop(); });

const explain = (id, options) => controlPlane.get(`/v1/requests/${id}/explain`, options);
const asViewer = () => ({ as: viewer, tenant: owner.tenantId });

test('a 403 says which scope was missing, and whom the caller was taken for', async () => {
    const path = `/v1/tenants/${owner.tenantId}`;
    const refused = await controlPlane.patch(path, { name: 'Mine' }, asViewer());
    assertProblem(refused, 403, 'auth.scope_missing');
    const answer = await explain(refused.json.requestId, asViewer());
    assert.equal(answer.status, 200, answer.text);
    const explanation = answer.json;
    assert.equal(explanation.status, 403);
    assert.equal(explanation.decidedBy, 'access');
    assert.equal(explanation.code, 'auth.scope_missing');
    assert.equal(explanation.scope, 'tenants.write');
    assert.equal(explanation.isScopeGranted, false);
    assert.equal(explanation.method, 'PATCH');
    assert.equal(explanation.path, path);
    assert.equal(explanation.operation, 'tenants.update');
    assert.equal(explanation.clientAddress, '127.0.0.1');
    assert.equal(explanation.caller.kind, 'user');
    assert.equal(explanation.caller.userId, viewer.id);
    assert.equal(explanation.caller.tenantId, owner.tenantId);
    assert.equal(explanation.caller.role, 'viewer');
    const { totalMicroseconds, ...parts } = explanation.times;
    assert.ok(totalMicroseconds > 0);
    assert.equal(Object.values(parts).reduce((sum, part) => sum + part, 0), totalMicroseconds);
});

test('what succeeded, and what the operation itself refused, can be explained too', async () => {
    const served = await controlPlane.get('/v1/vms', { as: owner, headers: { 'x-request-id': 'mine-1' } });
    assert.equal(served.status, 200);
    const good = (await explain('mine-1', { as: owner })).json;
    assert.equal(good.decidedBy, 'operation');
    assert.equal(good.code, null);
    assert.equal(good.isScopeGranted, true);
    const refused = await controlPlane.patch(`/v1/tenants/${owner.tenantId}`, { name: '' }, { as: owner });
    assert.equal(refused.status, 400);
    const bad = (await explain(refused.json.requestId, { as: owner })).json;
    assert.equal(bad.decidedBy, 'operation');
    assert.equal(bad.code, refused.json.code);
});

test('what an API key asked is explained to its user, and to nobody else', async () => {
    const { id, key } = await controlPlane.must('POST', '/v1/auth/keys', { name: 'ci' });
    const refused = await controlPlane.post('/v1/auth/keys', { name: 'more' }, { as: key });
    assertProblem(refused, 403, 'auth.sign_in_required');
    const { requestId } = refused.json;
    for (const as of [owner, key]) {
        const { caller } = (await explain(requestId, { as })).json;
        assert.equal(caller.kind, 'api_key');
        assert.equal(caller.credentialId, id);
    }
    assertProblem(await explain(requestId, asViewer()), 404, 'requests.not_found');
    const stranger = await controlPlane.register('sam');
    assertProblem(await explain(requestId, { as: stranger }), 404, 'requests.not_found');
});

test('a request without a valid credential is nobody\'s', async () => {
    const refused = await controlPlane.get('/v1/vms', { as: 'sk_sx_wrong' });
    assert.equal(refused.status, 401);
    assertProblem(await explain(refused.json.requestId, { as: owner }), 404, 'requests.not_found');
    assertProblem(await explain(refused.json.requestId, {}), 401, 'auth.credential_missing');
    assertProblem(await explain('x'.repeat(65), { as: owner }), 400);
});

test('synapsexctl leads from an error to its explanation', async () => {
    const cli = new Cli(controlPlane);
    assert.equal((await cli.login(viewer)).code, 0);
    const refused = await cli.run(['tokens', 'create', '--tenant', owner.tenantId]);
    assert.notEqual(refused.code, 0);
    const [, command] = /-> see who you were taken for: \S*synapsexctl (explain \S+)/.exec(refused.stderr) ?? [];
    assert.ok(command, refused.stderr);
    const explained = await cli.run(command.split(' '));
    assert.equal(explained.code, 0, explained.stderr);
    assert.match(explained.stdout, /Answer +403 auth\.scope_missing/);
    assert.match(explained.stdout, /Needs scope +enrollment_tokens\.write, which the credential does not have/);
    assert.match(explained.stdout, new RegExp(`Caller +session ses_\\S+ of user ${viewer.id}`));
    const [, id] = command.split(' ');
    const asJson = await cli.run(['explain', id, '--json']);
    assert.equal(JSON.parse(asJson.stdout).decidedBy, 'access');
    const unknown = await cli.run(['explain', 'req_unknown']);
    assert.equal(unknown.code, 4, unknown.stderr);
    assert.match(unknown.stderr, /older than half an hour/);
});
