// One decision for all pairs of a group: of students, or of equal answers.
import { send, toast } from "./common.js";

document.addEventListener("submit", async event => {
  if (!event.target.matches("form.decide-all")) return;
  event.preventDefault();
  const data = new FormData(event.target), rights = data.getAll("right");
  const pairs = data.getAll("left").map((left, n) => [left, rights[n]]);
  const decision = event.submitter.value, reason = data.get("reason");
  try {
    await send("POST", "/api/decisions/group", { pairs, decision, reason });
  } catch (error) {
    return toast(error.message, true);
  }
  location.reload();
});
