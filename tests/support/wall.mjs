// A tenant with one of everything, all of it called "walled", and a stranger from another tenant who
// asks every operation for it. A new operation with an id in its path needs a value for the id here.

import assert from 'node:assert/strict';

import { JsonAgent } from './json_agent.mjs';
import { eventually } from './processes.mjs';

export class Wall {
    // Needs --open-registration true.
    static async build(controlPlane, { name = 'stranger' } = {}) {
        const wall = new Wall();
        const { owner } = controlPlane;
        wall.controlPlane = controlPlane;
        wall.agent = await JsonAgent.start(controlPlane, { name: 'walled-vm' });
        wall.token = await controlPlane.enrollmentToken({ name: 'walled-token' });
        wall.key = await controlPlane.must('POST', '/v1/auth/keys', { name: 'walled-key' });
        wall.stranger = await controlPlane.register(name);
        wall.strangersAgent = await JsonAgent.start(controlPlane, { name: 'strangers-vm', as: wall.stranger });
        await controlPlane.get('/v1/vms', { as: owner, headers: { 'x-request-id': 'walled-request' } });
        wall.values = {
            tenantId: owner.tenantId, userId: owner.id, agentId: wall.agent.agentId, vmId: wall.agent.vmId,
            tokenId: wall.token.id, key_id: wall.key.id, section: 'os', requestId: 'walled-request',
            session_id: (await controlPlane.must('GET', '/v1/auth/me')).credentialId,
            entryId: await eventually('there is an entry', async () =>
                (await controlPlane.must('GET', `/v1/audit?subject=${wall.key.id}`)).items[0]?.id),
        };
        const { paths } = (await controlPlane.get('/v1/openapi.json')).json;
        wall.operations = Object.entries(paths).flatMap(([template, methods]) => Object.entries(methods)
            .filter(([, { operationId }]) => operationId)
            .map(([method, { operationId }]) => ({ id: operationId, method: method.toUpperCase(), template })));
        return wall;
    }

    get bodies() {
        return {
            'agents.update': { name: 'mine now' },
            'agents.heartbeat': {
                sequence: 1, bootId: '', agentVersion: '1', capabilities: [], holdSeconds: 0, hashes: [], telemetry: [],
                spoolDroppedSamples: 0, goodbye: '', serverIncarnation: '', executor: 'ok',
            },
            'agents.key.put': {
                publicKey: 'A'.repeat(43), formerKeyId: 'A'.repeat(16), signature: 'A'.repeat(86), proof: 'A'.repeat(86),
            },
            'agents.inventory.put': {
                content: 'GgA', signedAt: new Date().toISOString(), keyId: 'A'.repeat(16), signature: 'A'.repeat(86),
            },
            'tenants.update': { name: 'mine now' },
            'tenants.members.add': { userId: this.stranger.id, role: 'owner' },
            'tenants.members.update': { role: 'viewer' },
            'vms.watch': {},
        };
    }

    // Those that name something of the tenant's.
    get attacks() { return this.operations.filter(({ template }) => template.includes('{')); }
    // Those that list what the caller's own tenant has.
    get lists() { return this.operations.filter(({ method, template }) => method === 'GET' && !template.includes('{') && !template.includes('.json')); }

    // What the stranger gets who asks for what is behind the wall.
    attack({ id, method, template }) {
        const queries = { 'tenants.delete': '?confirm=main-street' };
        const path = template.replace(/\{(\w+)\}/g, (_, name) => this.values[name] ?? assert.fail(`no value for ${name}: make one in wall.mjs`));
        const isAgents = /agentId\}\/(heartbeat|inventory|key)/.test(template);
        return this.controlPlane.call(method, path + (queries[id] ?? ''), {
            as: isAgents ? this.strangersAgent : this.stranger, body: this.bodies[id],
        });
    }

    // Whether an answer to the stranger has something from behind the wall.
    shows(text) {
        const { tenantId, userId, agentId, vmId, tokenId, key_id, session_id, entryId } = this.values;
        return ['walled', tenantId, userId, agentId, vmId, tokenId, key_id, session_id, entryId].find((thing) => text.includes(thing));
    }
}
