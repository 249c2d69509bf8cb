// A report that moves. Every outcome was decided when the page was made: this file looks
// answers up, adds them up over the runs that are shown, and draws. It decides no rule.
"use strict";
(() => {
  const page = JSON.parse(document.getElementById("moving-answers").textContent);
  const root = document.getElementById("moving");
  const { words, kinds, views, judged } = page;
  const SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const HEIGHTS = SIGNS.length ** 2 - 2;
  const UNKNOWN = { value: NaN, regret: NaN };
  const alone = page.runs.length === 1;
  const runs = page.runs.map(([name, first, epochs, end], row) => {
    let at = 0;
    const values = floats(judged.values[row]), regrets = floats(judged.regrets[row]);
    const kept = new Map(judged.kept[row].map((by, place) =>
      [(at += by), { value: values[place], regret: regrets[place] }]));
    const [best, bound] = [judged.best[row], judged.bounds[row] === 1];
    const timed = page.seconds[row], tenths = timed ? [0] : [];
    for (const epoch of timed ?? []) tenths.push(tenths[tenths.length - 1] + epoch);
    return { name, first, epochs, end, kept, best, bound, tenths, row };
  });

  // ---- looking up ------------------------------------------------------------------

  function floats(text) {
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    const seen = new DataView(bytes.buffer);
    return Array.from({ length: bytes.length / 8 }, (_, at) => seen.getFloat64(8 * at, true));
  }

  function heights(text) {
    return Array.from({ length: text.length / 2 }, (_, at) => {
      const height = SIGNS.indexOf(text[2 * at]) * SIGNS.length + SIGNS.indexOf(text[2 * at + 1]);
      return height > HEIGHTS ? null : (3 * height) / HEIGHTS - 1;
    });
  }

  function staircase(view, run, delta) {
    return view.steps[run.row][view.of[run.row][delta]];
  }

  function outcomeOf(run, steps, at, more) {
    const [evidence, brief, full, stopped, known, laterEnd, laterKept] = kinds[steps[at + 1]];
    const trained = steps[at + 2] + more * laterEnd;
    const place = steps[at + 3] < 0 ? null : steps[at + 3] + more * laterKept;
    const held = (known && run.kept.get(place)) || UNKNOWN;
    const limit = run.first + trained - 1, open = evidence === "diverged";
    return {
      evidence, stopped,
      brief: open ? fill(brief, { limit, next: limit + 1 }) : brief,
      full: open ? fill(full, { limit, next: limit + 1 }) : full, trained, place, value: held.value, regret: held.regret,
      saved: run.epochs - trained,
      tenths: run.tenths[run.epochs - trained] ?? NaN,
      stop: stopped ? run.first + trained : null,
      kept: place === null ? null : run.first + place + 1,
      exact: evidence === "exact",
      priced: evidence === "exact" && !run.bound && Number.isFinite(held.regret),
    };
  }

  function lookUp(view, run, delta, patience) {
    const steps = staircase(view, run, delta);
    let low = 0, high = steps.length / 4;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (steps[4 * middle] <= patience) low = middle; else high = middle;
    }
    return outcomeOf(run, steps, 4 * low, patience - steps[4 * low]);
  }

  function sum(numbers) {
    // exact to the last digit: what is lost in an addition is added at the end (Neumaier)
    let total = 0, lost = 0;
    for (const number of numbers) {
      const next = total + number;
      lost += Math.abs(total) >= Math.abs(number) ? (total - next) + number : (number - next) + total;
      total = next;
    }
    return total + lost;
  }

  function summarise(outcomes) {
    const exact = outcomes.filter(({ outcome }) => outcome.exact);
    const priced = exact.filter(({ outcome }) => outcome.priced);
    const regrets = priced.map(({ outcome }) => outcome.regret);
    const worst = priced.reduce((most, each) =>
      (most === null || each.outcome.regret > most.outcome.regret ? each : most), null);
    return {
      exact: exact.length, priced: priced.length, worst,
      mean: priced.length ? sum(regrets) / priced.length : null,
      saved: exact.reduce((total, { outcome }) => total + outcome.saved, 0),
      tenths: exact.reduce((total, { outcome }) => total + outcome.tenths, 0),
      epochs: exact.reduce((total, { run }) => total + run.epochs, 0),
    };
  }

  // ---- writing ---------------------------------------------------------------------

  function fixed(value, decimals) {
    const text = value.toFixed(decimals), longer = value.toFixed(decimals + 1);
    if (!longer.endsWith("5") || Number(longer) !== value) return text;
    // halves go to the even digit, as everywhere in the report
    const isHalf = /^0*$/.test(value.toFixed(100).slice(longer.length));
    const down = longer.slice(0, -1).replace(/\.$/, "");
    return isHalf && "02468".includes(down[down.length - 1]) ? down : text;
  }

  function exponential(value, digits) {
    return value.toExponential(digits).replace(/e([+-])(\d)$/, "e$10$2");
  }

  function spoken(value, decimals = page.decimals) {
    if (value === null) return "-";
    if (Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
    if (value === 0) return "0";
    if (Math.abs(value) >= 1e7) return exponential(value, 3);
    const text = fixed(value, decimals);
    if (Number(text) !== 0) return text;
    return Math.abs(value) >= 1e-4 ? value.toPrecision(1) : exponential(value, 1);
  }

  function spokenTime(tenths) {
    if (!(tenths > 0)) return "";
    const [seconds, minutes, hours] = words.units.split(" "), value = tenths / 10;
    const text = value < 90 ? `${value.toFixed(1)} ${seconds}`
      : value < 5400 ? `${(value / 60).toFixed(1)} ${minutes}` : `${(value / 3600).toFixed(1)} ${hours}`;
    return say("time", { seconds: text });
  }

  function fill(text, blanks) {
    return text.replace(/\{(\w+)\}/g, (all, blank) => blanks[blank] ?? words[blank] ?? all);
  }

  function say(name, blanks = {}) {
    return fill(words[name], blanks);
  }

  function span(first, last) {
    return first === last ? String(first) : `${first}-${last}`;
  }

  function make(tag, attributes = {}, ...children) {
    const svg = ["svg", "path", "rect", "circle", "line", "text", "clipPath"].includes(tag);
    const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag)
      : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  }

  function write(node, text) {
    if (node.data !== text) node.data = text;
  }

  // ---- what is chosen --------------------------------------------------------------

  const [start] = page.named;
  const chosen = { view: start[0], patience: start[1], delta: start[2], filter: "", run: page.opens_on };
  const now = () => views[chosen.view];
  const topOf = (number) => Math.max(views[number].last,
    ...page.named.filter(([view]) => view === number).map(([, patience]) => patience));
  const holds = ([view, patience, delta]) =>
    view === chosen.view && patience === chosen.patience && delta === chosen.delta;
  const shown = () => runs.filter(({ name }) =>
    name.toLowerCase().includes(chosen.filter.trim().toLowerCase()));

  function nearestDelta(number, wanted) {
    const apart = views[number].min_delta.map(([, value]) => Math.abs(Number(value) - wanted));
    return apart.indexOf(Math.min(...apart));
  }

  function choose(changes) {
    if ("view" in changes && !("delta" in changes)) {
      changes.delta = nearestDelta(changes.view, Number(now().min_delta[chosen.delta][1]));
    }
    Object.assign(chosen, changes);
    chosen.patience = Math.min(Math.max(chosen.patience, 0), topOf(chosen.view));
    chosen.delta = Math.min(Math.max(chosen.delta, 0), now().min_delta.length - 1);
    show();
  }

  function fragment() {
    const kept = new URLSearchParams();
    if (!holds(start)) {
      kept.set("patience", chosen.patience);
      kept.set("min_delta", now().min_delta[chosen.delta][0]);
      if (page.lists.length > 1) kept.set("callbacks", now().list + 1);
      kept.set("monitor", now().monitor);
    }
    if (chosen.filter) kept.set("runs", chosen.filter);
    if (chosen.run !== page.opens_on) kept.set("run", runs[chosen.run].name);
    return kept.toString();
  }

  function readFragment() {
    const given = new URLSearchParams(location.hash.slice(1));
    const changes = { view: start[0], patience: start[1], delta: start[2] };
    const list = Number(given.get("callbacks") ?? views[start[0]].list + 1) - 1;
    const monitor = given.get("monitor") ?? views[start[0]].monitor;
    const view = views.findIndex((each) => each.list === list && each.monitor === monitor);
    if (view >= 0) changes.view = view;
    if (/^\d{1,9}$/.test(given.get("patience"))) changes.patience = Number(given.get("patience"));
    const delta = Number(given.get("min_delta") ?? views[start[0]].min_delta[start[2]][1]);
    changes.delta = nearestDelta(changes.view, Number.isFinite(delta) ? delta : 0);
    changes.filter = given.get("runs") ?? "";
    const named = runs.findIndex(({ name }) => name === given.get("run"));
    changes.run = named < 0 ? page.opens_on : named;
    choose(changes);
  }

  let writing = 0;
  function writeFragment() {
    clearTimeout(writing);
    // browsers refuse an address that changes many times a second
    writing = setTimeout(() => {
      const wanted = fragment();
      if (wanted === location.hash.slice(1)) return;
      history.replaceState(null, "", wanted ? `#${wanted}` : location.href.split("#")[0]);
    }, 150);
  }

  // ---- the controls ----------------------------------------------------------------

  const control = {};
  function addControls(into) {
    const settings = [...words.named, words.own].map((name, place) =>
      make("option", { value: place, hidden: place === words.named.length }, name));
    control.setting = make("select", { onchange: (event) => {
      const [view, patience, delta] = page.named[event.target.value];
      choose({ view, patience, delta });
    } }, ...settings);
    control.list = make("select", { onchange: (event) => {
      const list = Number(event.target.value);
      const same = views.findIndex((each) => each.list === list && each.monitor === now().monitor);
      choose({ view: same < 0 ? views.findIndex((each) => each.list === list) : same });
    } }, ...page.lists.map((name, place) => make("option", { value: place }, name)));
    control.monitor = make("select", { onchange: (event) =>
      choose({ view: Number(event.target.value) }) });
    control.patience = make("input", { type: "range", min: 0, step: 1, oninput: (event) =>
      choose({ patience: Number(event.target.value) }) });
    control.delta = make("input", { type: "range", min: 0, step: 1, oninput: (event) =>
      choose({ delta: Number(event.target.value) }) });
    control.filter = make("input", { type: "search", placeholder: words.filter,
      oninput: (event) => choose({ filter: event.target.value }) });
    control.reset = make("button", { type: "button", onclick: () => choose({
      view: start[0], patience: start[1], delta: start[2], filter: "", run: page.opens_on }) }, words.reset);
    control.patienceText = make("output");
    control.deltaText = make("output");
    const label = (text, ...nodes) => make("label", {}, make("span", {}, text), ...nodes);
    control.lists = label(words.list, control.list);
    control.monitors = label(words.monitor, control.monitor);
    control.deltas = label("min_delta", control.delta, control.deltaText);
    control.settings = label(words.setting, control.setting);
    control.filters = label(words.runs, control.filter);
    control.lists.hidden = page.lists.length < 2;
    control.filters.hidden = alone;
    into.append(make("div", { class: "controls" },
      control.settings, control.lists, control.monitors, control.filters,
      label("patience", control.patience, control.patienceText), control.deltas, control.reset));
  }

  function showControls() {
    const view = now(), named = page.named.findIndex(holds);
    const others = views.map((each, place) => [each, place]).filter(([each]) => each.list === view.list);
    control.setting.value = named < 0 ? words.named.length : named;
    control.list.value = view.list;
    if (control.monitor.dataset.list !== String(view.list)) {
      control.monitor.dataset.list = view.list;
      control.monitor.replaceChildren(...others.map(([each, place]) =>
        make("option", { value: place }, each.monitor)));
    }
    control.monitor.value = chosen.view;
    control.monitors.hidden = others.length < 2;
    control.patience.max = topOf(chosen.view);
    control.patience.value = chosen.patience;
    control.patience.setAttribute("aria-valuetext", chosen.patience);
    control.patienceText.value = chosen.patience;
    control.delta.max = view.min_delta.length - 1;
    control.delta.value = chosen.delta;
    control.delta.setAttribute("aria-valuetext", view.min_delta[chosen.delta][0]);
    control.deltaText.value = view.min_delta[chosen.delta][0];
    control.deltas.hidden = view.usual[1] === null;
    if (control.filter.value !== chosen.filter) control.filter.value = chosen.filter;
  }

  // ---- the sentences ---------------------------------------------------------------

  function clause(run, outcome) {
    const { stop, kept, saved } = outcome, end = run.first + run.epochs;
    if (!outcome.exact) {
      return outcome.full + (kept === null ? "" : say("provisional", { kept }));
    }
    let text = outcome.stopped ? say("stops", { stop, end }) : say("ends", { end });
    text += say("kept", { kept });
    if (Number.isFinite(outcome.value)) {
      const blanks = { value: spoken(outcome.value), regret: spoken(outcome.regret) };
      const plain = outcome.regret === 0 ? "the_best" : "value";
      text += say(run.bound ? "at_least" : Number.isNaN(outcome.regret) ? "unpriced_value" : plain, blanks);
    } else {
      text += say("unknown_value");
    }
    return saved ? text + say("saved", { saved, epochs: run.epochs, time: spokenTime(outcome.tenths) }) : text;
  }

  function settingName() {
    return say(now().usual[1] === null ? "is_patience" : "is_setting",
      { patience: chosen.patience, min_delta: now().min_delta[chosen.delta][0] });
  }

  function summaryWords(total, all) {
    if (!all) return words.no_run;
    let text = say("told", { exact: total.exact, all });
    if (total.exact && !total.priced) text += words.unpriced;
    if (total.priced && total.priced < total.exact) text += say("priced", total);
    if (total.priced) {
      text += say(total.worst.outcome.regret === 0 ? "no_loss" : "mean", {
        mean: spoken(total.mean), worst: spoken(total.worst.outcome.regret),
        run: total.worst.run.name, saved: total.saved, epochs: total.epochs,
        time: spokenTime(total.tenths) });
    }
    return `${text}.`;
  }

  // ---- the curve -------------------------------------------------------------------

  const lines = new Map();
  function lineOf(name, row) {
    const key = `${row} ${name}`;
    if (!lines.has(key)) {
      const [low, high, text, outside, outsideValues, crosses] = page.lines[name][row];
      const values = heights(text).map((share) => (share === null ? null : low + share * (high - low)));
      outside.forEach((place, at) => { values[place] = outsideValues[at]; });
      lines.set(key, { low, high, values, outside, crosses });
    }
    return lines.get(key);
  }

  function axisOf({ low, high, values, outside }, marked) {
    // a mark stands at the height of its value: the axis reaches to each of them
    const held = marked.filter((place) => outside.includes(place)).map((place) => values[place]);
    const lowest = Math.min(low, ...held), highest = Math.max(high, ...held);
    const margin = 0.06 * (highest - lowest);
    return { low: lowest < low ? lowest - margin : low, high: highest > high ? highest + margin : high };
  }

  function farthestOutside({ values, outside }, { low, high }) {
    const distance = (place) => Math.abs(values[place] - (low + high) / 2);
    return outside.filter((place) => values[place] < low || values[place] > high).reduce(
      (far, place) => (far === null || distance(place) > distance(far) ? place : far), null);
  }

  function ticksOf(low, high, most) {
    const power = 10 ** Math.floor(Math.log10((high - low) / most));
    const step = [1, 2, 5, 10].map((by) => by * power).find((by) => (high - low) / by <= most);
    const ticks = [];
    for (let at = Math.ceil(low / step); at * step <= high; at += 1) ticks.push(at * step);
    return [ticks, -Math.floor(Math.log10(step) + 1e-9)];
  }

  function heightsOf({ values }, { low, high }) {
    // without a value there is nothing to measure
    if (values.every((value) => value === null)) return [];
    const [ticks, decimals] = ticksOf(low, high, 5);
    const plain = ticks.map((tick) => tick.toFixed(Math.min(Math.max(decimals, 0), 12)));
    if (decimals <= 12 && plain.every((text) => text.length <= 7)) return ticks.map((tick, at) => [tick, plain[at]]);
    // as many digits as tell each from the next
    const size = Math.floor(Math.log10(Math.max(...ticks.map(Math.abs))));
    return ticks.map((tick) => [tick, tick === 0 ? "0" : exponential(tick, Math.max(size + decimals, 0))]);
  }

  const clipped = (name, most) => {
    const half = Math.max(Math.floor((most - 3) / 2), 1);
    return name.length <= most ? name : `${name.slice(0, half)}...${name.slice(-half)}`;
  };

  function drawCurve(node, run, outcome) {
    const width = room.curve, height = width < 560 ? 230 : 290;
    const { monitor } = now(), objective = words.objective;
    const second = monitor === objective ? null : lineOf(objective, run.row);
    const line = lineOf(monitor, run.row);
    const top = 12, bottom = height - 38;
    const log = run.first + run.epochs, first = run.first + 1;
    const past = outcome.evidence === "censored" ? Math.max(run.end, log + Math.max(2, 0.12 * run.epochs)) : log;
    const marked = [outcome.stop, outcome.kept].filter((epoch) => epoch !== null).map((epoch) => epoch - first);
    if (run.best !== null) marked.push(run.best);
    const drawn = [[line, "watched"], ...(second ? [[second, "judging"]] : [])].map(([each, name]) => {
      const axis = axisOf(each, marked), { low, high } = axis;
      // what is far off the axis is drawn nearer: a browser's coordinates overflow
      const y = (value) => bottom - Math.min(Math.max((value - low) / (high - low), -1), 2) * (bottom - top);
      return { line: each, name, axis, y, ticks: heightsOf(each, axis) };
    });
    // room for the longest number beside each axis
    const [before, behind] = [0, 1].map((at) => Math.max(...(drawn[at]?.ticks ?? []).map(([, text]) => 14 + 7.5 * text.length), 58));
    const left = before, right = width - (second ? behind : 14);
    const x = (epoch) => left + ((epoch - first + 0.5) / (past - first + 1)) * (right - left);
    const parts = [];
    const add = (tag, attributes, ...rest) => parts.push(make(tag, attributes, ...rest));
    const [decided, gone] = [run.first + outcome.trained, !outcome.exact && outcome.evidence !== "censored"];
    const last = gone ? decided - 1 : decided;
    if (!outcome.exact) {
      const from = x((gone ? last : log) + 0.5);
      add("rect", { class: "shade", x: from, y: top, width: Math.max(right - from, 0), height: bottom - top });
    }
    for (const { name, y, ticks } of drawn) {
      const [at, anchor] = name === "watched" ? [left - 7, "end"] : [right + 7, "start"];
      for (const [tick, text] of ticks) {
        const level = y(tick);
        if (anchor === "end") add("line", { class: "rule", x1: left, x2: right, y1: level, y2: level });
        add("text", { x: at, y: level + 4, "text-anchor": anchor, class: anchor === "end" ? "" : "judging" }, text);
      }
    }
    const whole = ticksOf(first, past, width < 560 ? 5 : 9)[0].filter((tick) => Number.isInteger(tick) && tick >= first);
    for (const tick of whole) add("text", { x: x(tick), y: bottom + 17, "text-anchor": "middle" }, String(tick));
    add("text", { x: right, y: height - 8, "text-anchor": "end" }, words.epoch);
    const most = Math.floor((right - left - 60) / (second ? 16 : 8)), watches = clipped(monitor, most);
    add("text", { x: left, y: height - 8 }, watches);
    if (second) add("text", { x: left + 14 + 8 * watches.length, y: height - 8, class: "judging" }, clipped(objective, most));
    add("clipPath", { id: "inside" },
      make("rect", { x: left, y: top - 6, width: right - left, height: bottom - top + 12 }));
    const path = ({ line: { values: points }, y }, from, to) => {
      let text = "", pen = "M";
      for (let at = Math.max(from, 0); at < Math.min(to, points.length); at += 1) {
        if (points[at] === null) { pen = "M"; continue; }
        text += `${pen}${x(first + at).toFixed(1)} ${y(points[at]).toFixed(1)}`;
        if (pen === "M" && (points[at + 1] ?? null) === null) text += "h0.1";
        pen = "L";
      }
      return text;
    };
    const cut = Math.max(last - run.first, 0);
    for (const each of [...drawn].reverse()) {
      add("path", { class: "after", d: path(each, cut - 1, run.epochs), "clip-path": "url(#inside)" });
      add("path", { class: each.name, d: path(each, 0, cut), "clip-path": "url(#inside)" });
    }
    drawn.forEach(({ line: each, name, axis }, row) => {
      const place = farthestOutside(each, axis);
      if (place === null) return;
      const value = each.values[place], above = value > axis.high, at = x(first + place);
      const leftwards = at > (left + right) / 2, down = 15 * row;
      add("text", { class: `outside ${name}`, x: at + (leftwards ? -8 : 8), "text-anchor": leftwards ? "end" : "start",
        y: above ? top + 6 + down : bottom - 6 - down },
      say("outside", { arrow: above ? "\u2191" : "\u2193", value: spoken(value), place: first + place }));
    });
    for (const { line: { crosses }, name } of drawn) {
      for (const place of crosses) {
        add("path", { class: `${name} cross`, d: `M${x(first + place) - 3.5} ${bottom - 3.5}l7 7m-7 0l7 -7` });
      }
    }
    const mark = (epoch, { line: { values }, y }, shape) => {
      const value = values[epoch - first] ?? null;
      if (value !== null) parts.push(shape(x(epoch), y(value)));
    };
    const watched = drawn[0], on = drawn[drawn.length - 1];
    if (run.best !== null && first + run.best !== outcome.kept) {
      mark(first + run.best, on, (cx, cy) => make("path", { class: "best", d: `M${cx - 5} ${cy + 14}h10l-5 -9z` }));
    }
    if (outcome.kept !== null) {
      mark(outcome.kept, on, (cx, cy) => make("circle", { class: `${second ? "judging" : "watched"} kept`, cx, cy, r: 6.5 }));
    }
    if (outcome.stop !== null) {
      mark(outcome.stop, watched, (cx, cy) => make("rect", { class: "stop", x: cx - 4.5, y: cy - 4.5, width: 9, height: 9 }));
      add("line", { class: "stopped", x1: x(outcome.stop), x2: x(outcome.stop), y1: top, y2: bottom });
    }
    node.replaceChildren(make("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
      "aria-label": `${say("curve", { run: run.name })}: ${clause(run, outcome)}` }, ...parts));
  }

  // ---- the map ---------------------------------------------------------------------

  const map = { canvas: make("canvas", { tabindex: 0, role: "img" }), base: make("canvas"), key: "" };

  function compared(view, among) {
    // means over different runs do not compare: all cells are over the same ones
    const telling = among.filter((run) => view.of[run.row].some((_, delta) => tells(view, run, delta)));
    const named = page.named.find(([number]) => views[number] === view);
    if (!named) return { held: telling, legend: "map_key_any" };
    const tell = telling.filter((run) => lookUp(view, run, named[2], named[1]).priced);
    return tell.length >= 0.8 * telling.length ? { held: tell, legend: "map_key" }
      : { held: telling, legend: "map_key_any" };
  }

  function tells(view, run, delta) {
    const steps = staircase(view, run, delta);
    for (let at = 0; at < steps.length; at += 4) {
      if (outcomeOf(run, steps, at, 0).priced) return true;
    }
    return false;
  }

  function priceMap(view, among) {
    const columns = topOf(views.indexOf(view)) + 1, { held, legend } = compared(view, among);
    const rows = view.min_delta.map((_, delta) => {
      const totals = new Float64Array(columns), counts = new Uint32Array(columns);
      for (const run of held) {
        const steps = staircase(view, run, delta);
        for (let at = 0; at < steps.length; at += 4) {
          const end = Math.min(at + 4 < steps.length ? steps[at + 4] : columns, columns);
          const moves = kinds[steps[at + 1]][6] !== 0;
          let outcome = outcomeOf(run, steps, at, 0);
          for (let patience = steps[at]; patience < end; patience += 1) {
            if (moves) outcome = outcomeOf(run, steps, at, patience - steps[at]);
            if (!outcome.priced) continue;
            totals[patience] += outcome.regret;
            counts[patience] += 1;
          }
        }
      }
      return Array.from(totals, (total, at) =>
        (held.length && counts[at] === held.length ? total / held.length : null));
    });
    const known = rows.flat().filter((loss) => loss !== null);
    let last = 0;
    for (const row of rows) row.forEach((loss, at) => { if (loss !== null) last = Math.max(last, at); });
    return { rows, columns: Math.min(Math.max(last + 3, 8), columns), held, legend, known: known.length > 0,
      most: known.reduce((most, loss) => Math.max(most, loss), 0) };
  }

  function drawMap() {
    const { canvas, cells } = map, width = room.map, scale = window.devicePixelRatio || 1;
    const left = 58, cell = 15, height = cells.rows.length * cell + 36;
    const across = (width - left - 8) / cells.columns, style = getComputedStyle(root);
    const ink = (name) => style.getPropertyValue(name).trim();
    const key = `${map.key} ${width} ${scale} ${ink("--watched")}`;
    if (map.drawn !== key) {
      map.drawn = key;
      map.place = { left, cell, across };
      for (const each of [canvas, map.base]) Object.assign(each, { width: width * scale, height: height * scale });
      Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
      drawCells(map.base.getContext("2d"), scale, ink, style.fontFamily);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(map.base, 0, 0);
    pen.scale(scale, scale);
    pen.lineWidth = 2;
    const outline = (patience, delta, colour, dashes) => {
      if (patience >= cells.columns) return;
      pen.strokeStyle = colour;
      pen.setLineDash(dashes);
      const wide = Math.max(across, 7), middle = left + (patience + 0.5) * across;
      pen.strokeRect(middle - wide / 2 - 0.5, delta * cell - 0.5, wide, cell);
    };
    for (const [view, patience, delta] of page.named) {
      if (view === chosen.view) outline(patience, delta, ink("--text"), [3, 2]);
    }
    outline(chosen.patience, chosen.delta, ink("--decision"), []);
  }

  function drawCells(pen, scale, ink, fontFamily) {
    const { cells, place: { left, cell, across } } = map;
    const [watched, faint, muted] = ["--watched", "--faint", "--muted"].map(ink);
    const hatch = document.createElement("canvas");
    Object.assign(hatch, { width: 6, height: 6 });
    const stroke = hatch.getContext("2d");
    stroke.strokeStyle = faint;
    stroke.globalAlpha = 0.45;
    stroke.stroke(new Path2D("M-1 7L7 -1M-1 1L1 -1M5 7L7 5"));
    const hatched = pen.createPattern(hatch, "repeat");
    pen.scale(scale, scale);
    pen.font = `12px ${fontFamily}`;
    const wide = across > 5 ? across - 1 : across + 0.3;
    cells.rows.forEach((row, delta) => {
      for (let patience = 0; patience < cells.columns; patience += 1) {
        const loss = row[patience], share = cells.most > 0 ? loss / cells.most : 0;
        pen.globalAlpha = loss === null ? 1 : 0.07 + 0.93 * Math.sqrt(share);
        pen.fillStyle = loss === null ? hatched : watched;
        pen.fillRect(left + patience * across, delta * cell, wide, cell - 1);
      }
      pen.globalAlpha = 1;
      pen.fillStyle = muted;
      pen.textAlign = "right";
      pen.fillText(now().min_delta[delta][0], left - 6, delta * cell + 11);
    });
    pen.textAlign = "center";
    const base = cells.rows.length * cell;
    for (const tick of ticksOf(0, cells.columns - 1, 10)[0].filter(Number.isInteger)) {
      pen.fillText(String(tick), left + (tick + 0.5) * across, base + 13);
    }
    pen.textAlign = "right";
    pen.fillText("patience", room.map - 8, base + 30);
    pen.textAlign = "left";
    pen.fillText("min_delta", 2, base + 30);
  }

  function cellWords(patience, delta) {
    const loss = map.cells.rows[delta]?.[patience] ?? null;
    const told = loss === null ? words.map_none : say("map_lost", { regret: spoken(loss) });
    return say("map_cell", { patience, min_delta: now().min_delta[delta][0], loss: told });
  }

  function cellAt(event) {
    const box = map.canvas.getBoundingClientRect(), { left, cell, across } = map.place;
    const patience = Math.floor((event.clientX - box.left - left) / across);
    const delta = Math.floor((event.clientY - box.top) / cell);
    const inside = patience >= 0 && patience < map.cells.columns && delta >= 0 && delta < map.cells.rows.length;
    return inside ? { patience, delta } : null;
  }

  function moveOnMap(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [by, down] = moves[event.key];
    choose({ patience: chosen.patience + by, delta: chosen.delta + down });
  }

  function showMap(among) {
    const key = `${chosen.view} ${among.map(({ row }) => row).join()}`;
    if (map.key !== key) {
      map.key = key;
      map.cells = priceMap(now(), among);
      map.canvas.parentNode.hidden = !map.cells.known;
    }
    const reduces = page.reduces[now().list] ? ` ${words.map_reduces}` : "";
    if (!map.cells.known) return write(part.mapKey, `${words.map_empty}${reduces}`);
    drawMap();
    const held = map.cells.held.length;
    const legend = alone ? say("map_key_one", { run: runs[0].name }) : say(map.cells.legend,
      { compared: held, setting_name: words.named[page.named.findIndex(([view]) => view === chosen.view)] });
    write(part.mapKey, `${cellWords(chosen.patience, chosen.delta)}. ${legend}${reduces}`);
    return map.canvas.setAttribute("aria-label", `${words.map}. ${cellWords(chosen.patience, chosen.delta)}`);
  }

  // ---- the tables ------------------------------------------------------------------

  const part = {};
  const titles = ["stop", "kept", "value", "regret", "saved", "evidence"].map((name) => words[`column_${name}`]);

  function table(caption, names) {
    const head = names.map((name, place) => make("th", { scope: "col", class: place ? null : "left" }, name));
    head[head.length - 1].className = "left";
    const body = make("tbody"), title = make("caption", {}, caption);
    const box = make("div", { class: "rows", tabindex: 0, role: "region", "aria-label": caption },
      make("table", {}, title, make("thead", {}, make("tr", {}, ...head)), body));
    return { box, body, title };
  }

  function cellsOf(run, outcome) {
    if (!outcome.exact) return ["-", "-", "-", "-", "-", outcome.brief];
    const regret = Number.isNaN(outcome.regret) ? "-" : spoken(outcome.regret);
    return [outcome.stop === null ? "-" : String(outcome.stop), String(outcome.kept),
      Number.isNaN(outcome.value) ? "-" : spoken(outcome.value), run.bound ? `>= ${regret}` : regret,
      String(outcome.saved), outcome.brief];
  }

  function addRow(body, name, press) {
    const texts = titles.map(() => document.createTextNode(""));
    const label = document.createTextNode(name);
    // where a name is cut, its end tells it from the others
    const button = make("button", { type: "button", onclick: press }, make("bdi", { dir: "ltr" }, label));
    const cells = texts.map((text, place) =>
      make("td", { class: place === texts.length - 1 ? "left" : null }, text));
    const row = make("tr", {}, make("th", { scope: "row", class: "left" }, button), ...cells);
    body.append(row);
    return { row, texts, label, marked: false };
  }

  function mark(row, marked) {
    if (row.marked === marked) return;
    row.marked = marked;
    row.row.className = marked ? "marked" : "";
    if (marked) row.row.setAttribute("aria-current", "true");
    else row.row.removeAttribute("aria-current");
  }

  function showRuns(outcomes) {
    if (alone) return;
    const visible = new Map(outcomes.map(({ run, outcome }) => [run.row, outcome]));
    runs.forEach((run, place) => {
      const row = part.runRows[place], outcome = visible.get(place);
      if (row.row.hidden !== !outcome) row.row.hidden = !outcome;
      mark(row, place === chosen.run);
      if (outcome) cellsOf(run, outcome).forEach((text, at) => write(row.texts[at], text));
    });
  }

  function stairs(run) {
    const steps = staircase(now(), run, chosen.delta), found = [];
    for (let at = 0; at < steps.length; at += 4) {
      const end = at + 4 < steps.length ? steps[at + 4] - 1 : null;
      const first = outcomeOf(run, steps, at, 0);
      const last = outcomeOf(run, steps, at, end === null ? 0 : end - steps[at]);
      const before = found[found.length - 1];
      const alike = before && before.last.kept === first.kept && first.kept === last.kept
        && before.last.brief === first.brief && before.last.stopped === first.stopped && end !== null;
      if (alike) Object.assign(before, { end, last });
      else found.push({ from: steps[at], end, first, last });
    }
    return found;
  }

  function showSteps(run) {
    const key = `${chosen.view} ${run.row} ${chosen.delta}`;
    if (part.stepsKey !== key) {
      part.stepsKey = key;
      part.stairs = stairs(run);
      write(part.stepsTitle, say("steps", { run: run.name }));
      write(part.stepsHead, say("steps", { run: run.name }));
      part.steps.box.setAttribute("aria-label", say("steps", { run: run.name }));
      while (part.stepRows.length < part.stairs.length) {
        const place = part.stepRows.length;
        part.stepRows.push(addRow(part.steps.body, "", () => {
          const { from, end } = part.stairs[place];
          choose({ patience: Math.max(from, Math.min(1, end ?? 1)) });
        }));
      }
      part.stepRows.forEach((row, place) => {
        const stair = part.stairs[place];
        row.row.hidden = !stair;
        if (!stair) return;
        const { from, end, first, last } = stair;
        write(row.label, end === null ? say("or_more", { from }) : span(from, end));
        const texts = cellsOf(run, first), later = cellsOf(run, last);
        [0, 1, 4].forEach((at) => { if (first.exact) texts[at] = span(texts[at], later[at]); });
        if (first.kept !== last.kept) texts[2] = texts[3] = "";
        texts.forEach((text, at) => write(row.texts[at], text));
      });
    }
    part.stepRows.forEach((row, place) => {
      const stair = part.stairs[place];
      mark(row, Boolean(stair) && chosen.patience >= stair.from && chosen.patience <= (stair.end ?? Infinity));
    });
  }

  // ---- the code --------------------------------------------------------------------

  function codeText() {
    const { code, usual, min_delta: deltas } = now(), value = deltas[chosen.delta][1];
    const moved = usual[1] !== null && Number(value) !== usual[1];
    const pieces = code[(chosen.patience === usual[0] ? 0 : 2) + (moved ? 1 : 0)];
    return pieces.map((piece, at) =>
      (at % 2 ? { p: chosen.patience, m: value }[piece] : piece)).join("");
  }

  // ---- everything ------------------------------------------------------------------

  function render() {
    const view = now(), among = shown();
    const outcomes = among.map((run) => ({ run, outcome: lookUp(view, run, chosen.delta, chosen.patience) }));
    const run = runs[chosen.run], outcome = lookUp(view, run, chosen.delta, chosen.patience);
    showControls();
    const said = alone ? `${clause(run, outcome)}.` : summaryWords(summarise(outcomes), among.length);
    write(part.said, `${settingName()}: ${said}`);
    write(part.counted, say("of_runs", { shown: among.length, all: runs.length }));
    part.counted.parentNode.hidden = among.length === runs.length;
    const crossed = [view.monitor, words.objective].some((name) => lineOf(name, run.row).crosses.length);
    write(part.curveKey, `${alone ? "" : `${run.name}: ${clause(run, outcome)}. `}${words.key}${crossed ? words.key_cross : ""}`);
    write(part.code, codeText());
    part.pasted.hidden = part.codeAbove.has(codeText());
    showRuns(outcomes);
    showSteps(run);
    drawCurve(part.curve, run, outcome);
    showMap(among);
    writeFragment();
  }

  const room = {};
  function measure() {
    // of all reading of sizes, this is the one that makes the browser lay the page out
    room.curve = Math.max(part.curve.clientWidth, 260);
    room.map = Math.max(map.canvas.parentNode.parentNode.clientWidth, 260);
  }

  let waiting = false;
  function show() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; render(); });
  }

  function build() {
    const text = (name) => (part[name] = document.createTextNode(""));
    root.append(make("h2", {}, words.title));
    addControls(root);
    root.append(make("p", { role: "status", class: "said" }, text("said")),
      make("p", { class: "small" }, text("counted")));
    part.curve = make("div", { class: "curve" });
    part.steps = table("", [words.column_patience, ...titles]);
    part.steps.title.append(text("stepsTitle"));
    part.stepRows = [];
    const key = (name) => make("figcaption", {}, text(name));
    root.append(make("div", { class: "pair" },
      make("figure", {}, part.curve, key("curveKey")),
      make("figure", {},
        make("div", {}, map.canvas, make("p", { class: "small alive" }, words.map_hint)), key("mapKey"))));
    if (!alone) {
      part.everyRun = table(words.every_run, [words.column_run, ...titles]);
      part.runRows = runs.map((run, place) => addRow(part.everyRun.body, run.name, () => choose({ run: place })));
      root.append(make("h3", {}, words.every_run), part.everyRun.box);
    }
    const stepsHead = make("h3", {}, part.stepsHead = document.createTextNode(""));
    // code that stands on the page already is not shown a second time
    const codes = document.querySelectorAll("section:not(#moving):not(.still) pre.python code");
    part.codeAbove = new Set([...codes].map((code) => code.textContent));
    part.pasted = make("div", {}, make("h3", {}, words.code),
      make("pre", { tabindex: 0, class: "python" }, make("code", {}, text("code"))));
    root.append(stepsHead, part.steps.box, part.pasted,
      make("p", { class: "small alive" }, words.how));
    map.canvas.addEventListener("click", (event) => { const cell = cellAt(event); if (cell) choose(cell); });
    map.canvas.addEventListener("keydown", moveOnMap);
    map.canvas.addEventListener("mousemove", (event) => {
      const cell = cellAt(event);
      map.canvas.title = cell ? cellWords(cell.patience, cell.delta) : "";
    });
    document.documentElement.classList.add("moving");
    root.hidden = false;
    measure();
  }

  try {
    build();
    readFragment();
    render();
  } catch (error) {
    // in a browser that lacks something, the page is what it is without a script
    root.hidden = true;
    document.documentElement.classList.remove("moving");
    throw error;
  }
  addEventListener("hashchange", readFragment);
  addEventListener("resize", () => { measure(); show(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
})();
