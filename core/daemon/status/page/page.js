"use strict";
// Asks /status every two seconds and draws what it says. All text goes into the page as text, never as markup.

const HOUR = 3600 * 1000;
const EVERY = 2000;
const here = location.pathname.endsWith("/") ? location.pathname : location.pathname + "/";
const $ = (id) => document.getElementById(id);

// ---- words -------------------------------------------------------------------------------------------------

const STATES = {
  streaming: ["good", "✓", "Streaming", "Events are delivered as they are committed."],
  failover: ["bad", "!", "The sink is down", "Events wait in the table; nothing is lost."],
  recovering: ["warn", "↻", "Catching up", "Events are delivered from the table, then the stream goes on."],
  connecting: ["warn", "…", "Connecting to Postgres", "The daemon opens its sessions."],
  starting: ["warn", "…", "Starting", "The sink is being set up."],
  disconnected: ["bad", "!", "No connection to Postgres", "The daemon tries again by itself; no event is lost."],
  standby: ["idle", "⏸", "Standing by", "Another daemon delivers this stream; this one takes over when that one ends."],
};
const TITLES = {
  sink_hangs: "The sink hangs", sink_down: "The sink is down", sink_not_ready: "The sink cannot be set up",
  catching_up: "The sink is back, catching up", wrong_password: "Postgres refuses the password",
  login_refused: "Postgres refuses the login", postgres_away: "No connection to Postgres",
  slot_replaced: "The slot was lost, and is replaced", slot_lost: "The slot is lost", slot_missing: "The slot is gone",
  slot_waits: "The slot waits for open transactions", slot_taken: "The slot is read by somebody else",
  slot_in_danger: "The slot may be lost soon", slot_of_another: "The slot's name is taken",
  publication_missing: "The publication is gone", partitions_missing: "A partition is missing",
  default_partition: "Events lie in the default partition", dead_letters: "Events became dead letters",
  trigger_broken: "A subscription is broken", no_subscriptions: "There are no subscriptions",
  old_events: "Events wait for very long", slow: "The sink is slower than the events come",
  standby: "Standing by", standby_server: "This server is a standby", schema_missing: "The schema is missing",
  schema_newer: "The schema is newer than this program", schema_older: "The schema is older than this program",
  unreadable: "Something cannot be read",
};
function title(finding, status) {
  const parts = status.partitions;
  if (finding.code === "partitions_missing" && parts && !parts.today) return "There is no partition for today";
  if (finding.code === "partitions_missing" && parts && !parts.days_ahead) return "There is no partition for tomorrow";
  return TITLES[finding.code] || finding.code.replaceAll("_", " ").replace(/^./, (c) => c.toUpperCase());
}

const number = new Intl.NumberFormat("en-US");
function count(value) { return value == null ? "–" : number.format(value); }
function many(value, noun) { return count(value) + " " + noun + (value === 1 ? "" : "s"); }
function short(value) {
  if (value == null) return "–";
  if (value >= 1e9) return (value / 1e9).toFixed(1) + "G";
  if (value >= 1e6) return (value / 1e6).toFixed(1) + "M";
  if (value >= 1e4) return (value / 1e3).toFixed(0) + "k";
  return value >= 100 || Number.isInteger(value) ? count(Math.round(value)) : value.toFixed(value < 1 ? 2 : 1);
}
function bytes(value) {
  if (value == null) return "–";
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit++; }
  return (unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)) + " " + units[unit];
}
function duration(seconds) {
  if (seconds == null) return "–";
  if (seconds < 0.0005) return "0 s";
  if (seconds < 1) return Math.round(seconds * 1000) + " ms";
  if (seconds < 60) return (seconds < 10 && !Number.isInteger(seconds) ? seconds.toFixed(1) : Math.round(seconds)) + " s";
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const at = units.findIndex(([size]) => seconds >= size);
  const [size, name] = units[at];
  const whole = Math.floor(seconds / size);
  const rest = units[at + 1] ? Math.floor((seconds - whole * size) / units[at + 1][0]) : 0;
  return whole + " " + name + (rest ? " " + rest + " " + units[at + 1][1] : "");
}
const seconds_since = (text, now) => Math.max(0, (Date.parse(now) - Date.parse(text)) / 1000);
// Today's by the hour alone; the hours as operators and logs write them.
function clock(text) {
  const time = new Date(text);
  const hours = time.toLocaleTimeString([], { hourCycle: "h23" });
  return time.toDateString() === new Date().toDateString() ? hours : time.toLocaleDateString() + " " + hours;
}
const hour_and_minute = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

