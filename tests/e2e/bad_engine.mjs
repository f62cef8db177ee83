// What an engine can do wrong about its jobs, each way once. Everything here says the result
// kWrongResult: where a user hears that, a lie was believed.
import assert from 'node:assert/strict';
import { envelope, kEngineSecret, newNonce } from './hub_client.mjs';

export const kWrongResult = 'a lie';
const kMaxResultBytes = 65_536; // of the broker, by default
const kMaxPayload = 1_000_000; // of a packet

const about = (job, more = {}) => ({ job_id: job.job_id, lease: job.lease, timestamp: Date.now(), ...more });
const result = (job, more = {}) => about(job, { result: kWrongResult, ...more });
const signed = (payload) => (job) => envelope(payload(job));

// By who has the job, in the state `dispatched`: [name, event, what is said, why it is refused].
export const kLiesOfAHolder = [
  ['another secret', 'job_completed', (job) => envelope(result(job), { secret: `${kEngineSecret}x` }),
   'ENGINE_SIGNATURE_INVALID'],
  ['another payload than was signed', 'job_completed',
   (job) => envelope(about(job), { change: { payload: result(job) } }), 'ENGINE_SIGNATURE_INVALID'],
  ['nothing signed', 'job_completed', (job) => ({ payload: result(job), nonce: newNonce(), ts: Date.now() }),
   'ENGINE_PACKET_INCOMPLETE'],
  ['no envelope', 'job_completed', result, 'ENGINE_PACKET_INCOMPLETE'],
  ['an old packet', 'job_completed', (job) => envelope(result(job), { ts: Date.now() - 31_000 }),
   'ENGINE_TIMESTAMP_EXPIRED'],
  ['a lease in words', 'job_completed', signed((job) => result(job, { lease: String(job.lease) })),
   'ENGINE_PAYLOAD_INVALID'],
  ['a job by number', 'job_completed', signed((job) => result(job, { job_id: 7 })), 'ENGINE_PAYLOAD_INVALID'],
  ['two jobs at once', 'job_completed', signed((job) => result(job, { jobId: 'job_0' })), 'ENGINE_PAYLOAD_INVALID'],
  ['progress in words', 'job_progress', signed((job) => about(job, { progress: 'half' })), 'ENGINE_PAYLOAD_INVALID'],
  ['a huge result', 'job_completed', signed((job) => result(job, { result: kWrongResult.repeat(kMaxResultBytes / 4) })),
   'ENGINE_PAYLOAD_INVALID'],
  ['a lease to come', 'job_completed', signed((job) => result(job, { lease: job.lease + 1 })), 'JOB_LEASE_STALE'],
  ['a job that there is not', 'job_completed', signed((job) => result(job, { job_id: 'job_0' })), 'JOB_UNKNOWN'],
  ['an end without a beginning', 'job_completed', signed(result), 'JOB_TRANSITION_INVALID'],
  ['progress of what has not begun', 'job_progress', signed((job) => about(job, { progress: 99 })),
   'JOB_TRANSITION_INVALID'],
];

// By an engine that never had it, or has it no more.
export const kLiesOfAStranger = [
  ['under its lease', 'job_completed', signed(result), /^JOB_(UNKNOWN|LEASE_STALE)$/],
  ['without a lease', 'job_completed', signed((job) => result(job, { lease: undefined })), /^JOB_(UNKNOWN|LEASE_STALE)$/],
  ['that it failed', 'job_failed', signed((job) => about(job, { error: kWrongResult })), /^JOB_(UNKNOWN|LEASE_STALE)$/],
  ['of a job that there is not', 'job_completed', signed((job) => result(job, { job_id: 'job_0' })), 'JOB_UNKNOWN'],
  ['under another secret', 'job_completed', (job) => envelope(result(job), { secret: `${kEngineSecret}x` }),
   'ENGINE_SIGNATURE_INVALID'],
];

// Says them one by one; each is refused for its own reason. `engine` is a HubSocket.
export async function tellLies(engine, job, lies) {
  for (const [name, event, said, why] of lies) {
    const { reason } = await engine.ask(event, said(job), `${event}_rejected`);
    if (why instanceof RegExp) assert.match(reason, why, name);
    else assert.equal(reason, why, name);
  }
  const twice = envelope(result(job, { job_id: 'job_0' }));
  await engine.ask('job_completed', twice, 'job_completed_rejected');
  const again = await engine.ask('job_completed', twice, 'job_completed_rejected');
  assert.equal(again.reason, 'ENGINE_NONCE_REPLAY');
}

// Begins it and reports progress that no work makes. Nothing of it is refused: a number is a number.
export function pretendProgress(engine, job) {
  engine.say('job_started', envelope(about(job)));
  for (const progress of [80, 20, -5, 1e308, 0]) engine.say('job_progress', envelope(about(job, { progress })));
}

// Says nothing any more, and stays.
export const fallSilent = (engine) => clearInterval(engine.beat);

// More than a packet may have: the transport ends.
export const sayTooMuch = (engine) =>
  engine.say('job_completed', envelope({ job_id: 'job_0', result: kWrongResult.repeat(kMaxPayload / 4) }));
