// One device by azure-iot-device and its service side by azure-iothub: connects, sends telemetry,
// gets and patches its twin, hears of a desired property, answers a direct method. Prints JSON.
//
//   node hub.js '{"transport": "mqtt", "hub": .., "device_id": .., "registry": FILE,
//                 "security": {"kind": "x509", "cert": FILE, "key": FILE}}'
'use strict';
const fs = require('fs');
const { Client, Message } = require('azure-iot-device');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');
const { Http } = require('azure-iot-device-http');
const { Registry, Client: ServiceClient } = require('azure-iothub');

const TRANSPORTS = { http: Http, mqtt: Mqtt, 'mqtt-ws': MqttWs };

const done = {};

// A client that never calls back ends the program without a word.
process.on('beforeExit', () => report(new Error('the client never called back')));

function report(error) {
  const failed = error ? { error: error.name, message: String(error.message) } : {};
  process.stdout.write(JSON.stringify({ ok: !error, done, ...failed }) + '\n', () => process.exit(0));
}

function deviceClient(wanted) {
  const start = `HostName=${wanted.hub};DeviceId=${wanted.device_id};`;
  const transport = TRANSPORTS[wanted.transport];
  if (wanted.security.kind === 'symmetric') {
    return Client.fromConnectionString(`${start}SharedAccessKey=${wanted.security.key}`, transport);
  }
  const client = Client.fromConnectionString(`${start}x509=true`, transport);
  client.setOptions({
    cert: fs.readFileSync(wanted.security.cert, 'utf8'),
    key: fs.readFileSync(wanted.security.key, 'utf8'),
  });
  return client;
}

// Where an answer never comes, what was done until then tells.
setTimeout(() => report(new Error('no answer within 35 s')), 35000).unref();

// The client subscribes behind the caller's back and does not say when it has.
function subscribed() {
  return new Promise((resolve) => setTimeout(resolve, 1500));
}

// A promise that an event handler keeps.
function once(subscribe) {
  return new Promise((resolve) => subscribe(resolve));
}

async function conversation(wanted) {
  const service = fs.readFileSync(wanted.registry, 'utf8').trim();
  const client = deviceClient(wanted);
  await client.open();
  done.connect = true;
  const message = new Message(JSON.stringify({ temperature: 21.5 }));
  message.contentType = 'application/json';
  message.contentEncoding = 'utf-8';
  message.properties.add('room', 'über & co');
  await client.sendEvent(message);
  done.telemetry = true;
  if (wanted.transport === 'http') {
    await client.close();
    return;
  }
  const registry = Registry.fromConnectionString(service);
  const twin = await client.getTwin();
  done.twin_get = twin.properties.desired.$version >= 1;
  await new Promise((resolve, reject) =>
    twin.properties.reported.update({ firmware: '1.0.0', gone: null }, (error) => (error ? reject(error) : resolve())));
  const seen = (await registry.getTwin(wanted.device_id)).responseBody;
  done.twin_reported = seen.properties.reported.firmware === '1.0.0';
  const desired = once((keep) => twin.on('properties.desired', (delta) => {
    // The client hands out what it has already when somebody begins to listen.
    if (delta.interval === 7) keep(delta);
  }));
  await subscribed();
  await registry.updateTwin(wanted.device_id, { properties: { desired: { interval: 7 } } }, '*');
  done.twin_desired = (await desired).interval === 7;
  client.onDeviceMethod('blink', (request, response) => response.send(207, { times: request.payload.times }));
  await subscribed();
  const answer = await ServiceClient.fromConnectionString(service)
    .invokeDeviceMethod(wanted.device_id, { methodName: 'blink', payload: { times: 3 }, responseTimeoutInSeconds: 10 });
  done.method = answer.result.status === 207 && answer.result.payload.times === 3;
  if (wanted.wait_for_message) {
    process.stderr.write('ready\n');
    const received = await once((keep) => client.on('message', (m) => client.complete(m, () => keep(m))));
    done.cloud_to_device = received.data.toString() === wanted.wait_for_message;
  }
  await client.close();
}

conversation(JSON.parse(process.argv[2])).then(() => report(), report);