// ---- elements ----------------------------------------------------------------------------------------------

function element(tag, name, ...children) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  for (const child of children) if (child != null) made.append(child);
  return made;
}
function drawn(tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text != null) made.textContent = text;
  return made;
}
function say(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}
// Only what has changed is replaced, and nothing that is being selected: a reader's place in a list stays.
const shown = new Map();
function being_selected(node) {
  const selection = getSelection();
  return selection && !selection.isCollapsed && node.contains(selection.anchorNode);
}
function show(id, what, make) {
  const key = JSON.stringify(what);
  if (shown.get(id) === key || being_selected($(id))) return;
  shown.set(id, key);
  const list = $(id).querySelector(".rows");
  const place = list ? list.scrollTop : 0;
  $(id).replaceChildren(...make());
  if (place && $(id).querySelector(".rows")) $(id).querySelector(".rows").scrollTop = place;
}
function facts(pairs) {
  const list = element("dl", "facts");
  for (const [name, value, tone] of pairs)
    list.append(element("dt", "", name), element("dd", tone ? "toned " + tone : "", value));
  return list;
}

// ---- verdict and findings ----------------------------------------------------------------------------------

function draw_verdict(status) {
  const findings = status.findings || [];
  const worst = findings[0];
  let [tone, badge, headline, subline] = STATES[status.state] || ["idle", "?", status.state, ""];
  if (worst && worst.severity === "problem") {
    [tone, badge, headline] = ["bad", "!", title(worst, status)];
    const others = findings.filter((finding) => finding.severity === "problem").length - 1;
    if (status.state === "streaming") subline = "Meanwhile events are delivered as they are committed.";
    if (others > 0) subline += " " + many(others, "more problem") + " below.";
  } else if (worst && status.state === "streaming") {
    [tone, badge, headline] = ["warn", "i", "Streaming, with something to know"];
    subline = title(worst, status) + ".";
  } else if (worst && status.state !== "standby") {
    [tone, badge, headline] = ["warn", "↻", title(worst, status)];
  }
  $("verdict").className = "verdict " + tone;
  say("badge", badge);
  say("headline", headline);
  say("subline", subline);
  document.title = (tone === "good" ? "" : "● ") + headline + " · stream " + status.stream_id;

  $("findings").hidden = findings.length === 0;
  show("findings", findings, () => findings.map((finding) => {
    const tone = finding.severity === "problem" ? "bad" : "warn";
    const head = element("h3", "", title(finding, status),
      element("span", "kind", finding.severity === "problem" ? "somebody is needed" : "for your information"));
    const card = element("article", "finding " + tone, head, element("p", "", sentence(finding.what)));
    if (finding.remedy.length) {
      card.append(element("p", "todo-title", "What to do"));
      card.append(element("ul", "todo", ...finding.remedy.map((line) =>
        element("li", "", is_command(line) ? element("code", "", line) : sentence(line)))));
    }
    return card;
  }));
}
const is_command = (line) => /^(postgres-async-triggers |select |alter |grant |create |drop )/i.test(line);
const sentence = (line) => line.charAt(0).toUpperCase() + line.slice(1);

// ---- pipeline ----------------------------------------------------------------------------------------------

