// A control plane on the test's side of a network: over TLS for the VMs, in clear for the test.
//
//     const plane = await network.controlPlane();
//     const { token } = await plane.enrollmentToken({ name: 'web-1' });  // for an agent with plane.vmUrl
//     await plane.online('web-1');
//
// Its programs are those of SYNAPSEX_BIN.

import { ControlPlane } from '../../support/control_plane.mjs';
import { eventually, program, temporaryFolder } from '../../support/processes.mjs';

const clearPort = 8080;  // on the loopback of the network's namespace

export class VmControlPlane extends ControlPlane {
    // `settings` are more flags of `serve`. With `certificate` (what Authority.issue() returns) it shows
    // that one instead of one of its own authority. With `isHidden` it is on loopback under a name that
    // no VM knows: whoever wants to reach it needs something on the test's side.
    static async start(network, {
        host = 'control.example', port = 8443, certificate, isHidden = false, settings = [], env = {},
    } = {}) {
        if (!isHidden) await network.call(host);
        const address = isHidden ? '127.0.0.1' : network.address;
        const controlPlane = new VmControlPlane({
            settings: [
                '--listen-tls', `${address}:${port}`, '--public-url', `https://${host}:${port}`,
                ...(certificate ? ['--tls-certificate', certificate.certificate, '--tls-key', certificate.key] : []),
                ...settings,
            ],
            folder: temporaryFolder(), env, port: clearPort,
        });
        controlPlane.network = network;
        controlPlane.vmUrl = `https://${host}:${port}`;
        controlPlane.url = `http://127.0.0.1:${await network.gate(clearPort, '127.0.0.1')}`;
        return controlPlane.begin();
    }

    run(parameters, options = {}) {
        return this.network.run(program('synapsex-controlplane'), parameters, { env: this.env, ...options });
    }
    launch(parameters) {
        return this.network.start(program('synapsex-controlplane'), parameters, { env: this.env, name: 'control plane' });
    }

    // The VM of this name as /v1 shows it.
    async vm(name) { return (await this.must('GET', `/v1/vms?name=${encodeURIComponent(name)}`)).items[0]; }

    // The same, once it is online.
    online(name, { within = 60_000 } = {}) {
        return eventually(`${name} is online`, async () => {
            const vm = await this.vm(name);
            return vm?.state === 'online' && vm;
        }, { within, every: 200 });
    }
}
