// Certificates for tests: an authority, and servers' certificates that it signs.

import { execFileSync } from 'node:child_process';
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from './processes.mjs';

const openssl = (...parameters) => execFileSync('openssl', parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export class Authority {
    constructor(name = 'Test authority') {
        this.folder = temporaryFolder();
        this.file = join(this.folder, 'ca.crt');
        this.key = join(this.folder, 'ca.key');
        openssl('req', '-x509', ...newKey, '-keyout', this.key, '-out', this.file, '-days', '30', '-subj', `/CN=${name}`);
    }

    // {certificate, key}: files for a server of these names; given again, they are renamed over.
    issue({ names = 'DNS:localhost,IP:127.0.0.1', days = 90, into = temporaryFolder() } = {}) {
        const at = (name) => join(into, name);
        openssl('req', '-new', ...newKey, '-keyout', at('fresh.key'), '-out', at('fresh.csr'), '-subj', '/CN=localhost');
        writeFileSync(at('names'), `subjectAltName=${names}\n`);
        openssl('x509', '-req', '-in', at('fresh.csr'), '-CA', this.file, '-CAkey', this.key, '-CAcreateserial',
            '-days', String(days), '-extfile', at('names'), '-out', at('fresh.crt'));
        chmodSync(at('fresh.key'), 0o600);
        renameSync(at('fresh.crt'), at('server.crt'));
        renameSync(at('fresh.key'), at('server.key'));
        return { certificate: at('server.crt'), key: at('server.key'), folder: into };
    }
}