function stages(status, rate) {
  const live = status.live, slot = status.slot, down = status.failover, parts = status.partitions;
  const codes = new Set(status.findings.map((finding) => finding.code));
  const ready = live.ready;
  const away = ["wrong_password", "login_refused", "postgres_away"].some((code) => codes.has(code));
  const postgres = away
    ? { tone: "bad", state: codes.has("wrong_password") ? "Password refused" : "Not connected", stopped: true }
    : ready || status.state === "standby" ? { tone: "good", state: "Connected" } : { tone: "warn", state: "Connecting …" };
  postgres.facts = [status.connection, status.server && "Postgres " + status.server.version.split(" ")[0]];

  let way = { tone: "idle", state: "Unknown" };
  if (status.state === "standby") way = { tone: "idle", state: "Read by another daemon" };
  else if (ready && slot === undefined) way = { tone: "idle", state: "Looking …" };
  else if (ready && !slot) way = { tone: "bad", state: "Gone, being replaced" };
  else if (slot && slot.invalidated) way = { tone: "bad", state: "Lost" };
  else if (slot && codes.has("slot_waits")) way = { tone: "warn", state: "Being created" };
  else if (slot && slot.wal_status === "unreserved") way = { tone: "bad", state: "About to be lost" };
  else if (slot && codes.has("slot_replaced")) way = { tone: "warn", state: "Replaced, reading" };
  else if (slot) way = { tone: "good", state: slot.active ? "Reading" : "Not read" };
  way.facts = slot ? [bytes(slot.wal_held_bytes) + " of WAL held",
    slot.safe_wal_size == null ? null : bytes(slot.safe_wal_size) + " to spare"] : [];

  const table = { tone: "good", state: "Nothing waits", facts: [] };
  if (!ready) Object.assign(table, { tone: "idle", state: "Keeps what comes" });
  else if (live.events_waiting > 0 && (down || status.state === "recovering"))
    Object.assign(table, { tone: down && down.next_attempt_at ? "bad" : "warn", state: many(live.events_waiting, "event") + " wait" + (live.events_waiting === 1 ? "s" : "") });
  else if (live.events_waiting > 0) table.state = many(live.events_waiting, "event") + " on the way";
  if (codes.has("partitions_missing") && table.tone === "good") Object.assign(table, { tone: "warn", state: "A partition is missing" });
  if (parts) table.facts = [bytes(parts.bytes) + " in " + many(parts.count, "partition"),
    parts.default_rows ? many(parts.default_rows, "event") + " in the default one" : null];

  const fill = live.queue.limit_events ? Math.max(live.queue.events / live.queue.limit_events, live.queue.bytes / live.queue.limit_bytes) : 0;
  const batches = { tone: ready ? "good" : "idle", state: ready ? short(rate) + " events/s" : "Idle",
    facts: ready ? ["queue " + Math.round(fill * 100) + " % full", "lag " + duration(live.lag_seconds)] : [] };
  if (down && down.next_attempt_at) Object.assign(batches, { tone: "warn", state: "Waiting for the sink", stopped: true });
  else if (down) Object.assign(batches, { tone: "warn", state: "Replaying, " + short(rate) + "/s" });

  const sink = { tone: "good", state: "Takes events", facts: [] };
  if (codes.has("sink_hangs")) Object.assign(sink, { tone: "bad", state: "Hangs" });
  else if (codes.has("sink_not_ready")) Object.assign(sink, { tone: "bad", state: "Cannot be set up" });
  else if (down && down.next_attempt_at) Object.assign(sink, { tone: "bad", state: "Down for " + duration(seconds_since(down.since, live.now)) });
  else if (!ready) Object.assign(sink, { tone: "idle", state: "Idle" });
  else if (live.sink_calls === 0) sink.state = "Nothing sent yet";
  sink.facts = [status.sink.type, many(live.sink_calls, "call") + ", " + count(live.sink_calls_failed) + " failed"];
  return [["Postgres", postgres], ["Slot", way], ["Events table", table], ["Batches", batches], ["Sink", sink]];
}
function draw_pipeline(status, rate) {
  const all = stages(status, rate);
  show("pipeline", all, () => all.map(([name, stage]) =>
    element("li", "stage " + stage.tone + (stage.stopped ? " stopped" : ""), element("p", "name", name),
      element("p", "state", stage.state),
      ...stage.facts.filter(Boolean).map((fact) => element("p", "fact", fact)))));
}

// ---- charts ------------------------------------------------------------------------------------------------

// [ms, delivered, rejected, lag, waiting, 1 if not streaming]
let samples = [];

