// Actions run one after another; what an action is about, its list and its address change only in its turn.
import { toast } from "../common.js";

let last = Promise.resolve(), unfinished = 0; // actions: the one that runs and those that wait

/** Run an action after those that were asked for before, and show its error. */
export function inTurn(action) {
  unfinished += 1;
  last = last.then(action).catch(error => toast(error.message, true)).then(() => { unfinished -= 1; });
  return last;
}

/** Run an action at once; drop it while another one runs, as it would be about a finding that goes away. */
export async function exclusively(action) {
  if (!unfinished) await inTurn(action);
}
