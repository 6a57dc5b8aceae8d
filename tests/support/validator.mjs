// @stoplight/prism-cli between a story and the control plane: it forwards every request of /v1 and
// holds request and answer against the OpenAPI document that the server serves. Stories run behind
// it with SYNAPSEX_TEST_VALIDATOR=1 (tests/interop/validated_stories.test.mjs); its package is
// tests/interop's.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { request } from './http.mjs';
import { eventually, freePort, Program, root, temporaryFolder } from './processes.mjs';

const prism = join(root, 'tests', 'interop', 'node_modules', '.bin', 'prism');

export class Validator {
    static isWanted = process.env.SYNAPSEX_TEST_VALIDATOR === '1';

    // `alter` may change the document: for whoever wants to see that differences are found.
    static async before(controlPlane, alter = () => {}) {
        const validator = new Validator();
        const file = join(temporaryFolder(), 'openapi.json');
        const document = (await request(`${controlPlane.url}/v1/openapi.json`)).json;
        alter(document);
        writeFileSync(file, JSON.stringify(document));
        const port = await freePort();
        validator.url = `http://127.0.0.1:${port}`;
        validator.program = new Program(
            process.execPath,
            [prism, 'proxy', file, controlPlane.url, '--host', '127.0.0.1', '--port', String(port), '--verboseLevel', 'error'],
            { name: 'prism' },
        );
        await eventually('prism listens', () => request(`${validator.url}/v1/auth/jwks.json`).then(() => true), { within: 60_000 });
        return validator;
    }

    found = [];
    count = 0;

    // What the server served although the document forbids to ask it, or answered although the
    // document does not know the answer.
    note(method, path, answer) {
        this.count += 1;
        // Their schema is that of each line: OpenAPI 3.1 has no word for lines, and prism reads one body.
        if (/ndjson/.test(answer.headers['content-type'])) return;
        const violations = JSON.parse(answer.headers['sl-violations'] ?? '[]');
        const told = violations
            .filter(({ location: [side], message }) => (side === 'response' || answer.status < 400) && message !== 'Selected route not found')
            .map(({ location, message }) => `${method} ${path} -> ${answer.status}: ${location.join('.')}: ${message}`);
        this.found.push(...told);
    }

    async end() {
        await this.program.end();
        assert.ok(this.count > 0, 'no request went through it');
        assert.deepEqual([...new Set(this.found)], [], 'server and OpenAPI document differ');
    }
}