function nice(top) {
  if (top <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(top));
  return [1, 2, 5, 10].map((step) => step * power).find((limit) => limit >= top);
}
// Whole units on the axis, and halves of it.
const LENGTHS = [2, 4, 10, 20, 30, 60, 120, 240, 600, 1200, 3600, 7200, 14400, 43200, 86400, 172800];
function nice_length(top) {
  return top <= 1 ? nice(top) : LENGTHS.find((limit) => limit >= top) || Math.ceil(top / 172800) * 172800;
}
// Points are [ms, value]; what comes after a gap is not joined to what was before.
function draw_chart(id, points, format, floor, round_up = nice) {
  const svg = $(id);
  const width = svg.clientWidth || 340, height = 128, left = 44, right = 6, top = 12, bottom = 20;
  svg.setAttribute("viewBox", "0 0 " + width + " " + height);
  const until = Date.now();
  const span = Math.min(HOUR, Math.max(5 * 60000, samples.length ? until - samples[0][0] : 0)), from = until - span;
  const limit = Math.max(floor, round_up(Math.max(0, ...points.map((point) => point[1]))));
  const x = (ms) => left + (width - left - right) * (Math.max(ms, from) - from) / span;
  const y = (value) => top + (height - top - bottom) * (1 - value / limit);
  const parts = [];
  let began = null;
  samples.forEach((sample, i) => {
    const last = i === samples.length - 1;
    if (sample[5] && began === null) began = sample[0];
    if (began !== null && (!sample[5] || last)) {
      parts.push(drawn("rect", { class: "outage", x: x(began), y: top, width: Math.max(2, x(sample[0]) - x(began)), height: height - top - bottom }));
      began = null;
    }
  });
  for (const share of [0, 0.5, 1]) {
    parts.push(drawn("line", { class: "grid", x1: left, x2: width - right, y1: y(limit * share), y2: y(limit * share) }));
    parts.push(drawn("text", { x: left - 6, y: y(limit * share) + 4, "text-anchor": "end" }, format(limit * share)));
  }
  for (const ago of [1, 2 / 3, 1 / 3, 0]) {
    const at = until - ago * span;
    parts.push(drawn("text", { x: x(at), y: height - 4, "text-anchor": ago === 1 ? "start" : ago ? "middle" : "end" }, ago ? hour_and_minute(at) : "now"));
  }
  let run = [];
  const flush = () => {
    if (run.length > 1) {
      const line = run.map((point) => x(point[0]).toFixed(1) + " " + y(point[1]).toFixed(1)).join("L");
      parts.push(drawn("path", { class: "area", d: "M" + x(run[0][0]).toFixed(1) + " " + y(0) + "L" + line + "L" + x(run[run.length - 1][0]).toFixed(1) + " " + y(0) + "Z" }));
      parts.push(drawn("path", { class: "curve", d: "M" + line }));
    }
    run = [];
  };
  for (const point of points) {
    if (run.length && point[0] - run[run.length - 1][0] > 30000) flush();
    run.push(point);
  }
  flush();
  const near = pointed.get(id);
  if (near !== undefined && points.length) {
    const wanted = from + (near * width - left) / (width - left - right) * span;
    const point = points.reduce((best, each) => Math.abs(each[0] - wanted) < Math.abs(best[0] - wanted) ? each : best);
    const end = x(point[0]) > width / 2;
    parts.push(drawn("line", { class: "cross", x1: x(point[0]), x2: x(point[0]), y1: top, y2: height - bottom }));
    parts.push(drawn("circle", { class: "spot", cx: x(point[0]), cy: y(point[1]), r: 3.5 }));
    parts.push(drawn("text", { class: "value", x: x(point[0]) + (end ? -8 : 8), y: top + 10, "text-anchor": end ? "end" : "start" },
      format(point[1]) + " at " + clock(point[0])));
  }
  svg.replaceChildren(...parts);
}
// Where the pointer is in each chart, as a share of its width.
const pointed = new Map();
for (const id of ["rate-chart", "lag-chart", "waiting-chart"]) {
  $(id).addEventListener("pointermove", (event) => {
    const box = $(id).getBoundingClientRect();
    pointed.set(id, (event.clientX - box.left) / box.width);
    draw_charts();
  });
  $(id).addEventListener("pointerleave", () => { pointed.delete(id); draw_charts(); });
}
function rates() {
  const points = [];
  for (let i = 1; i < samples.length; i++) {
    const passed = (samples[i][0] - samples[i - 1][0]) / 1000;
    const events = samples[i][1] - samples[i - 1][1];
    if (passed > 0 && passed < 30 && events >= 0) points.push([samples[i][0], events / passed]);
  }
  return points;
}
function draw_charts() {
  draw_chart("rate-chart", rates(), short, 1);
  draw_chart("lag-chart", samples.map((sample) => [sample[0], sample[3]]), duration, 1, nice_length);
  draw_chart("waiting-chart", samples.map((sample) => [sample[0], sample[4]]), short, 10);
}

// ---- the rest ----------------------------------------------------------------------------------------------

