// What a page of a workbook does in the browser: sort, filter, page and unfold grids, draw figures, show details, take a
// selection. It reads the page alone; what changes the page's parameters is told by an event, "page:choose".
"use strict";

(() => {
  const root = document.documentElement;
  const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* a page from a file keeps nothing */ } };

  // Plotly carries the stylesheet of a map library, which no chart here uses and the content security policy refuses.
  document.head.appendChild = (node) => (node.nodeName === "STYLE" ? node : Node.prototype.appendChild.call(document.head, node));

  // ---- theme -------------------------------------------------------------------------------------------------------
  const isDark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const asked = new URLSearchParams(location.search).get("theme") ?? stored("theme");
  if (asked === "dark" || asked === "light") root.dataset.theme = asked;
  const toggleTheme = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    store("theme", root.dataset.theme);
    document.querySelectorAll(".plot").forEach(draw);
  };

  // ---- figures -----------------------------------------------------------------------------------------------------
  const figures = new WeakMap();
  const color = (value) => (typeof value === "string" && value.startsWith("--") ? getComputedStyle(root).getPropertyValue(value).trim() : value);
  const colored = (value) => {
    if (Array.isArray(value)) return value.map(colored);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, colored(inner)]));
    return color(value);
  };
  const draw = (plot) => {
    const figure = figures.get(plot);
    if (!figure || !window.Plotly) return;
    const axis = { gridcolor: color("--line"), linecolor: color("--line"), zerolinecolor: color("--line"), automargin: true };
    const given = colored(figure.layout ?? {});
    const layout = {
      ...given,
      xaxis: { ...axis, ...given.xaxis }, yaxis: { ...axis, ...given.yaxis },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: color("--text"), size: 12, family: getComputedStyle(document.body).fontFamily },
      margin: { l: 44, r: 12, t: 4, b: 8 }, autosize: true,
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" },
      hoverlabel: { bgcolor: color("--raised"), font: { color: color("--text") } },
      transition: { duration: 0 },
    };
    if (plot.dataset.brush) { layout.dragmode = "zoom"; layout.yaxis.fixedrange = true; }
    window.Plotly.react(plot, colored(figure.data), layout, { displaylogo: false, responsive: true, displayModeBar: false, locale: "en" });
    if (!plot.dataset.listens) listen(plot);
  };
  // A range that is dragged over a chart, and a point that is clicked, may set parameters.
  const listen = (plot) => {
    plot.dataset.listens = "yes";
    const iso = (text) => new Date(`${String(text).replace(" ", "T").replace("Z", "")}Z`).toISOString();
    if (plot.dataset.brush) plot.on("plotly_relayout", (moved) => {
      const [from, to] = [moved["xaxis.range[0]"], moved["xaxis.range[1]"]];
      if (from && to) choose(plot, { [plot.dataset.brush]: [`${iso(from)}/${iso(to)}`] });
      else if (moved["xaxis.autorange"]) choose(plot, { [plot.dataset.brush]: null });
    });
    if (plot.dataset.pointExport) plot.on("plotly_click", (clicked) => {
      const point = clicked.points[0];
      const parts = { x: point.x ?? point.label, y: point.y ?? point.value, series: point.label ?? point.data.meta ?? point.data.name };
      const chosen = Object.entries(JSON.parse(plot.dataset.pointExport))
        .map(([name, part]) => [name, [String(part === "" ? JSON.stringify(parts) : parts[part] ?? "")]]);
      choose(plot, Object.fromEntries(chosen));
    });
  };
  const setFigure = (plot, figure) => { figures.set(plot, figure); draw(plot); };

  // ---- selections: the page's owner listens ------------------------------------------------------------------------
  const choose = (from, parameters) =>
    from.dispatchEvent(new CustomEvent("page:choose", { bubbles: true, detail: { parameters } }));
  // A row says aria-selected, a tile or a node aria-current: what each may say.
  const markOf = (element) => (element.matches("tr") ? "aria-selected" : "aria-current");
  const isChosen = (element) => element.getAttribute(markOf(element)) === "true";
  const select = (element) => {
    const was = isChosen(element), several = "multiple" in element.dataset;
    const all = [...element.closest(".item").querySelectorAll("[data-export]")];
    if (!several) all.forEach((other) => other.setAttribute(markOf(other), "false"));
    element.setAttribute(markOf(element), String(!was));
    const chosen = all.filter(isChosen).map((one) => JSON.parse(one.dataset.export));
    const names = Object.keys(JSON.parse(element.dataset.export));
    choose(element, Object.fromEntries(names.map((name) => [name, chosen.length ? chosen.map((one) => one[name]) : null])));
  };

  // ---- grids -------------------------------------------------------------------------------------------------------
  const rowsOf = (table) => [...table.tBodies[0].rows];
  const isTree = (table) => table.getAttribute("role") === "treegrid";
  const matches = (row, words) => words.every((word) => row.textContent.toLowerCase().includes(word));
  const paginate = (table) => {
    if (isTree(table)) return;
    const size = Number(table.dataset.page), words = (table.dataset.filter ?? "").split(/\s+/).filter(Boolean);
    const found = rowsOf(table).filter((row) => { const keep = matches(row, words); if (!keep) row.hidden = true; return keep; });
    const pages = Math.max(1, Math.ceil(found.length / size));
    const at = Math.min(Number(table.dataset.at ?? 0), pages - 1);
    table.dataset.at = at;
    found.forEach((row, index) => { row.hidden = index < at * size || index >= (at + 1) * size; });
    showPager(table, at, pages, found.length);
  };
  const showPager = (table, at, pages, count) => {
    const scroll = table.closest(".grid-scroll");
    let pager = scroll.nextElementSibling;
    if (!pager?.classList.contains("pager")) {
      if (pages < 2) return;
      pager = document.createElement("div");
      pager.className = "pager";
      for (const [step, label] of [[-1, "Previous"], [1, "Next"]]) {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", textContent: label });
        button.dataset.step = step;
        button.addEventListener("click", () => { table.dataset.at = Number(table.dataset.at) + step; paginate(table); scroll.scrollTop = 0; });
        pager.append(button);
      }
      pager.insertBefore(document.createElement("span"), pager.lastElementChild).setAttribute("aria-live", "polite");
      scroll.after(pager);
    }
    pager.hidden = pages < 2;
    pager.querySelector("span").textContent = `Page ${at + 1} of ${pages}, ${count} rows`;
    pager.querySelector('[data-step="-1"]').disabled = at === 0;
    pager.querySelector('[data-step="1"]').disabled = at === pages - 1;
  };
  const sortBy = (table, head) => {
    if (isTree(table)) return;
    const index = [...head.parentElement.cells].indexOf(head);
    const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    [...head.parentElement.cells].forEach((cell) => cell.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", direction);
    const key = (row) => row.cells[index]?.dataset.sort ?? "";
    const sign = direction === "ascending" ? 1 : -1;
    const compare = (one, other) => {
      const [a, b] = [key(one), key(other)];
      if (!a || !b) return a ? -1 : b ? 1 : 0; // what is empty comes last, whichever way
      const [x, y] = [Number(a), Number(b)];
      return sign * (Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y);
    };
    table.tBodies[0].append(...rowsOf(table).sort(compare));
    table.dataset.at = 0;
    paginate(table);
  };
  const unfold = (button) => {
    const row = button.closest("tr"), level = Number(row.dataset.level);
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", open);
    row.setAttribute("aria-expanded", open);
    let closedBelow = Infinity;
    for (let next = row.nextElementSibling; next && Number(next.dataset.level ?? 1) > level; next = next.nextElementSibling) {
      const at = Number(next.dataset.level);
      if (at <= closedBelow) closedBelow = Infinity;
      next.hidden = !open || at > closedBelow;
      if (next.getAttribute("aria-expanded") === "false") closedBelow = Math.min(closedBelow, at);
    }
  };

  // ---- details -----------------------------------------------------------------------------------------------------
  const showDetails = (text) => {
    let dialog = document.getElementById("details");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "details";
      dialog.setAttribute("aria-label", "Details");
      const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
      close.addEventListener("click", () => dialog.close());
      dialog.append(document.createElement("pre"), close);
      document.body.append(dialog);
    }
    dialog.querySelector("pre").textContent = text;
    dialog.showModal();
  };

  // ---- one listener for each kind of thing, so that parts may be replaced at any time --------------------------------
  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest?.(selector);
    if (hit("[data-toggle-theme]")) return toggleTheme();
    if (hit(".twist")) return unfold(hit(".twist"));
    if (hit("th .sort")) return sortBy(hit("table"), hit("th"));
    if (hit("button[data-details]")) return showDetails(hit("button[data-details]").dataset.details);
    if (hit("[data-export]") && !hit("a, button, input")) return select(hit("[data-export]"));
    document.querySelectorAll("details.multi[open], details.custom[open]").forEach((open) => { if (!open.contains(event.target)) open.open = false; });
  });
  // What is cut off is said whole to who points at it; a screen reader reads all of it anyway.
  document.addEventListener("mouseover", (event) => {
    const cell = event.target.closest?.("table.grid td");
    if (cell && !cell.title && cell.scrollWidth > cell.clientWidth) cell.title = cell.innerText.trim();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && event.target.matches?.("[data-export]")) {
      event.preventDefault();
      select(event.target);
    }
    if (event.key === "Escape") {
      const open = event.target.closest?.("details.multi[open], details.custom[open]");
      if (open) { open.open = false; open.querySelector("summary").focus(); }
    }
  });
  document.addEventListener("input", (event) => {
    const box = event.target;
    if (box.matches(".grid-filter")) {
      const table = box.parentElement.querySelector("table.grid");
      table.dataset.filter = box.value.toLowerCase();
      table.dataset.at = 0;
      paginate(table);
    }
    if (box.matches(".option-filter")) {
      const wanted = box.value.toLowerCase();
      box.closest("fieldset").querySelectorAll(".option").forEach((option) => { option.hidden = !option.textContent.toLowerCase().includes(wanted); });
    }
  });

  const prepare = (part) => {
    part.querySelectorAll("table.grid").forEach(paginate);
    part.querySelectorAll("th[data-width]").forEach((head) => { head.style.width = head.style.minWidth = head.dataset.width.replace("fr", "em"); });
    part.querySelectorAll("script[type='application/json'][data-figure]").forEach((data) => {
      const plot = data.parentElement.querySelector(".plot");
      if (plot) setFigure(plot, JSON.parse(data.textContent));
    });
  };
  window.WorkbookPage = { prepare, setFigure, redraw: draw, isDark };
  document.addEventListener("DOMContentLoaded", () => prepare(document.body));
})();
