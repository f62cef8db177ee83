// What a core of a running process would hold, read as root: its mappings that can be read, but for
// those that it asked to be left out (MADV_DONTDUMP: VmFlags `dd` of proc(5)). The kernel's own
// filter (coredump_filter) would leave out most of that, too; it is not counted on here.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const kPiece = 4 << 20;

function rangesOf(pid) {
  const ranges = [];
  let range = null;
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    const header = /^([0-9a-f]+)-([0-9a-f]+) (r?)/.exec(line);
    if (header && !line.startsWith('VmFlags')) {
      range = { from: BigInt(`0x${header[1]}`), to: BigInt(`0x${header[2]}`), readable: header[3] === 'r' };
    } else if (line.startsWith('VmFlags:') && range?.readable && !/ dd( |$)/.test(line)) {
      ranges.push(range);
    }
  }
  return ranges;
}

// How often each of the needles ({what: Buffer}) is there.
export function timesInCore(pid, needles) {
  const times = Object.fromEntries(Object.keys(needles).map((what) => [what, 0]));
  const longest = Math.max(...Object.values(needles).map((needle) => needle.length));
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const piece = Buffer.alloc(kPiece);
  for (const { from, to } of rangesOf(pid)) {
    let kept = 0; // of the piece before, so that nothing is cut in two
    for (let at = from; at < to;) {
      let got = 0;
      try {
        got = readSync(memory, piece, kept, Math.min(kPiece - kept, Number(to - at)), at);
      } catch { /* a page that is not there, or no longer */ }
      if (got === 0) break;
      at += BigInt(got);
      const there = piece.subarray(0, kept + got);
      for (const [what, needle] of Object.entries(needles)) {
        for (let found = there.indexOf(needle); found >= 0; found = there.indexOf(needle, found + 1)) {
          if (found + needle.length > kept) times[what] += 1;
        }
      }
      kept = Math.min(longest - 1, there.length);
      piece.copyWithin(0, there.length - kept, there.length);
    }
  }
  closeSync(memory);
  return times;
}

export const canBeRead = process.getuid() === 0;