function draw_totals(live) {
  const totals = [
    ["Delivered", count(live.events_delivered)], ["of these replayed", count(live.events_replayed)],
    ["Retried", count(live.events_retried)],
    ["Dead letters", count(live.events_rejected), live.events_rejected ? "bad" : ""],
    ["Sink outages", count(live.failovers), live.failovers ? "warn" : ""],
    ["Time in outages", live.failover_seconds ? duration(live.failover_seconds) : "0 s"],
    ["Reconnects", count(live.reconnects), live.reconnects ? "warn" : ""],
    ["Running for", duration(Math.floor(seconds_since(live.started_at, live.now)))],
  ];
  show("totals", totals, () => totals.map(([name, value, tone]) =>
    element("div", tone ? "tinted " + tone : "", element("dt", "", name), element("dd", "", value))));
}
const unknown = () => [element("p", "none", "Known while this daemon has the stream.")];

function draw_letters(status) {
  const letters = status.dead_letters;
  $("letters-count").textContent = letters ? count(letters.count) + (letters.last_hour ? ", " + count(letters.last_hour) + " in the last hour" : "") : "";
  show("letters", [letters && letters.count, status.dead_letter_list], () => {
    if (!letters) return unknown();
    if (!letters.count) return [element("p", "none", "None: no event was rejected for good.")];
    return [element("div", "rows", ...status.dead_letter_list.map((letter) => element("div", "row",
      element("div", "head", element("span", "key", "event " + letter.event_id), element("span", "side", clock(letter.failed_at))),
      element("p", "body", (letter.reason || "no reason given") + " (" + many(letter.attempts, "attempt") + ")"))))];
  });
}
function draw_subscriptions(status) {
  const list = status.subscription_list;
  const all = status.subscriptions;
  const broken = list.filter((each) => each.problems.length).length;
  $("subscriptions-count").textContent = all ? count(all.count) + (broken ? ", " + broken + " broken" : "") : "";
  const order = [...list].sort((a, b) => b.problems.length - a.problems.length);
  show("subscriptions", [all, order], () => {
    if (!all) return unknown();
    if (!list.length) return [element("p", "none", "None: no change becomes an event.")];
    return [element("div", "rows", ...order.map((each) => element("div", "row",
      element("div", "head", element("span", "key", each.key), element("span", "side", each.operation + " on " + each.table)),
      ...each.problems.map((problem) => element("div", "problem", "✕ " + problem.problem,
        problem.hint ? element("div", "body", is_command(problem.hint) ? element("code", "", problem.hint) : sentence(problem.hint)) : null)))))];
  });
}
function draw_partitions(status) {
  const parts = status.partitions;
  show("partitions", [parts, status.server && status.server.time.slice(0, 10)], () => {
    if (!parts) return unknown();
    const today = Date.parse(status.server.time.slice(0, 10) + "T00:00:00Z");
    const days = element("div", "days");
    const ahead = Math.min(Math.max(parts.days_ahead, 3, parts.missing.length), 7);
    for (let day = 0; day <= ahead; day++) {
      const date = new Date(today + day * 86400000).toISOString().slice(0, 10);
      const name = "events_" + date.replaceAll("-", "");
      const missing = parts.missing.includes(name);
      if (!missing && day > 0 && day > parts.days_ahead && !parts.missing.length) continue;
      const word = day === 0 ? "today" : day === 1 ? "tomorrow" : date.slice(5);
      days.append(element("span", "day " + (missing ? "bad" : "good"), (missing ? "✕ " : "✓ ") + word + (missing ? " missing" : "")));
    }
    return [days, facts([
      ["Partitions", count(parts.count) + (parts.oldest ? ", the oldest " + parts.oldest : "")],
      ["Size", bytes(parts.bytes)],
      ["Default partition", parts.default_rows ? many(parts.default_rows, "event") : "empty", parts.default_rows ? "warn" : ""],
      ["Past retention", parts.past_retention ? many(parts.past_retention, "partition") + " kept" : "none", parts.past_retention ? "warn" : ""]])];
  });
}
function draw_slot(status) {
  const slot = status.slot, live = status.live;
  show("slot", [slot, live.slots_replaced, status.lag], () => {
    if (slot === undefined) return unknown();
    if (!slot) return [element("p", "none", "There is none: the daemon makes one.")];
    const tone = { reserved: "good", extended: "good", unreserved: "bad", lost: "bad" }[slot.wal_status];
    return [facts([
      ["Name", slot.name], ["WAL status", slot.invalidated ? "lost: " + slot.invalidation_reason : slot.wal_status || "–", slot.invalidated ? "bad" : tone],
      ["Holds", bytes(slot.wal_held_bytes) + " of WAL"],
      ["To spare", slot.safe_wal_size == null ? "no limit (max_slot_wal_keep_size)" : bytes(slot.safe_wal_size)],
      ["Confirmed", slot.confirmed_flush_lsn || "–"],
      ["Replaced", live.slots_replaced ? count(live.slots_replaced) + " since the start" : "never since the start", live.slots_replaced ? "warn" : ""]])];
  });
}
function draw_log(log) {
  $("log-count").textContent = log.length ? count(log.length) : "";
  show("log", log, () => {
    if (!log.length) return [element("p", "none", "None since the daemon started.")];
    return [element("div", "rows", ...log.map((line) => {
      const fields = Object.entries(line.fields).map(([key, value]) => key + "=" + value).join("  ");
      return element("div", "row " + (line.level === "error" ? "bad" : "warn"),
        element("div", "head",
          element("span", "", element("span", "level", line.level.toUpperCase() + " "), element("span", "key", line.msg)),
          element("span", "side", clock(line.ts) + (line.times > 1 ? ", " + count(line.times) + " times since " + clock(line.first_ts) : ""))),
        fields ? element("p", "fields mono", line.logger + ": " + fields) : null);
    }))];
  });
}

