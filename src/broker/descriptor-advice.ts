// What a partition takes of the descriptors that the process may open, and how somebody gets more of them.
// Pure.

/** A partition's live segment has three files open: the batches and two indexes. */
export const DESCRIPTORS_PER_PARTITION = 3;
/** The least that is advised to somebody who has to raise the limit anyway. */
const ADVISED_LIMIT = 65_536;

/** How to raise the limit of open files; `needed`: how many are. The end of a sentence. */
export function raiseLimit(needed: number): string {
  const advised = Math.max(ADVISED_LIMIT, 2 ** Math.ceil(Math.log2(2 * needed)));
  return `"ulimit -n ${advised}" in the shell that starts naru, or with LimitNOFILE=${advised} in its systemd unit`;
}
