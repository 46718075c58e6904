// Fills a dashboard's page: fetches the items as the address says, puts each in its place, and keeps the address in step
// with what the reader chooses. The address is the whole state, so that a view can be shared and gone back from.
"use strict";

(() => {
  const status = document.querySelector(".status");
  const known = new Map(); // anchor -> what it shows, so that what stays the same is left alone
  let running = null, timer = null;

  const say = (text, stale = false) => { status.textContent = text; status.classList.toggle("stale", stale); };
  const clock = (iso) => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;

  const put = (line) => {
    const place = document.getElementById(line.id);
    if (!place || (line.partial && known.has(line.id))) return;
    place.removeAttribute("aria-busy");
    place.hidden = !line.shown;
    place.dataset.shown = line.shown;
    const shown = line.html + JSON.stringify(line.figure ?? null);
    if (!line.shown || known.get(line.id) === shown) return;
    known.set(line.id, shown);
    if ("group" in place.dataset) return putTitle(place, line.html);
    const panel = place.querySelector(":scope > .panel");
    const focused = place.contains(document.activeElement) ? document.activeElement : null;
    const open = [...panel.querySelectorAll("details[open] > summary[id]")].map((summary) => summary.id);
    const scrolled = panel.querySelector(".grid-scroll")?.scrollTop ?? 0;
    panel.innerHTML = line.html;
    open.forEach((id) => { const summary = document.getElementById(id); if (summary) summary.parentElement.open = true; });
    refocus(panel, focused);
    const scroll = panel.querySelector(".grid-scroll");
    if (scroll) scroll.scrollTop = scrolled;
    WorkbookPage.prepare(panel);
    const plot = panel.querySelector(".plot");
    if (plot && line.figure) WorkbookPage.setFigure(plot, line.figure);
  };
  const putTitle = (place, html) => {
    const title = place.querySelector(":scope > .panel > [data-title], :scope > .panel > details > [data-title]");
    if (title && (html || title.tagName !== "SUMMARY")) title.innerHTML = html;
  };
  const refocus = (panel, was) => {
    if (!was) return;
    const like = (one) => one.textContent === was.textContent && one.tagName === was.tagName;
    const same = was.id ? panel.querySelector(`#${CSS.escape(was.id)}`)
      : was.name ? panel.querySelector(`[name="${CSS.escape(was.name)}"][value="${CSS.escape(was.value)}"]`)
      : was.dataset.export ? panel.querySelector(`[data-export="${CSS.escape(was.dataset.export)}"]`)
      : [...panel.querySelectorAll(was.tagName)].find(like);
    same?.focus({ preventScroll: true });
  };
  // A group is shown when any of its items is, unless it is hidden itself: its items then are not shown either. One that
  // is not loaded yet is shown for what it may hold.
  const settleGroups = () => {
    [...document.querySelectorAll("section[data-group]")].reverse().forEach((group) => {
      const waits = group.querySelector(":scope > .panel > [data-load], :scope > .panel > details > [data-load], :scope > .panel > details[data-load-open]");
      const inside = [...group.querySelectorAll("section[data-item]")].some((item) => !item.hidden);
      group.hidden = group.dataset.shown === "false" || (group.dataset.shown === undefined ? group.hidden : !waits && !inside);
    });
  };

  const finish = (told) => {
    say(`As of ${clock(told.at)}`);
    document.querySelector("[data-note]").textContent = told.note ? ` · ${told.note}` : "";
    settleGroups();
    document.body.dataset.filled = "yes";
    performance.mark("filled");
  };
  const load = async () => {
    running?.abort();
    const mine = running = new AbortController();
    say("Loading …");
    document.querySelectorAll("section[data-item]").forEach((place) => place.setAttribute("aria-busy", "true"));
    try {
      const answer = await fetch(`${location.pathname}/items${location.search}`, { signal: mine.signal });
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        for (const line of lines.filter(Boolean)) {
          const told = JSON.parse(line);
          if (told.done) finish(told);
          else put(told);
        }
        settleGroups();
      }
    } catch (error) {
      if (error.name !== "AbortError") say(`Not refreshed: ${error.message}`, true);
    }
  };

  // ---- the address ---------------------------------------------------------------------------------------------------
  const go = (url) => { history.pushState(null, "", url); delete document.body.dataset.filled; load(); };
  const set = (changes) => {
    const url = new URL(location);
    for (const [key, values] of Object.entries(changes)) {
      url.searchParams.delete(key);
      (values ?? []).forEach((value) => url.searchParams.append(key, value));
    }
    go(url);
  };
  const valuesOf = (control) => {
    if (control.type !== "checkbox") return [control.value];
    const boxes = [...control.closest("fieldset").querySelectorAll(`input[name="${CSS.escape(control.name)}"]`)];
    const all = boxes.find((box) => "all" in box.dataset);
    if (control === all && all.checked) boxes.forEach((box) => { box.checked = box === all; });
    else if (all && control.checked) all.checked = false;
    const checked = boxes.filter((box) => box.checked).map((box) => box.value);
    return checked.length ? checked : [""];
  };
  document.addEventListener("change", (event) => {
    const control = event.target;
    if (control.matches("[data-refresh]")) return schedule(Number(control.value));
    if (control.closest(".parameters") && control.name) set({ [control.name]: valuesOf(control) });
  });
  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest?.(selector);
    if (hit("[data-reload]")) return load();
    const apply = hit("[data-range-apply]");
    if (apply) {
      const [from, to] = [...apply.parentElement.querySelectorAll("[data-range]")].map((box) => box.value);
      const name = document.getElementById(apply.dataset.rangeApply).name;
      if (from && to) set({ [name]: [`${from}:00.000Z/${to}:00.000Z`] });
      return;
    }
    const opens = hit("[data-load]");
    if (opens) return open(opens.dataset.load, opens);
    const link = hit("main a[href]");
    if (!link || link.target || link.hasAttribute("download") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const url = new URL(link.href);
    if (url.origin === location.origin && url.pathname === location.pathname && !url.hash) { event.preventDefault(); go(url); }
  });
  // What a group holds is asked for when it is opened. That belongs to the view too, and so to the address.
  const open = (anchor, button) => {
    const url = new URL(location);
    if (url.searchParams.getAll(".open").includes(anchor)) return;
    url.searchParams.append(".open", anchor);
    history.replaceState(null, "", url);
    const items = document.getElementById(anchor).querySelector(".items");
    items.hidden = false;
    button?.remove();
    load();
  };
  document.addEventListener("toggle", (event) => {
    const group = event.target;
    if (group.matches("details[data-load-open]") && group.open) {
      const anchor = group.dataset.loadOpen;
      delete group.dataset.loadOpen;
      open(anchor);
    }
  }, true);
  document.addEventListener("page:choose", (event) => set(event.detail.parameters));
  window.addEventListener("popstate", load);

  // ---- refresh: not while nobody looks ---------------------------------------------------------------------------------
  const schedule = (seconds) => {
    clearInterval(timer);
    timer = seconds ? setInterval(() => { if (!document.hidden) load(); }, seconds * 1000) : null;
  };
  document.querySelector("[data-plotly]").addEventListener("load", () => {
    document.querySelectorAll(".plot").forEach((plot) => WorkbookPage.redraw(plot));
  });
  load();
})();