// ---- the round ---------------------------------------------------------------------------------------------

let answered = 0;
let latest = [];

function take(status) {
  const live = status.live, now = Date.parse(live.now);
  latest = [...latest.filter((each) => now - each[0] < 10000), [now, live.events_delivered]];
  const passed = (now - latest[0][0]) / 1000;
  const known = rates();
  const rate = passed > 3 ? Math.max(0, (live.events_delivered - latest[0][1]) / passed) : known.length ? known[known.length - 1][1] : 0;
  if (samples.length && live.events_delivered < samples[samples.length - 1][1]) samples = [];
  if (!samples.length || now - samples[samples.length - 1][0] >= 5000)
    samples.push([now, live.events_delivered, live.events_rejected, live.lag_seconds, live.events_waiting, live.phase === "streaming" ? 0 : 1]);
  samples = samples.filter((sample) => now - sample[0] < HOUR);

  document.body.dataset.state = status.state;
  $("where").textContent = "stream " + status.stream_id + " · " + status.connection + " → sink " + status.sink.type;
  $("version").textContent = "version " + live.version;
  // Without the stream in its hands the daemon does not know.
  $("rate-now").textContent = live.ready ? short(rate) + " /s" : "–";
  $("lag-now").textContent = live.ready ? duration(live.lag_seconds) : "–";
  $("waiting-now").textContent = live.ready ? short(live.events_waiting) : "–";
  draw_verdict(status);
  draw_pipeline(status, rate);
  draw_charts();
  draw_totals(live);
  draw_letters(status);
  draw_subscriptions(status);
  draw_partitions(status);
  draw_slot(status);
  draw_log(status.log);
}
function draw_freshness() {
  const age = (Date.now() - answered) / 1000;
  const lost = answered > 0 && age > 8;
  document.body.classList.toggle("fresh", answered > 0 && !lost);
  document.body.classList.toggle("stale", lost);
  if (!answered) return;
  $("freshness").textContent = lost ? "no answer for " + duration(Math.floor(age)) : "live";
  if (!lost) return;
  $("verdict").className = "verdict bad";
  say("badge", "!");
  say("headline", "The daemon does not answer");
  say("subline", "What is shown below is old. Is the daemon running? Its log, or the service manager, says. This page asks again every two seconds.");
  document.title = "● no answer";
}
async function get(path) {
  const answer = await fetch(here + path, { cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(path + ": " + answer.status);
  return answer.json();
}
async function round() {
  try {
    // Again after the daemon was away: the page may have slept.
    if (Date.now() - answered > 30000) samples = (await get("history")).samples;
    const status = await get("status");
    answered = Date.now();
    take(status);
  } catch (error) {
    if (!(error instanceof TypeError) && error.name !== "TimeoutError" && error.name !== "AbortError") console.error(error);
  }
  draw_freshness();
  setTimeout(round, EVERY);
}
addEventListener("resize", draw_charts);
// Behind a proxy the page may be at /pgat as well as at /pgat/.
for (const link of document.querySelectorAll("footer a, .noscript a")) link.href = here + link.getAttribute("href");
round();
