// Small disks that a test mounts: an ext4 image whose power can be cut, and a tmpfs that fills up.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync,
         rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unique } from './harness.mjs';

const kReads = 50;  // until two readings of the image agree

// Not only root's PATH finds mkfs.
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const run = (program, ...args) => spawnSync(program, args, { encoding: 'utf8', env });
function mustRun(program, ...args) {
  const { status, stderr, error } = run(program, ...args);
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stderr ?? error}`);
}

class Disk {
  constructor(t) {
    this.folder = mkdtempSync(join(tmpdir(), 'signet-e2e-'));
    this.path = join(this.folder, 'disk');
    mkdirSync(this.path);
    const letGo = () => this.release();
    process.once('exit', letGo);  // also when the test runner gives up
    t.after(() => { this.release(); process.off('exit', letGo); });
  }

  // Answers why not, or nothing when it is mounted.
  tryMount(...options) {
    const { status, stderr, error } = run('mount', ...options, this.path);
    this.isMounted = status === 0;
    return this.isMounted ? undefined : `mounting is not permitted here: ${error ?? stderr.trim()}`;
  }
  unmount() {
    mustRun('umount', this.path);
    this.isMounted = false;
  }
  // Another program takes all but `left` bytes; answers how it gives them back.
  crowd(left) {
    const { bavail, bsize } = statfsSync(this.path);
    const path = join(this.path, `crowd-${unique()}`);
    try {
      writeFileSync(path, Buffer.alloc(Math.max(0, bavail * bsize - left), 1));
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;  // the broker was faster: it is full all the same
    }
    return () => rmSync(path);
  }
  // A broker that still runs on it keeps what it has until its end; the name goes at once.
  release() {
    if (this.isMounted && run('umount', this.path).status !== 0) run('umount', '--lazy', this.path);
    this.isMounted = false;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// A tmpfs of `bytes`; skips the test and answers nothing where it can't be mounted.
export function smallDisk(t, bytes) {
  const disk = new Disk(t);
  const why = disk.tryMount('-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs');
  if (why) { t.skip(why); return undefined; }
  return disk;
}

// An ext4 file system in a file, mounted through a loop device. What the kernel holds of it in
// memory reaches the file only when somebody syncs: ext4's own commit is put off, and the kernel's
// writeback of old pages starts after longer than a round of a test.
class CuttableDisk extends Disk {
  image = join(this.folder, 'image');

  format(bytes) {
    const file = openSync(this.image, 'w');
    ftruncateSync(file, bytes);
    closeSync(file);
    mustRun('mkfs.ext4', '-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0', this.image);
  }
  mount() { return this.tryMount('-t', 'ext4', '-o', 'loop,commit=300', this.image); }
  sync() { mustRun('sync', '--file-system', this.path); }

  // What the platter holds now. A file that reads the same twice held all of it at one moment.
  read() {
    for (let before = readFileSync(this.image), i = 0; i < kReads; ++i) {
      const now = readFileSync(this.image);
      if (now.equals(before)) return now;
      before = now;
    }
    return assert.fail('the image never stood still');
  }

  // The disk as it is after a power cut at the moment of read(): its journal is recovered.
  remountAs(content) {
    this.unmount();
    writeFileSync(`${this.image}.new`, content);
    renameSync(`${this.image}.new`, this.image);
    assert.equal(this.mount(), undefined);
  }
}

export function cuttableDisk(t, bytes) {
  const disk = new CuttableDisk(t);
  disk.format(bytes);
  const why = disk.mount();
  if (why) { t.skip(why); return undefined; }
  return disk;
}
