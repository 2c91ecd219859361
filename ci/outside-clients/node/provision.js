// Registers one device by azure-iot-provisioning-device and prints what came of it as JSON.
//
//   node provision.js '{"transport": "http", "host": .., "scope": .., "registration_id": ..,
//                       "security": {"kind": "x509", "cert": FILE, "key": FILE}}'
'use strict';
const fs = require('fs');
const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
const { Http } = require('azure-iot-provisioning-device-http');
const { Mqtt, MqttWs } = require('azure-iot-provisioning-device-mqtt');
const { X509Security } = require('azure-iot-security-x509');
const { SymmetricKeySecurityClient } = require('azure-iot-security-symmetric-key');
const { TpmSecurityClient } = require('azure-iot-security-tpm');

const TRANSPORTS = { http: Http, mqtt: Mqtt, 'mqtt-ws': MqttWs };

function security(id, given) {
  switch (given.kind) {
    case 'x509':
      return new X509Security(id, {
        cert: fs.readFileSync(given.cert, 'utf8'),
        key: fs.readFileSync(given.key, 'utf8'),
      });
    case 'symmetric':
      return new SymmetricKeySecurityClient(id, given.key);
    case 'tpm':
      // Without /dev/tpm0 it talks to a software TPM at 127.0.0.1:2323.
      return new TpmSecurityClient(id);
    default:
      throw new Error(`no security client of kind ${given.kind}`);
  }
}

function report(result) {
  process.stdout.write(JSON.stringify(result) + '\n', () => process.exit(0));
}

const wanted = JSON.parse(process.argv[2]);
const transport = new TRANSPORTS[wanted.transport]();
const client = ProvisioningDeviceClient.create(
  wanted.host, wanted.scope, transport, security(wanted.registration_id, wanted.security));
if (wanted.payload) client.setProvisioningPayload(wanted.payload);
client.register((error, result) => {
  if (error) {
    const body = error.result && error.result.registrationState;
    report({
      ok: false,
      error: error.name,
      message: String(error.message),
      error_code: (body && body.errorCode) || (error.result && error.result.errorCode) || null,
    });
  } else {
    // With a TPM the client hands out the whole answer.
    const state = result.registrationState || result;
    report({
      ok: true, hub: state.assignedHub, device_id: state.deviceId,
      status: state.status, substatus: state.substatus, payload: state.payload || null,
    });
  }
});
