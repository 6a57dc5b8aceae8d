// An agent made of this file alone: it enrolls with a key of its own, signs assertions (RFC 7523)
// and speaks the agent protocol as JSON. With it a test can be late, wrong, or somebody else.

import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';

import { inventorySection } from './agent_protocol.mjs';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export const kSlotSeconds = 15;
export const slotOf = (milliseconds) => Math.floor(milliseconds / 1000 / kSlotSeconds);

export class JsonAgent {
    constructor(controlPlane, { name = 'json-vm' } = {}) {
        this.controlPlane = controlPlane;
        this.name = name;
        this.sequence = 0;
        this.bootId = randomUUID();
        const { publicKey, privateKey } = generateKeyPairSync('ed25519');
        this.privateKey = privateKey;
        this.publicKey = publicKey.export({ format: 'jwk' }).x;
    }

    // Enrolled and with an access token.
    static async start(controlPlane, { as = controlPlane.owner, ...options } = {}) {
        const agent = new JsonAgent(controlPlane, options);
        const { token } = await controlPlane.enrollmentToken({}, { as });
        const answer = await agent.enroll(token);
        assert.equal(answer.status, 201, answer.text);
        await agent.signIn();
        return agent;
    }

    async enroll(token, more = {}) {
        const answer = await this.controlPlane.post('/v1/agents/enroll', {
            token, name: this.name, publicKey: this.publicKey, bootId: this.bootId,
            agentVersion: '0.0.1', platform: 'linux', ...more,
        });
        if (answer.status === 201) Object.assign(this, {
            agentId: answer.json.agentId, vmId: answer.json.vmId, tenantId: answer.json.tenantId, issuer: answer.json.issuer,
        });
        return answer;
    }

    // A JWT; `claims` replaces members, undefined leaves one out.
    assertion({ claims = {}, header = {}, key = this.privateKey } = {}) {
        const now = Math.floor(Date.now() / 1000);
        const body = {
            iss: this.agentId, sub: this.agentId, aud: this.issuer, iat: now, exp: now + 60, jti: randomUUID(), ...claims,
        };
        const signed = `${encode({ alg: 'EdDSA', typ: 'JWT', ...header })}.${encode(body)}`;
        return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
    }

    exchange(assertion, more = {}) {
        const form = new URLSearchParams({
            grant_type: 'client_credentials',
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
            client_assertion: assertion,
            ...more,
        });
        return this.controlPlane.call('POST', '/v1/auth/token', {
            headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form.toString(),
        });
    }

    async signIn() {
        const answer = await this.exchange(this.assertion());
        assert.equal(answer.status, 200, answer.text);
        this.accessToken = answer.json.access_token;
    }

    // Holds for `holdSeconds`; the promise ends with the answer.
    heartbeat(more = {}, options = {}) {
        return this.controlPlane.post(`/v1/agents/${this.agentId}/heartbeat`, {
            sequence: ++this.sequence, bootId: this.bootId, agentVersion: '0.0.1', capabilities: [1],
            holdSeconds: 0, hashes: [], telemetry: [], spoolDroppedSamples: 0, goodbye: '', serverIncarnation: '',
            executor: 'ok', ...more,
        }, { as: this, within: 70_000, ...options });
    }

    sample(slot, more = {}) {
        return {
            slot, load1Centi: 123, load5Centi: 100, load15Centi: 50, cpuBusyPermille: 250, cpuIowaitPermille: 10,
            cpuStealPermille: 0, memoryTotalBytes: 2 ** 31, memoryAvailableBytes: 2 ** 30, swapTotalBytes: 0,
            swapUsedBytes: 0, diskReadBytesPerSecond: 1000, diskWriteBytesPerSecond: 2000,
            networkReceiveBytesPerSecond: 10, networkTransmitBytesPerSecond: 20, filesystemUsedPermilleMax: 500,
            processes: 99, uptimeSeconds: 1000, ...more,
        };
    }

    // `content` as messages of the agent protocol have it; `more` takes the place of what is right.
    putInventory(section, content, { key = this.privateKey, signedAt = Date.now(), ...more } = {}) {
        const bytes = inventorySection(content);
        const statement = [
            'synapsex-inventory-v1', this.agentId, section, signedAt * 1000, createHash('sha256').update(bytes).digest('hex'), '',
        ].join('\n');
        return this.controlPlane.put(`/v1/agents/${this.agentId}/inventory/${section}`, {
            content: bytes.toString('base64url'), signedAt: new Date(signedAt).toISOString(), keyId: keyIdOf(key),
            signature: sign(null, Buffer.from(statement), key).toString('base64url'), ...more,
        }, { as: this });
    }
    async report(section, content) {
        const answer = await this.putInventory(section, { [section]: content });
        assert.equal(answer.status, 204, answer.text);
    }
}

// The beginning of the RFC 7638 thumbprint.
function keyIdOf(key) {
    const { crv, kty, x } = createPublicKey(key).export({ format: 'jwk' });
    return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url').slice(0, 16);
}
